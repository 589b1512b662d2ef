"""Runs TigerVNC's server: a screen that anybody may look at, under the name of its machine."""

import os

from plan import THIS

os.execvp("Xtigervnc", ["Xtigervnc", ":77", "-rfbport", "5900", "-SecurityTypes", "None", "-localhost=0", "-desktop", THIS["host_name"]])
