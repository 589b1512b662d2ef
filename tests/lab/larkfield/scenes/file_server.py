"""Runs Samba's file server with a share for guests."""

import os

from samba import write_configuration

os.execvp("smbd", ["smbd", "--foreground", "--no-process-group", f"--configfile={write_configuration('smbd')}"])
