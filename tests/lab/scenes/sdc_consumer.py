"""A display in the operating room: finds the medical device, reads its description and listens for a while."""

import sys
import time

from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.mdib import ConsumerMdib
from sdc11073.wsdiscovery import WSDiscovery

from plan import THIS

discovery = WSDiscovery(THIS["ip"])
discovery.start()
# The device may still be coming up.
for _ in range(4):
    services = discovery.search_services(types=SdcV1Definitions.MedicalDeviceTypesFilter, timeout=2)
    if services:
        break
else:
    sys.exit("no medical device answered")
consumer = SdcConsumer.from_wsd_service(services[0], ssl_context_container=None)
consumer.start_all()
mdib = ConsumerMdib(consumer)
mdib.init_mdib()
time.sleep(3)
consumer.stop_all()
discovery.stop()
