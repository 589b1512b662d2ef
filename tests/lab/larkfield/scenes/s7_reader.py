"""Reads a data block of a controller that speaks S7."""

import sys

import snap7

from plan import DEVICES

client = snap7.client.Client()
client.connect(DEVICES[sys.argv[1]]["ip"], 0, 2)
print(client.db_read(1, 0, 16), client.get_cpu_info())
client.disconnect()
