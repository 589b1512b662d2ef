"""Gets an address by DHCP, with the client and the words that the device is described to use."""

import os
import subprocess
import sys
from pathlib import Path

from plan import THIS

dhcp, name = THIS["dhcp"], THIS["host_name"]
lease = Path(f"lease-{THIS['name']}.sh").absolute()
# Both clients call it: dhclient with variables of its own, udhcpc with the event as the argument.
lease.write_text(
    """#!/bin/sh
case "$reason$1" in
BOUND|bound)
    ip address add "${new_ip_address:-$ip}/${new_subnet_mask:-$subnet}" broadcast + dev eth0
    ip route add 224.0.0.0/4 dev eth0 ;;
esac
"""
)
lease.chmod(0o755)
# What a device asks for unless it is described to ask for something else.
request = dhcp.get("request", [1, 3, 6, 12, 15, 28, 42])
vendor = dhcp.get("vendor_class")

if dhcp["client"] == "udhcpc":
    words = ["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-s", str(lease), "-x", f"hostname:{name}", "-o"]
    words += [word for option in request for word in ("-O", str(option))]
    words += ["-V", vendor] if vendor else []
    os.execvp(words[0], words)
else:
    # Options that dhclient has no name for get one; those that it has are known by number only in its manual.
    known = {
        1: "subnet-mask", 2: "time-offset", 3: "routers", 6: "domain-name-servers", 12: "host-name",
        15: "domain-name", 26: "interface-mtu", 28: "broadcast-address", 31: "router-discovery",
        33: "static-routes", 42: "ntp-servers", 43: "vendor-encapsulated-options", 44: "netbios-name-servers",
        46: "netbios-node-type", 47: "netbios-scope", 119: "domain-search",
    }  # fmt: skip
    configuration = [
        f"option option-{option} code {option} = string;" for option in request if option not in known
    ]
    configuration.append(f'send host-name "{name}";')
    if vendor:
        configuration.append(f'send vendor-class-identifier "{vendor}";')
    configuration.append(f"request {', '.join(known.get(option, f'option-{option}') for option in request)};")
    Path("dhclient.conf").write_text("\n".join(configuration) + "\n")
    # It must be there, if empty.
    Path(f"{THIS['name']}.leases").touch()
    words = ["dhclient", "-1", "-d", "-cf", "dhclient.conf", "-lf", f"{THIS['name']}.leases", "-pf"]
    words += [f"{THIS['name']}.pid", "-sf", str(lease), "eth0"]
    # It would stay to renew the lease.
    client = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    bound = any("bound to" in line for line in client.stderr)
    client.kill()
    client.wait()
    sys.exit(not bound)
