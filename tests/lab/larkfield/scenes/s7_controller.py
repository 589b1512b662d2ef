"""A controller that speaks S7, as python-snap7 simulates it."""

import time

from snap7.server import Server
from snap7.type import SrvArea

server = Server()
server.register_area(SrvArea.DB, 1, bytearray(64))
server.start(tcp_port=102)
while True:
    time.sleep(60)
