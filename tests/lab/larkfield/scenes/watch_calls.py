"""Listens to a board of nurse calls over WebSocket."""

import asyncio
import sys

from websockets.asyncio.client import connect

from plan import DEVICES


async def watch(url):
    async with connect(url) as connection:
        async for call in connection:
            print(call)


asyncio.run(watch(f"ws://{DEVICES[sys.argv[1]]['ip']}:8081/calls"))
