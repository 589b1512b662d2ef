"""Reads a file from a share with smbclient, as a user whom the server does not know and takes for a guest."""

import subprocess
import sys

from plan import DEVICES, THIS, credential
from samba import write_configuration

server = DEVICES[sys.argv[1]]
login = credential(THIS)
subprocess.run(
    [
        "smbclient",
        f"--configfile={write_configuration('client')}",
        f"--user={login['user']}%{login['secret']}",
        "--command=get rota.txt -",
        f"//{server['ip']}/rota",
    ],
    check=True,
)
