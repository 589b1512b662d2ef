"""Runs xrdp with RDP's own protection alone, as old servers have it."""

import os
from pathlib import Path

from plan import THIS

port = f"tcp://{THIS['ip']}:3389"
settings = Path("/etc/xrdp/xrdp.ini").read_text()
for name, value in {
    "port": port,
    "security_layer": "rdp",
    "LogFile": str(Path("xrdp.log").absolute()),
    "EnableSyslog": "false",
}.items():
    lines = settings.splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith(f"{name}="))
    lines[place] = f"{name}={value}"
    settings = "\n".join(lines) + "\n"
Path("xrdp.ini").write_text(settings)
os.execvp("xrdp", ["xrdp", "--nodaemon", "--config", str(Path("xrdp.ini").absolute())])
