"""An electricity meter that speaks DLMS/COSEM in the wrapper on TCP, with Gurux' server."""

import socketserver

from gurux_dlms import GXServerReply
from gurux_dlms.enums import Authentication, DataType, InterfaceType, ObjectType, SourceDiagnostic
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSData
from gurux_dlms.secure import GXDLMSSecureServer

from plan import DEVICES, THIS, credential

login = credential(DEVICES["utilities-1"])


class Meter(GXDLMSSecureServer):
    def __init__(self):
        association = GXDLMSAssociationLogicalName()
        super().__init__(association, InterfaceType.WRAPPER)
        self.items.append(association)
        for name, value in {
            "0.0.42.0.0.255": THIS["dlms"]["device_tag"].encode(),
            "0.0.96.1.0.255": THIS["serial"].encode(),
            "1.0.0.2.0.255": THIS["versions"][0].encode(),
        }.items():
            item = GXDLMSData(name)
            item.value = value
            item.setDataType(2, DataType.OCTET_STRING)
            self.items.append(item)
        association.objectList.extend(self.items)
        self.initialize()

    def isTarget(self, serverAddress, clientAddress):
        return True

    def onValidateAuthentication(self, authentication, password):
        is_known = authentication == Authentication.LOW and bytes(password) == login["secret"].encode()
        return SourceDiagnostic.NONE if is_known else SourceDiagnostic.AUTHENTICATION_FAILURE

    def onFindObject(self, objectType, sn, ln):
        return None

    def onGetAttributeAccess(self, arg):
        return 1

    def onGetMethodAccess(self, arg):
        return 0

    def ignore(self, *_):
        pass

    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = ignore
    notifyRead = onConnected = onInvalidConnection = onDisconnected = onPreAction = onPostAction = ignore


class Answer(GXServerReply):
    """With what the package's server calls and its answer lacks."""

    def setReply(self, octets):
        self.reply = octets

    def getConnectionInfo(self):
        return self.connectionInfo


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        meter = Meter()
        while octets := self.request.recv(2048):
            answer = Answer(octets)
            meter.handleRequest(answer)
            if answer.reply:
                self.request.sendall(bytes(answer.reply))


socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer((THIS["ip"], 4059), Connection).serve_forever()
