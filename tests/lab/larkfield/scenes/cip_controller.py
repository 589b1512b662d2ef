"""A controller of EtherNet/IP, as cpppo simulates it, with the identity that the device is described to have."""

import sys
from pathlib import Path

from cpppo.server.enip.device import Object
from cpppo.server.enip.main import main

from plan import THIS

cip = THIS["cip"]
major, minor = (int(number) for number in THIS["versions"][0].split("."))
Path("cpppo.cfg").write_text(
    f"""[Identity]
Vendor Number = {cip["cip_vendor_id"]}
Device Type = {cip["cip_device_type"]}
Product Code Number = {cip["cip_product_code"]}
Product Revision = {minor << 8 | major}
Serial Number = {int(THIS["serial"], 16)}
Product Name = {THIS["model"]}
"""
)
Object.config_loader.read("cpppo.cfg")
sys.exit(main(["--address", f"{THIS['ip']}:44818", "Pressure=INT[4]"]))
