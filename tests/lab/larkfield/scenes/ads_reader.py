"""Asks a controller by ADS what it is and how it does, with Beckhoff's library."""

import sys

import pyads

from plan import DEVICES, THIS

controller = DEVICES[sys.argv[1]]
pyads.set_local_address(f"{THIS['ip']}.1.1")
with pyads.Connection(controller["ads"]["ams_net_id"], pyads.PORT_TC3PLC1, controller["ip"]) as connection:
    name, version = connection.read_device_info()
    connection.read_state()
if name != controller["ads"]["software_name"]:
    sys.exit(f"it is {name} {version}")
