"""Runs TigerVNC's server: a screen that anybody may look at."""

import os

os.execvp("Xtigervnc", ["Xtigervnc", ":77", "-rfbport", "5900", "-SecurityTypes", "None", "-localhost=0"])
