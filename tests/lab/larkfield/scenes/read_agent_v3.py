"""Reads the system group of an agent by SNMPv3."""

import subprocess
import sys

from plan import DEVICES, credential

agent = DEVICES[sys.argv[1]]
login = credential(agent)
user = ["-u", login["user"], "-l", "authPriv", "-a", "SHA", "-A", login["secret"], "-x", "AES", "-X", login["secret"]]
subprocess.run(["snmpget", "-v3", *user, "-On", agent["ip"], ".1.3.6.1.2.1.1.1.0"], check=True)
