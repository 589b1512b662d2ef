"""The configuration of Samba for a device: everything that it writes goes into the play's folder."""

from pathlib import Path

from plan import SITE, THIS


def write_configuration(name):
    folder = Path(f"samba-{name}").absolute()
    folder.mkdir()
    share = folder / "share"
    share.mkdir()
    (share / "rota.txt").write_text("Rota of this week\n")
    kept = []
    for setting in ("lock directory", "state directory", "cache directory", "pid directory", "private dir", "ncalrpc dir"):
        kind = folder / setting.split()[0]
        kind.mkdir()
        kept.append(f"{setting} = {kind}")
    prefix = SITE["network"].split("/")[1]
    configuration = folder / "smb.conf"
    configuration.write_text(
        f"""[global]
workgroup = {THIS.get("smb", {}).get("domain", "LARKFIELD")}
netbios name = {THIS["host_name"]}
server string = Samba
interfaces = {THIS["ip"]}/{prefix}
bind interfaces only = yes
server role = standalone server
map to guest = Bad User
load printers = no
disable spoolss = yes
log file = {folder}/log
{chr(10).join(kept)}
[rota]
path = {share}
guest ok = yes
"""
    )
    return configuration
