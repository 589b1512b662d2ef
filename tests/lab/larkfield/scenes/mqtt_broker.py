"""Runs mosquitto for one user."""

import os
import subprocess
from pathlib import Path

from plan import DEVICES, THIS, credential

login = credential(DEVICES["bed-1"])
passwords = Path("passwords").absolute()
subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), login["user"], login["secret"]], check=True)
Path("mosquitto.conf").write_text(
    f"""listener 1883 {THIS["ip"]}
password_file {passwords}
user root
persistence false
"""
)
os.execvp("mosquitto", ["mosquitto", "-c", "mosquitto.conf"])
