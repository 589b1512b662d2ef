"""A sensor that speaks CoAP, as aiocoap runs it, and says of its resource what it is (RFC 6690)."""

import asyncio

from aiocoap import Context, Message
from aiocoap.resource import Resource, Site, WKCResource

from plan import THIS


class Temperature(Resource):
    rt = THIS["coap"]["coap_resource_type"]
    if_ = THIS["coap"]["coap_interface"]

    async def render_get(self, request):
        return Message(payload=b"4.6")


async def serve():
    site = Site()
    site.add_resource([".well-known", "core"], WKCResource(site.get_resources_as_linkheader))
    site.add_resource(["temperature"], Temperature())
    await Context.create_server_context(site, bind=(THIS["ip"], 5683), transports=["simplesocketserver"])
    await asyncio.Event().wait()


asyncio.run(serve())
