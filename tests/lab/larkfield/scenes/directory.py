"""Runs OpenLDAP's server with an empty directory and one administrator."""

import os
from pathlib import Path

from plan import DEVICES, THIS, credential

user = credential(DEVICES["desk-1"])
suffix = THIS["ldap"]["suffix"]
folder = Path("ldap").absolute()
folder.mkdir()
(folder / "data").mkdir()
(folder / "slapd.conf").write_text(
    f"""include /etc/ldap/schema/core.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{suffix}"
rootdn "cn={user['user']},{suffix}"
rootpw {user['secret']}
directory {folder}/data
"""
)
os.execvp("slapd", ["slapd", "-d", "0", "-h", f"ldap://{THIS['ip']}:389/", "-f", str(folder / "slapd.conf")])
