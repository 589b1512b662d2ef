"""A storage that tells its service by SLP, with the messages and the answers of pyslp."""

import asyncio
import socket
import types

# The package was written for Python before 3.11: its messages and answers are used, not its loops.
asyncio.coroutine = types.coroutine

from pyslp.creator import create_registration
from pyslp.slpd import Receiver, SLPDServer

from plan import THIS

own = THIS["ip"]
kind = THIS["slp"]["slp_service_type"]


async def serve():
    agent = SLPDServer()
    for table in (agent.services, agent.url_entries, agent.lifetime):
        table[own] = {}
    endpoint = socket.socket(type=socket.SOCK_DGRAM)
    endpoint.bind(("", 427))
    group = socket.inet_aton("239.255.255.253") + socket.inet_aton(own)
    endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Receiver(agent, own), sock=endpoint)
    service = create_registration(kind, "DEFAULT", "", 3600, f"{kind}://{own}")
    agent.datagram_received(service, (own, 427), own, transport)
    await asyncio.Event().wait()


asyncio.run(serve())
