"""Announces a device's service by multicast DNS (RFC 6762, 6763)."""

import socket
import time

from zeroconf import IPVersion, ServiceInfo, Zeroconf

from plan import THIS

mdns = THIS["mdns"]
if mdns["service"].startswith("_ipp"):
    about = {
        "txtvers": "1",
        "ty": THIS["model"],
        "product": f"({THIS['model']})",
        "usb_MFG": THIS["manufacturer"],
        "usb_MDL": THIS["model"].removeprefix(THIS["manufacturer"] + " "),
        "note": THIS["location"],
        "adminurl": f"http://{THIS['host_name']}.local./",
    }
    instance = f"{THIS['model']} ({THIS['serial'][-6:]})"
else:
    about = {"macaddress": THIS["serial"]}
    instance = f"{THIS['model']} - {THIS['serial']}"
running = Zeroconf(interfaces=[THIS["ip"]], ip_version=IPVersion.V4Only)
running.register_service(
    ServiceInfo(
        mdns["service"],
        f"{instance}.{mdns['service']}",
        addresses=[socket.inet_aton(THIS["ip"])],
        port=mdns["port"],
        properties=about,
        server=f"{THIS['host_name']}.local.",
    )
)
while True:
    time.sleep(60)
