"""A scanner: asks for its worklist and sends images, as pynetdicom does; or only writes them for another sender."""

import sys
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, debug_logger
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import ModalityWorklistInformationFind, Verification

from examinations import CLASSES, image
from plan import DEVICES, HOSPITAL, THIS, credential

IMAGES = 2
# For the log that is shown when the recording fails.
debug_logger()


def associate(peer, classes, negotiate=()):
    dicom = THIS["dicom"]
    entity = AE(ae_title=dicom["ae_title"])
    entity.implementation_class_uid = UID(dicom["implementation_uid"])
    entity.implementation_version_name = dicom["implementation_version"]
    for sop_class in classes:
        entity.add_requested_context(sop_class)
    to = DEVICES[peer]
    association = entity.associate(
        to["ip"], to["dicom"]["port"], ae_title=to["dicom"]["ae_title"], ext_neg=list(negotiate)
    )
    if not association.is_established:
        sys.exit(f"no association with {peer}")
    return association


def ask_for_work():
    query = Dataset()
    query.PatientName = ""
    query.PatientID = ""
    query.AccessionNumber = ""
    query.StudyInstanceUID = ""
    step = Dataset()
    step.Modality = THIS["dicom"]["modality"]
    step.ScheduledStationAETitle = THIS["dicom"]["ae_title"]
    step.ScheduledProcedureStepStartDate = ""
    step.ScheduledProcedureStepStartTime = ""
    step.ScheduledProcedureStepID = ""
    query.ScheduledProcedureStepSequence = [step]
    association = associate("ris-1", [ModalityWorklistInformationFind])
    answers = list(association.send_c_find(query, ModalityWorklistInformationFind))
    association.release()
    if not any(status and status.Status == 0xFF00 for status, _ in answers):
        sys.exit(f"the worklist has nothing for {THIS['name']}")


def identity():
    """A user's name and password in clear (PS3.7 D.3.3.7), where the description has them."""
    if not any(c["device"] == THIS["name"] for c in HOSPITAL["credential"]):
        return []
    item = UserIdentityNegotiation()
    item.user_identity_type = 2
    item.primary_field = credential(THIS)["user"].encode()
    item.secondary_field = credential(THIS)["secret"].encode()
    return [item]


def send():
    association = associate("pacs-1", [Verification, CLASSES[THIS["dicom"]["modality"]]], identity())
    association.send_c_echo()
    for number in range(1, IMAGES + 1):
        status = association.send_c_store(image(THIS, number))
        if not status or status.Status != 0:
            sys.exit(f"image {number} was not stored: {status}")
    association.release()


def write(folder):
    Path(folder).mkdir()
    for number in range(1, IMAGES + 1):
        dcmwrite(Path(folder, f"{number}.dcm"), image(THIS, number), enforce_file_format=True)


match sys.argv[1:]:
    case ["examine"]:
        ask_for_work()
        send()
    case ["write", folder]:
        write(folder)
    case other:
        sys.exit(f"what is {other}?")
