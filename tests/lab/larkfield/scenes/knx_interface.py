"""Runs knxd as an interface to a KNX line that has nobody on it."""

import os
from pathlib import Path

from plan import THIS

knx = THIS["knx"]
area, line, device = knx["knx_individual_address"].split(".")
os.execvp(
    "knxd",
    [
        "knxd",
        *("-e", knx["knx_individual_address"], "-E", f"{area}.{line}.{int(device) + 10}:4", "-n", knx["description"]),
        *("-u", str(Path("knx.socket").absolute()), "-D", "-T", "-S", "-b", "dummy:"),
    ],
)
