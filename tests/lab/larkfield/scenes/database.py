"""Runs MariaDB's server with the version that it is described to have, for one user."""

import os
import subprocess
from pathlib import Path

from plan import DEVICES, THIS

login = DEVICES["analyser-1"]["database"]
data = Path("database").absolute()
subprocess.run(
    ["mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db", f"--datadir={data}"],
    check=True,
    stdout=subprocess.DEVNULL,
)
users = Path("users.sql").absolute()
users.write_text(f"CREATE USER '{login['user']}'@'%' IDENTIFIED BY '{login['password']}';\n")
options = {
    "user": "root",
    "datadir": data,
    "socket": data / "socket",
    "init-file": users,
    "bind-address": THIS["ip"],
    "version": THIS["mysql"]["software_version"] + "-MariaDB",
    "innodb-buffer-pool-size": "8M",
}
os.execvp("mariadbd", ["mariadbd", "--no-defaults", *(f"--{name}={value}" for name, value in options.items())])
