"""Visits a page with the requests library; where it is asked for a password, with the device's invented one."""

import sys
import warnings

import requests

from plan import HOSPITAL, THIS, credential

warnings.simplefilter("ignore")
page = requests.get(sys.argv[1], verify=False, timeout=10)
if page.status_code == 401 and any(c["device"] == THIS["name"] for c in HOSPITAL["credential"]):
    login = credential(THIS)
    page = requests.get(sys.argv[1], auth=(login["user"], login["secret"]), verify=False, timeout=10)
page.raise_for_status()
