"""The building management station: Who-Is, then what each controller is, then its points."""

import asyncio
import sys

from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

from bacnet import application
from plan import THIS, seen_in

IDENTITY = [
    "object-name",
    "vendor-name",
    "vendor-identifier",
    "model-name",
    "firmware-revision",
    "application-software-version",
    "serial-number",
    "location",
    "description",
]


async def survey():
    station = application(THIS)
    controllers = [device for device in seen_in("building") if "points" in device.get("bacnet", {})]
    answers = await station.who_is()
    if len(answers) != len(controllers):
        sys.exit(f"{len(answers)} controllers answered, not {len(controllers)}")
    for number, controller in enumerate(controllers):
        address = Address(controller["ip"])
        device = ObjectIdentifier(f"device,{controller['bacnet']['instance']}")
        if number % 2 == 0:
            await station.read_property_multiple(address, [device, IDENTITY])
        else:
            for name in IDENTITY:
                await station.read_property(address, device, name)
        for point in range(1, len(controller["bacnet"]["points"]) + 1):
            await station.read_property(address, ObjectIdentifier(f"analog-value,{point}"), "object-name")
            await station.read_property(address, ObjectIdentifier(f"analog-value,{point}"), "present-value")
    # Somebody turns the operating rooms' supply air down by hand.
    setpoint = next(device for device in controllers if device["name"] == "air-handler-1")
    await station.write_property(Address(setpoint["ip"]), ObjectIdentifier("analog-value,3"), "present-value", 19.5)
    station.close()


asyncio.run(survey())
