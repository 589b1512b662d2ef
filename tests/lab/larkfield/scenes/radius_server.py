"""Runs FreeRADIUS with one user and one access point."""

import os
from pathlib import Path

from plan import DEVICES, THIS, credential

login = credential(DEVICES["switch-1"])
folder = Path("radius").absolute()
folder.mkdir()
(folder / "users").write_text(f'{login["user"]} Cleartext-Password := "{login["secret"]}"\n')
(folder / "radiusd.conf").write_text(
    f"""name = radiusd
run_dir = {folder}
db_dir = {folder}
libdir = /usr/lib/freeradius
pidfile = {folder}/pid
log {{
    destination = stdout
}}
security {{
    allow_core_dumps = no
}}
modules {{
    pap {{
    }}
    files {{
        usersfile = {folder}/users
    }}
}}
client access-point {{
    ipaddr = {DEVICES["access-point-1"]["ip"]}
    secret = {login["secret"]}
}}
server default {{
    listen {{
        type = auth
        ipaddr = {THIS["ip"]}
        port = 1812
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
}}
"""
)
os.execvp("freeradius", ["freeradius", "-f", "-l", "stdout", "-d", str(folder), "-n", "radiusd"])
