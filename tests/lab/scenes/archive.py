"""Runs Orthanc as the image archive, with the hospital's devices as its known peers."""

import json
import os
from pathlib import Path

from plan import THIS, seen_in

peers = {
    device["name"]: [device["dicom"]["ae_title"], device["ip"], device["dicom"].get("port", 104)]
    for device in seen_in("radiology")
    if "dicom" in device and device is not THIS
}
Path("orthanc.json").write_text(
    json.dumps(
        {
            "Name": THIS["host_name"],
            "StorageDirectory": "archive",
            "IndexDirectory": "archive",
            "DicomAet": THIS["dicom"]["ae_title"],
            "DicomPort": THIS["dicom"]["port"],
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": peers,
            "HttpServerEnabled": False,
            "Plugins": [],
        }
    )
)
os.execvp("Orthanc", ["Orthanc", "orthanc.json"])
