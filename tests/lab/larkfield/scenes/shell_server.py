"""Runs Dropbear's SSH server with a key of its own."""

import os
import subprocess

from plan import THIS

subprocess.run(["dropbearkey", "-t", "ed25519", "-f", "host_key"], check=True)
os.execvp("dropbear", ["dropbear", "-F", "-E", "-r", "host_key", "-P", "dropbear.pid", "-p", f"{THIS['ip']}:22"])
