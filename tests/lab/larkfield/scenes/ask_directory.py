"""Reads a directory's root entry, and searches it with a password in clear."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

server = DEVICES[sys.argv[1]]
suffix = server["ldap"]["suffix"]
login = credential(THIS)
search = ["ldapsearch", "-x", "-H", f"ldap://{server['ip']}"]
subprocess.run([*search, "-s", "base", "-b", "", "+"], check=True)
bind = ["-D", f"cn={login['user']},{suffix}", "-w", login["secret"], "-b", suffix]
searched = subprocess.run([*search, *bind])
# The directory is empty: no such object.
if searched.returncode != 32:
    sys.exit(f"ldapsearch ended with {searched.returncode}")
