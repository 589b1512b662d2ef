"""A power meter that says over Modbus what it is (read device identification, function 43/14)."""

import asyncio

from pymodbus import ModbusDeviceIdentification
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from plan import THIS

identity = ModbusDeviceIdentification(
    info_name={
        "VendorName": THIS["manufacturer"],
        "ProductCode": THIS["model"],
        "MajorMinorRevision": THIS["versions"][0],
        "UserApplicationName": f"{THIS['location']}, serial {THIS['serial']}",
    }
)
# Voltages and currents of three phases, in tenths.
registers = SimData(0, values=[2301, 2298, 2304, 412, 398, 405], datatype=DataType.REGISTERS)
unit = SimDevice(id=THIS["modbus"]["unit"], simdata=[registers])
asyncio.run(StartAsyncTcpServer(unit, identity=identity, address=(THIS["ip"], 502)))
