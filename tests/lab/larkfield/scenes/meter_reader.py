"""Logs in to a meter by DLMS/COSEM with a password, and asks what it is, with Gurux' client."""

import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.secure import GXDLMSSecureClient

from plan import DEVICES, THIS, credential

meter = DEVICES[sys.argv[1]]
login = credential(THIS)
client = GXDLMSSecureClient(True, 16, 1, Authentication.LOW, login["secret"].encode(), InterfaceType.WRAPPER)
connection = socket.create_connection((meter["ip"], 4059), timeout=5)


def ask(messages):
    for message in messages:
        connection.sendall(bytes(message))
        answer, octets = GXReplyData(), GXByteBuffer()
        while not client.getData(octets, answer, None):
            received = connection.recv(2048)
            if not received:
                sys.exit("the meter hung up")
            octets.set(received)
    return answer


client.parseAareResponse(ask(client.aarqRequest()).data)
said = []
for name in ("0.0.42.0.0.255", "0.0.96.1.0.255", "1.0.0.2.0.255"):
    item = GXDLMSData(name)
    said.append(bytes(client.updateValue(item, 2, ask(client.read(item, 2)).value)).decode())
ask(client.releaseRequest() or [])
if said != [meter["dlms"]["device_tag"], meter["serial"], meter["versions"][0]]:
    sys.exit(f"it said {said}")
