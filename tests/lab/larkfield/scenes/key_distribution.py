"""Runs MIT Kerberos' key distribution centre with one user."""

import os
import subprocess
from pathlib import Path

from kerberos import write_configuration
from plan import DEVICES, THIS, credential

realm = THIS["kerberos"]["domain"]
user = credential(DEVICES["desk-1"])
os.environ["KRB5_CONFIG"] = str(write_configuration(THIS))
folder = Path("kdc").absolute()
folder.mkdir()
(folder / "kdc.conf").write_text(
    f"""[kdcdefaults]
kdc_listen = {THIS["ip"]}:88
kdc_tcp_listen = {THIS["ip"]}:88
[realms]
{realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
}}
"""
)
os.environ["KRB5_KDC_PROFILE"] = str(folder / "kdc.conf")
subprocess.run(["kdb5_util", "create", "-s", "-r", realm, "-P", "master"], check=True)
added = f"add_principal +requires_preauth -pw {user['secret']} {user['user']}"
subprocess.run(["kadmin.local", "-r", realm, "-q", added], check=True)
os.execvp("krb5kdc", ["krb5kdc", "-n", "-r", realm, "-P", str(folder / "pid")])
