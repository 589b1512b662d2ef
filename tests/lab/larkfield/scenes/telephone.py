"""A telephone registers at an exchange, as SIPp plays it."""

import subprocess
import sys
from pathlib import Path

from plan import DEVICES, SITE, THIS

Path("telephone.xml").write_text(
    f"""<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="telephone">
  <send retrans="500"><![CDATA[
REGISTER sip:{SITE["domain"]} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:4711@{SITE["domain"]}>;tag=[call_number]
To: <sip:4711@{SITE["domain"]}>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:4711@[local_ip]:[local_port]>
User-Agent: {THIS["sip"]["http_user_agent"]}
Max-Forwards: 70
Expires: 3600
Content-Length: 0

]]></send>
  <recv response="200"></recv>
</scenario>
"""
)
exchange = DEVICES[sys.argv[1]]["ip"]
subprocess.run(
    ["sipp", f"{exchange}:5060", "-sf", "telephone.xml", "-i", THIS["ip"], "-p", "5060", "-m", "1", "-nostdin"],
    check=True,
)
