"""What the scanners do today: one examination each, of an invented patient."""

import math
import struct
from datetime import datetime, timezone

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from plan import PATIENTS, SITE, seen_in

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
}
PROCEDURES = {"CT": "CT head", "MR": "MR knee", "US": "Echocardiogram", "CR": "Hand, two views"}
SCANNERS = [device for device in seen_in("radiology") if "modality" in device.get("dicom", {})]
NOW = datetime.now(timezone.utc)


def _number(scanner):
    return [device["name"] for device in SCANNERS].index(scanner["name"])


def patient_of(scanner):
    return PATIENTS[_number(scanner)]


def study_uid(scanner):
    return f"2.25.{101 + _number(scanner)}"


def _about_the_patient(dataset, scanner):
    patient = patient_of(scanner)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.AccessionNumber = f"A26-{4400 + _number(scanner)}"
    dataset.PatientName = f"{patient['family']}^{patient['given']}"
    dataset.PatientID = patient["id"]
    dataset.PatientBirthDate = patient["born"]
    dataset.PatientSex = patient["sex"]
    dataset.StudyInstanceUID = study_uid(scanner)


def worklist_entry(scanner):
    """What the worklist server answers for a scanner."""
    dicom = scanner["dicom"]
    entry = Dataset()
    _about_the_patient(entry, scanner)
    entry.RequestedProcedureID = f"RP{_number(scanner) + 1}"
    entry.RequestedProcedureDescription = PROCEDURES[dicom["modality"]]
    step = Dataset()
    step.Modality = dicom["modality"]
    step.ScheduledStationAETitle = dicom["ae_title"]
    step.ScheduledProcedureStepStartDate = NOW.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = NOW.strftime("%H%M%S")
    step.ScheduledProcedureStepDescription = PROCEDURES[dicom["modality"]]
    step.ScheduledProcedureStepID = f"SPS{_number(scanner) + 1}"
    entry.ScheduledProcedureStepSequence = Sequence([step])
    return entry


def _udi(scanner):
    udi = Dataset()
    udi.UniqueDeviceIdentifier = scanner["udi"]
    udi.DeviceDescription = f"{scanner['manufacturer']} {scanner['model']}"
    return udi


def _pixels(dataset, size=64):
    """A round shadow: a picture that anybody may see."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = size
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    middle = (size - 1) / 2
    values = [
        max(0, 2000 - int(60 * math.hypot(x - middle, y - middle))) for y in range(size) for x in range(size)
    ]
    dataset.PixelData = struct.pack(f"<{len(values)}H", *values)
    dataset["PixelData"].VR = "OW"


def image(scanner, number):
    """One image, with all that the scanner says about itself (PS3.3 C.7.5.1 and around)."""
    dicom = scanner["dicom"]
    dataset = Dataset()
    _about_the_patient(dataset, scanner)
    dataset.SOPClassUID = CLASSES[dicom["modality"]]
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.SeriesInstanceUID = f"{study_uid(scanner)}.1"
    dataset.StudyID = "1"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.StudyDate = dataset.ContentDate = NOW.strftime("%Y%m%d")
    dataset.StudyTime = dataset.ContentTime = NOW.strftime("%H%M%S")
    dataset.ReferringPhysicianName = "Fernsby^Isolde"
    dataset.OperatorsName = "Larkspur^Edmund"
    dataset.StudyDescription = PROCEDURES[dicom["modality"]]
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Modality = dicom["modality"]

    dataset.Manufacturer = scanner["manufacturer"]
    dataset.ManufacturerModelName = scanner["model"]
    dataset.StationName = dicom["station"]
    dataset.DeviceSerialNumber = scanner["serial"]
    dataset.SoftwareVersions = scanner["versions"]
    dataset.InstitutionName = SITE["name"]
    dataset.InstitutionalDepartmentName = scanner["department"]
    if "udi" in scanner:
        dataset.UDISequence = Sequence([_udi(scanner)])
    if "calibrated" in dicom:
        dataset.DateOfLastCalibration = dicom["calibrated"]
    _pixels(dataset)

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset
