"""Runs DCMTK's worklist server with one entry for each scanner."""

import os
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from examinations import SCANNERS, worklist_entry
from plan import THIS

title, port = THIS["dicom"]["ae_title"], THIS["dicom"]["port"]
folder = Path("worklist", title)
folder.mkdir(parents=True)
# The server reads no entry from a folder without this.
(folder / "lockfile").touch()
for scanner in SCANNERS:
    entry = worklist_entry(scanner)
    entry.file_meta = FileMetaDataset()
    entry.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    entry.preamble = bytes(128)
    # Not enforced: a worklist file has the UIDs of no storage object.
    dcmwrite(folder / f"{scanner['name']}.wl", entry, enforce_file_format=False)
os.execvp("wlmscpfs", ["wlmscpfs", "--data-files-path", "worklist", str(port)])
