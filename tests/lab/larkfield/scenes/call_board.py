"""A board of nurse calls that tells them over WebSocket."""

import asyncio

from websockets.asyncio.server import serve

from plan import THIS


async def tell(connection):
    for room in ("12", "14"):
        await connection.send(f'{{"room": "{room}", "call": "nurse"}}')


async def run():
    async with serve(tell, THIS["ip"], 8081):
        await asyncio.Event().wait()


asyncio.run(run())
