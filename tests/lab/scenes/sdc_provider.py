"""An anaesthesia workstation as an SDC provider (ISO/IEEE 11073-20701): announces itself and describes what it is."""

import time
import uuid
from decimal import Decimal
from pathlib import Path

from sdc11073.location import SdcLocation
from sdc11073.mdib import ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.wsdiscovery import WSDiscovery
from sdc11073.xml_types import pm_types
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

from plan import PATIENTS, SITE, THIS

sdc, version = THIS["sdc"], THIS["versions"][0]
description = (Path(__file__).parent / "anaesthesia.xml").read_text()
for key, value in {
    "MANUFACTURER": THIS["manufacturer"],
    "MODEL_NAME": THIS["model"],
    "MODEL_NUMBER": sdc["model_number"],
    "SERIAL": THIS["serial"],
    "SOFTWARE": version,
    "UDI_FORM": THIS["udi"],
    "UDI_DI": THIS["udi"].split(")")[1].split("(")[0],
    "VAPORISER": sdc["vaporiser"],
}.items():
    description = description.replace(f"{{{key}}}", value)

discovery = WSDiscovery(THIS["ip"])
discovery.start()
mdib = ProviderMdib.from_string(description.encode())
provider = SdcProvider(
    ws_discovery=discovery,
    epr=uuid.UUID(sdc["endpoint"]),
    this_model=ThisModelType(
        manufacturer=THIS["manufacturer"], model_name=THIS["model"], model_number=sdc["model_number"]
    ),
    this_device=ThisDeviceType(
        friendly_name=THIS["host_name"], firmware_version=version, serial_number=THIS["serial"]
    ),
    device_mdib_container=mdib,
)
provider.start_all(start_rtsample_loop=False)
provider.set_location(SdcLocation(fac=SITE["name"], poc=THIS["location"], bed="1"))

# Whom it keeps asleep: a consumer that reads everything is told this, too.
with mdib.context_state_transaction() as transaction:
    patient = transaction.mk_context_state("patient", set_associated=True)
    patient.CoreData = pm_types.PatientDemographicsCoreData()
    patient.CoreData.Givenname = PATIENTS[2]["given"]
    patient.CoreData.Familyname = PATIENTS[2]["family"]

pressure = 18
while True:
    time.sleep(0.5)
    pressure = 18 + (pressure + 1) % 5
    with mdib.metric_state_transaction() as transaction:
        state = transaction.get_state("pressure")
        if state.MetricValue is None:
            state.mk_metric_value()
        state.MetricValue.Value = Decimal(pressure)
