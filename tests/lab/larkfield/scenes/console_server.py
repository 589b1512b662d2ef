"""Runs telnetd of GNU's inetutils behind its inetd; it asks for a name and a password and lets nobody in."""

import os
from pathlib import Path

Path("inetd.conf").write_text("23 stream tcp nowait root /usr/sbin/telnetd telnetd\n")
os.execvp("inetutils-inetd", ["inetutils-inetd", "--debug", "inetd.conf"])
