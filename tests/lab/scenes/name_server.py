"""Runs dnsmasq as the hospital's DNS and DHCP server."""

import os
from pathlib import Path

from plan import DEVICES, SITE, THIS

domain = SITE["domain"]
lines = [
    "no-daemon",
    "no-resolv",
    "no-hosts",
    "user=root",
    "interface=eth0",
    "bind-interfaces",
    # Devices are not asked whether an address is free: the answers come at once.
    "no-ping",
    "dhcp-authoritative",
    "dhcp-leasefile=leases",
    f"domain={domain}",
    f"local=/{domain}/",
    "dhcp-range=10.20.0.0,static,255.255.0.0,8h",
    f"dhcp-option=option:dns-server,{THIS['ip']}",
    "dhcp-option=option:router",
]
for device in DEVICES.values():
    if "dhcp" in device:
        lines.append(f"dhcp-host={device['mac']},{device['ip']},{device['host_name']}")
    elif "host_name" in device:
        lines.append(f"host-record={device['host_name']}.{domain},{device['ip']}")
Path("dnsmasq.conf").write_text("\n".join(lines) + "\n")
os.execvp("dnsmasq", ["dnsmasq", "--conf-file=dnsmasq.conf"])
