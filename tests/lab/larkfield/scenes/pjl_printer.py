"""A printer that answers in PJL, as pjlpot plays it."""

import os
import subprocess
import sys
from pathlib import Path

pjlpot = Path(sys.executable).with_name("pjlpot")
folder = Path("printer").absolute()
subprocess.run([pjlpot, "init", folder], check=True)
settings = folder / "etc" / "honeypot.cfg"
settings.write_text("[honeypot]\npublic_ip_url = file:///dev/null\n")
os.execv(pjlpot, [pjlpot, "--workdir", folder, "run"])
