"""Runs lldpd until it has told the neighbours what the device is, with an LLDP-MED inventory (ANSI/TIA-1057)."""

import subprocess
import time
from pathlib import Path

from plan import THIS

version = THIS["versions"][0]
Path("lldpd.conf").write_text(
    f"""configure system hostname {THIS["host_name"]}
configure system description "{THIS["manufacturer"]} {THIS["model"]} {version}"
configure system interface pattern eth0
configure lldp portidsubtype local {THIS["lldp"]["port"]}
configure inventory manufacturer "{THIS["manufacturer"]}"
configure inventory model "{THIS["model"]}"
configure inventory serial-number "{THIS["serial"]}"
configure inventory software-revision "{version}"
"""
)
words = ["lldpd", "-d", "-M", "3", "-u", str(Path("lldpd.socket").absolute()), "-O", "lldpd.conf"]
agent = subprocess.Popen(words)
time.sleep(4)
agent.terminate()
agent.wait()
