"""A control centre of IEC 60870-5-104: asks a station for all it has, and listens for a while."""

import sys
import time

import c104

from plan import DEVICES

peer = DEVICES[sys.argv[1]]
client = c104.Client()
connection = client.add_connection(ip=peer["ip"], port=2404, init=c104.Init.INTERROGATION)
station = connection.add_station(common_address=peer["iec104"]["iec104_common_address"])
point = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
client.start()
end = time.monotonic() + 25
while not connection.is_connected or not point.value:
    if time.monotonic() > end:
        sys.exit(f"{peer['name']} told no value")
    time.sleep(0.1)
time.sleep(2)
client.stop()
