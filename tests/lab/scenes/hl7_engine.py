"""The interface engine: a real MLLP server that acknowledges whatever it gets."""

import asyncio

from hl7.mllp import start_hl7_server

from plan import THIS


async def acknowledge(reader, writer):
    while not writer.is_closing():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            break
        writer.writemessage(message.create_ack())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve():
    async with await start_hl7_server(acknowledge, port=THIS["hl7"]["port"]) as server:
        await server.serve_forever()


asyncio.run(serve())
