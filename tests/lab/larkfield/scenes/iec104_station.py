"""A controlled station of IEC 60870-5-104, as lib60870 speaks for it."""

import time

import c104

from plan import THIS

server = c104.Server(ip=THIS["ip"], port=2404)
station = server.add_station(common_address=THIS["iec104"]["iec104_common_address"])
point = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1, report_ms=1000)
point.value = 11.03
server.start()
while True:
    time.sleep(60)
