"""Logs in to a database with MariaDB's client, first with a wrong password."""

import subprocess
import sys

from plan import DEVICES, THIS

login = THIS["database"]
server = ("-h", DEVICES[sys.argv[1]]["ip"], "-u", login["user"])
refused = subprocess.run(["mariadb", "--no-defaults", "--skip-ssl", *server, "-pwrong", "-e", "SELECT 1"])
if refused.returncode != 1:
    sys.exit("the server let a stranger in")
subprocess.run(
    ["mariadb", "--no-defaults", "--skip-ssl", *server, f"-p{login['password']}", "-e", "SELECT 1"], check=True
)
