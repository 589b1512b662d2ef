"""Looks for a service by SLP, with the messages of pyslp."""

import asyncio
import socket
import sys
import types

# The package was written for Python before 3.11: its messages are used, not its loops.
asyncio.coroutine = types.coroutine

from pyslp.creator import create_request
from pyslp.slptool import Receiver

from plan import DEVICES, THIS

kind = DEVICES[sys.argv[1]]["slp"]["slp_service_type"]


async def find():
    answered, found = asyncio.Event(), {}
    endpoint = socket.socket(type=socket.SOCK_DGRAM)
    endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(THIS["ip"]))
    endpoint.bind((THIS["ip"], 0))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Receiver(answered, found), sock=endpoint)
    transport.sendto(create_request(service_type=kind), ("239.255.255.253", 427))
    await asyncio.wait_for(answered.wait(), 5)
    if kind not in str(found["url_entries"]):
        sys.exit(f"nothing but {found}")


asyncio.run(find())
