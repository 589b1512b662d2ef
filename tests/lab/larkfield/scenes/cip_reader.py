"""Asks a controller of EtherNet/IP what it is and reads a value, by the programs of cpppo."""

import subprocess
import sys

from plan import DEVICES

address = DEVICES[sys.argv[1]]["ip"]
for asked in (["list_services", "--list-identity", "-a", address], ["client", "-a", address, "Pressure[0-1]"]):
    subprocess.run([sys.executable, "-m", f"cpppo.server.enip.{asked[0]}", *asked[1:]], check=True)
