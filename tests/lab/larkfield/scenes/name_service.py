"""Runs Samba's NetBIOS name service."""

import os

from samba import write_configuration

os.execvp("nmbd", ["nmbd", "--foreground", "--no-process-group", f"--configfile={write_configuration('nmbd')}"])
