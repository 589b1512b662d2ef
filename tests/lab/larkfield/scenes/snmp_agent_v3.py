"""Runs Net-SNMP's agent for one user of SNMPv3, with authentication and encryption."""

import os
from pathlib import Path

from plan import THIS, credential

login = credential(THIS)
Path("snmpd.conf").write_text(
    f"""agentaddress udp:{THIS["ip"]}:161
createUser {login["user"]} SHA {login["secret"]} AES {login["secret"]}
rouser {login["user"]} authpriv
"""
)
# It keeps what it learns in a folder; this one goes with the play.
os.environ["SNMP_PERSISTENT_DIR"] = str(Path("snmp").absolute())
os.execvp("snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", "snmpd.conf"])
