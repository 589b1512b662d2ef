"""A camera announces itself by WS-Discovery, with scopes as ONVIF has them."""

import time
import uuid
from urllib.parse import quote

from wsdiscovery import QName, Scope
from wsdiscovery.publishing import ThreadedWSPublishing

from plan import THIS

said = {"name": THIS["onvif"]["description"], "hardware": THIS["model"], "location": THIS["location"]}
scopes = [Scope(f"onvif://www.onvif.org/{kind}/{quote(value)}") for kind, value in said.items()]
scopes.append(Scope("onvif://www.onvif.org/type/video_encoder"))
types = [QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter", "dn")]
publishing = ThreadedWSPublishing()
publishing.start()
publishing.publishService(types, scopes, [f"http://{THIS['ip']}/onvif/device_service"])
while True:
    time.sleep(60)
