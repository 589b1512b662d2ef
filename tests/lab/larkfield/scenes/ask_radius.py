"""An access point asks whether a user may join, with FreeRADIUS' client: with a wrong password, then with the right one."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

login = credential(DEVICES["switch-1"])
radio = THIS["radius"]
station = radio["wlan_bssid"].upper().replace(":", "-")
for password, status in (("wrong", 1), (login["secret"], 0)):
    request = f"""User-Name = "{login["user"]}"
User-Password = "{password}"
NAS-IP-Address = {THIS["ip"]}
NAS-Port-Type = Wireless-802.11
Called-Station-Id = "{station}:{radio["wlan_name"]}"
Calling-Station-Id = "00-11-22-33-44-55"
"""
    asked = subprocess.run(
        ["radclient", "-x", "-t", "3", f"{DEVICES[sys.argv[1]]['ip']}:1812", "auth", login["secret"]],
        input=request,
        text=True,
    )
    if asked.returncode != status:
        sys.exit(f"radclient ended with {asked.returncode}")
