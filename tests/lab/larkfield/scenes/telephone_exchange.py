"""A telephone exchange that takes registrations, as SIPp plays it."""

import os
from pathlib import Path

from plan import THIS

Path("exchange.xml").write_text(
    f"""<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="registrar">
  <recv request="REGISTER"></recv>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Server: {THIS["sip"]["http_server"]}
Content-Length: 0

]]></send>
</scenario>
"""
)
os.execvp("sipp", ["sipp", "-sf", "exchange.xml", "-i", THIS["ip"], "-p", "5060", "-nostdin"])
