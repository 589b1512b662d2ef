"""Runs a building controller."""

import asyncio

from bacnet import application
from plan import THIS


async def serve():
    running = application(THIS)
    try:
        await asyncio.Future()
    finally:
        running.close()


asyncio.run(serve())
