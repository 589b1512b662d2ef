"""Sends a line of a log by rsyslog over UDP and TCP, in the form of RFC 5424, under the device's own name."""

import subprocess
import sys
import time
from pathlib import Path

from plan import DEVICES, THIS

folder = Path("log").absolute()
folder.mkdir()
(folder / "lines.txt").write_text("battery of pump 3 low\n")
(folder / "rsyslog.conf").write_text(
    f"""global(localHostname="{THIS["host_name"]}" workDirectory="{folder}")
module(load="imfile")
input(type="imfile" file="{folder}/lines.txt" tag="{THIS["syslog"]["software_name"]}")
*.* action(type="omfwd" target="{DEVICES[sys.argv[1]]["ip"]}" port="514" protocol="udp"
    template="RSYSLOG_SyslogProtocol23Format")
*.* action(type="omfwd" target="{DEVICES[sys.argv[1]]["ip"]}" port="514" protocol="tcp"
    template="RSYSLOG_SyslogProtocol23Format")
"""
)
running = subprocess.Popen(["rsyslogd", "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")])
time.sleep(3)
running.terminate()
running.wait()
