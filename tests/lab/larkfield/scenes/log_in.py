"""Gets a ticket from a Kerberos key distribution centre: once with a wrong password, then with the right one."""

import os
import subprocess
import sys
from pathlib import Path

from kerberos import write_configuration
from plan import DEVICES, THIS, credential

centre = DEVICES[sys.argv[1]]
login = credential(THIS)
os.environ["KRB5_CONFIG"] = str(write_configuration(centre))
os.environ["KRB5CCNAME"] = f"FILE:{Path('tickets').absolute()}"
for password, status in (("wrong", 1), (login["secret"], 0)):
    principal = f"{login['user']}@{centre['kerberos']['domain']}"
    asked = subprocess.run(["kinit", principal], input=password + "\n", text=True)
    if asked.returncode != status:
        sys.exit(f"kinit ended with {asked.returncode}")
