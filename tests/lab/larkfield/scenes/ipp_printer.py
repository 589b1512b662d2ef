"""An IPP printer, as CUPS' ippeveprinter plays it, announced by Avahi.

Avahi and the bus that it is spoken to by write into /run: this program has one of its own, which goes with it. The
printer insists on listening on IPv6, too: it has an address on the loopback for that.
"""

import os
import subprocess
import time
from pathlib import Path

from plan import THIS

subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
Path("/run/dbus").mkdir()
name = f"{THIS['host_name']}.local"
hosts = Path("hosts").absolute()
hosts.write_text(f"{THIS['ip']} {name}\nfd00:30::31 {name}\n127.0.0.1 localhost\n")
subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
subprocess.run(["sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=0"], check=True)
subprocess.run(["ip", "address", "add", "fd00:30::31/128", "dev", "lo"], check=True)
bus = Path("bus.conf").absolute()
bus.write_text(
    """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow send_type="method_call"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
"""
)
subprocess.run(["dbus-daemon", f"--config-file={bus}", "--fork", "--nopidfile"], check=True)
Path("avahi.conf").write_text(
    f"""[server]
host-name={THIS["host_name"]}
use-ipv6=no
allow-interfaces=eth0
[publish]
publish-workstation=no
publish-hinfo=no
"""
)
avahi = subprocess.Popen(["avahi-daemon", "--no-drop-root", "--no-chroot", "-f", str(Path("avahi.conf").absolute())])
time.sleep(2)
spool = Path("spool").absolute()
spool.mkdir()
os.execvp(
    "ippeveprinter",
    [
        "ippeveprinter",
        *("-d", str(spool), "-p", "631", "-n", name),
        *("-M", THIS["manufacturer"], "-m", THIS["model"], "-l", THIS["ipp"]["location"], "-f", "application/pdf"),
        f"{THIS['manufacturer']} {THIS['model']}",
    ],
)
