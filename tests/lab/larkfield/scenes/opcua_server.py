"""An OPC UA server, as asyncua runs it, without signatures and without users."""

import asyncio

from asyncua import Server, ua

from plan import THIS


async def serve():
    opcua = THIS["opcua"]
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://{THIS['ip']}:4840/")
    server.set_server_name(opcua["software_name"])
    server.product_uri = opcua["opc_ua_product_uri"]
    await server.set_application_uri(opcua["opc_ua_application_uri"])
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:larkfield")
    await server.nodes.objects.add_variable(ua.NodeId("Temperature", space), f"{space}:Temperature", 134.2)
    async with server:
        await asyncio.Event().wait()


asyncio.run(serve())
