"""Looks at an OPC UA server's endpoints and reads a value."""

import asyncio
import sys

from asyncua import Client

from plan import DEVICES


async def read(url):
    await Client(url).connect_and_get_server_endpoints()
    async with Client(url) as client:
        space = await client.get_namespace_index("urn:larkfield")
        print(await client.get_node(f"ns={space};s=Temperature").read_value())


asyncio.run(read(f"opc.tcp://{DEVICES[sys.argv[1]]['ip']}:4840/"))
