"""Asks a device that speaks CoAP what it has, and reads it."""

import asyncio
import sys

from aiocoap import GET, Context, Message

from plan import DEVICES


async def read():
    context = await Context.create_client_context(transports=["simple6"])
    for path in (".well-known/core", "temperature"):
        request = Message(code=GET, uri=f"coap://{DEVICES[sys.argv[1]]['ip']}/{path}")
        answer = await asyncio.wait_for(context.request(request).response, 10)
        print(answer.code, answer.payload)
    await context.shutdown()


asyncio.run(read())
