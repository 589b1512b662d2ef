"""Runs chrony as a time server of its own stratum; it leaves this machine's clock alone."""

import os
from pathlib import Path

from plan import THIS

Path("chrony.conf").write_text(
    f"""local stratum {THIS["ntp"]["ntp_stratum"]}
allow
bindaddress {THIS["ip"]}
cmdport 0
bindcmdaddress /
pidfile {Path("chrony.pid").absolute()}
"""
)
os.execvp("chronyd", ["chronyd", "-d", "-x", "-u", "root", "-f", "chrony.conf"])
