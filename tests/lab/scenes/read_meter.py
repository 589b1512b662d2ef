"""The management station asks the power meter what it is and how much it measures."""

import sys

from pymodbus.client import ModbusTcpClient

from plan import DEVICES

meter = DEVICES["power-meter-1"]
unit = meter["modbus"]["unit"]
with ModbusTcpClient(meter["ip"]) as client:
    answers = [client.read_device_information(read_code=code, device_id=unit) for code in (1, 2)]
    answers.append(client.read_holding_registers(0, count=6, device_id=unit))
if any(answer.isError() for answer in answers):
    sys.exit(f"the meter answered {answers}")
