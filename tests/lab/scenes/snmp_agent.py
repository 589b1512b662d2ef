"""Runs Net-SNMP's agent with the system group that the device is described to have."""

import os
from pathlib import Path

from plan import THIS

snmp = THIS["snmp"]
Path("snmpd.conf").write_text(
    f"""agentaddress udp:{THIS["ip"]}:161
rocommunity {snmp["community"]}
sysdescr {snmp["description"]}
sysobjectid {snmp["object_id"]}
sysname {THIS["host_name"]}
syslocation {THIS["location"]}
"""
)
# It keeps what it learns in a folder; this one goes with the recording.
os.environ["SNMP_PERSISTENT_DIR"] = str(Path("snmp").absolute())
os.execvp("snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", "snmpd.conf"])
