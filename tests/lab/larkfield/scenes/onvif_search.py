"""Looks for cameras by WS-Discovery and fails when there is none."""

import sys

from wsdiscovery import QName
from wsdiscovery.discovery import ThreadedWSDiscovery

discovery = ThreadedWSDiscovery()
discovery.start()
found = discovery.searchServices(
    types=[QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter", "dn")], timeout=3
)
for service in found:
    print(service.getEPR(), [scope.getValue() for scope in service.getScopes()])
discovery.stop()
if not found:
    sys.exit("no camera answered")
