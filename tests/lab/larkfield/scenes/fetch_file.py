"""Fetches a file by FTP, first with a password that the server does not know, then as anybody."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

login = credential(THIS)
url = f"ftp://{DEVICES[sys.argv[1]]['ip']}/notice.txt"
refused = subprocess.run(["curl", "-sS", "--user", f"{login['user']}:{login['secret']}", url])
if refused.returncode != 67:
    sys.exit("the server let a stranger in")
subprocess.run(["curl", "-sS", "--fail", url], check=True)
