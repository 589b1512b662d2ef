"""Runs ReadyMedia, a UPnP media server, with the model and numbers that the device is described to have."""

import os
from pathlib import Path

from plan import THIS

folder = Path("media").absolute()
for inside in ("data", "log"):
    (folder / inside).mkdir(parents=True)
(folder / "minidlna.conf").write_text(
    f"""network_interface=eth0
port=8200
media_dir={folder}/data
db_dir={folder}
log_dir={folder}/log
friendly_name={THIS["name"]}
serial={THIS["serial"]}
model_name={THIS["model"]}
model_number={THIS["upnp"]["model_number"]}
uuid={THIS["upnp"]["device_uuid"]}
notify_interval=2
inotify=no
"""
)
os.execvp("minidlnad", ["minidlnad", "-S", "-f", str(folder / "minidlna.conf"), "-P", str(folder / "pid")])
