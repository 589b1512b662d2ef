"""A BACnet/IP device from the hospital's description, as bacpypes3 runs it (ASHRAE 135)."""

from bacpypes3.app import Application
from bacpypes3.local.analog import AnalogValueObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject

from plan import SITE


def application(device):
    bacnet = device["bacnet"]
    prefix = SITE["network"].split("/")[1]
    described = {"modelName": "model", "serialNumber": "serial", "location": "location", "description": "description"}
    identity = {ours: device[key] for ours, key in described.items() if key in device}
    if "versions" in device:
        identity["firmwareRevision"], identity["applicationSoftwareVersion"] = device["versions"]
    points = [
        AnalogValueObject(
            objectIdentifier=("analog-value", number),
            objectName=name,
            presentValue=20.0 + number,
            statusFlags=[0, 0, 0, 0],
            eventState="normal",
            outOfService=False,
            units="no-units",
        )
        for number, name in enumerate(bacnet.get("points", []), start=1)
    ]
    return Application.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", bacnet["instance"]),
                objectName=bacnet["object_name"],
                vendorIdentifier=bacnet["vendor_id"],
                vendorName=device.get("manufacturer", bacnet.get("vendor_name")),
                **identity,
            ),
            NetworkPortObject(
                f"{device['ip']}/{prefix}", objectIdentifier=("network-port", 1), objectName="BACnet/IP"
            ),
            *points,
        ]
    )
