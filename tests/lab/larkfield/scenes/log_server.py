"""Runs rsyslog as a server for logs over UDP and TCP."""

import os
from pathlib import Path

from plan import THIS

folder = Path("logs").absolute()
folder.mkdir()
(folder / "rsyslog.conf").write_text(
    f"""module(load="imudp")
module(load="imtcp")
input(type="imudp" address="{THIS["ip"]}" port="514")
input(type="imtcp" address="{THIS["ip"]}" port="514")
*.* action(type="omfile" file="{folder}/received.log")
"""
)
os.execvp("rsyslogd", ["rsyslogd", "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")])
