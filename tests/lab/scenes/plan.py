"""The hospital's description, for the scripts that run or configure the software of a device."""

import os
import tomllib
from pathlib import Path

HOSPITAL = tomllib.loads(Path(os.environ["WARDWATCH_HOSPITAL"]).read_text())
SITE = HOSPITAL["hospital"]
DEVICES = {device["name"]: device for device in HOSPITAL["device"]}
PATIENTS = HOSPITAL.get("patient", [])

# The device that this script runs on.
THIS = DEVICES[os.environ["WARDWATCH_DEVICE"]]


def seen_in(area):
    """The devices that take part in a capture."""
    return [device for device in DEVICES.values() if area in device["captures"]]


def behind(device):
    """The devices that another one speaks for."""
    return [child for child in DEVICES.values() if child.get("behind") == device["name"]]


def credential(device):
    """The invented secret that a device sends."""
    return next(c for c in HOSPITAL["credential"] if c["device"] == device["name"])
