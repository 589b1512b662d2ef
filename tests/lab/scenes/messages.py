"""The messages of each feed, as HL7 v2 text.

Pumps and monitors report by IHE PCD-01 (Device Enterprise Communication): the device is the containment 1.0.0.0, its
identity is in OBX-18, and the codes are those of ISO/IEEE 11073-10101.
"""

import itertools
from datetime import datetime, timezone

from plan import PATIENTS, THIS, behind

PCD_01 = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
_control = itertools.count(1)


def now():
    return datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S+0000")


def segment(name, fields):
    """A segment from {field number: value}."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def header(kind, version="2.6", profile=None):
    mine = THIS["hl7"]
    control = f"{now()[:14]}{next(_control):04}"
    fields = ["MSH|^~\\&", mine["application"], mine["facility"], "TARNENGINE", "TARNWICK", now(), "", kind, control]
    fields += ["P", version, "", "", "AL", "NE", "", "UNICODE UTF-8"]
    if profile:
        fields += ["", "", profile]
    return "|".join(fields)


def about(patient, where):
    return [
        f"PID|1||{patient['id']}^^^TARNWICK^MR||{patient['family']}^{patient['given']}^^^^^L||{patient['born']}|{patient['sex']}",
        f"PV1|1|I|{where}",
    ]


def software(vendor, version, product):
    return segment("SFT", {1: vendor, 2: version, 3: product, 4: "1"})


def message(*segments):
    return "\r".join(segments) + "\r"


# Admissions


def admissions():
    """ADT: people come and go; no device is in these."""
    for patient, event, where in zip(PATIENTS, ("A01", "A01", "A04", "A03"), ("ICU^^ICU-04", "ICU^^ICU-07", "OPD", "W3^12^2")):
        yield message(
            header(f"ADT^{event}^ADT_{'A03' if event == 'A03' else 'A01'}", "2.5.1"),
            software(THIS["manufacturer"], THIS["versions"][0], THIS["model"]),
            f"EVN||{now()}",
            *about(patient, where),
        )


# Devices behind a gateway


def _specification(device, software_code):
    """What a device says of itself, as observations on 1.0.0.0."""
    yield "ST", "531970^MDC_ID_MODEL_MANUFACTURER^MDC", device["manufacturer"]
    yield "ST", "531969^MDC_ID_MODEL_NUMBER^MDC", device["model"]
    yield "ST", "531972^MDC_ID_PROD_SPEC_SERIAL^MDC", device["serial"]
    yield "ST", software_code, device["versions"][0]


def _report(device, patient, kind, rows):
    """A PCD-01 message: `kind` is the device's type, `rows` are (value type, code, containment, value, unit)."""
    equipment = f"{device['serial']}^^{device['eui64']}^EUI-64"
    order = f"{next(_control)}^{THIS['hl7']['facility']}"
    observations = [segment("OBX", {1: "1", 3: kind, 4: "1.0.0.0", 11: "X", 14: now(), 18: equipment})]
    for number, (value_type, code, containment, value, unit) in enumerate(rows, start=2):
        fields = {1: str(number), 2: value_type, 3: code, 4: containment, 5: value, 6: unit, 11: "R", 14: now()}
        observations.append(segment("OBX", fields))
    return message(
        header("ORU^R01^ORU_R01", profile=PCD_01),
        *about(patient, device["location"]),
        segment("OBR", {1: "1", 2: order, 3: f"{device['eui64']}^^{device['eui64']}^EUI-64", 4: kind, 7: now()}),
        *observations,
    )


def _on_device(specification):
    return [(value_type, code, "1.0.0.0", value, "") for value_type, code, value in specification]


def pumps():
    firmware = "531976^MDC_ID_PROD_SPEC_FW^MDC"
    for device, patient in zip(behind(THIS), PATIENTS):
        pump = device["pump"]
        yield _report(
            device,
            patient,
            pump["class"],
            [
                *_on_device(_specification(device, firmware)),
                ("ST", "184504^MDC_PUMP_MODE^MDC", "1.1.1.101", "pump-mode-continuous", ""),
                ("NM", "157784^MDC_FLOW_FLUID_PUMP^MDC", "1.1.1.102", pump["rate"], "265266^MDC_DIM_MILLI_L_PER_HR^MDC"),
                ("ST", "184514^MDC_DRUG_NAME_TYPE^MDC", "1.1.1.103", pump["drug"], ""),
            ],
        )


def monitors():
    software_version = "531975^MDC_ID_PROD_SPEC_SW^MDC"
    kind = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
    for device, patient, (rate, saturation) in zip(behind(THIS), PATIENTS, ((84, 97), (71, 99))):
        yield _report(
            device,
            patient,
            kind,
            [
                *_on_device(_specification(device, software_version)),
                ("NM", "147842^MDC_ECG_HEART_RATE^MDC", "1.7.4.147842", str(rate), "264864^MDC_DIM_BEAT_PER_MIN^MDC"),
                ("NM", "150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.3.1.150456", str(saturation), "262688^MDC_DIM_PERCENT^MDC"),
            ],
        )


# Laboratory


def laboratory():
    """An analyser reports its state, then a result."""
    mine = THIS["hl7"]
    equipment = f"{THIS['model']}^{THIS['manufacturer']}~{THIS['model']}.{THIS['serial']}^{THIS['manufacturer']}"
    sent_by = software(THIS["manufacturer"], THIS["versions"][0], mine["software"])
    yield message(
        header("ESU^U01^ESU_U01", "2.5.1"),
        sent_by,
        segment("EQU", {1: f"{THIS['serial']}^{THIS['model']}", 2: now(), 3: "OP^Normal Operation^HL70365"}),
    )
    yield message(
        header("OUL^R22^OUL_R22", "2.5.1"),
        sent_by,
        about(PATIENTS[3], "W3^12^2")[0],
        segment("SPM", {1: "1", 2: "S26-3307", 4: "SERPLAS^^HL70487"}),
        segment("OBR", {1: "1", 2: "L26-3307", 4: "2951-2^Sodium^LN", 7: now()}),
        segment(
            "OBX",
            {1: "1", 2: "NM", 3: "2951-2^Sodium^LN", 5: "139", 6: "mmol/L", 11: "F", 14: now(), 18: equipment},
        ),
    )


FEEDS = {"admissions": admissions, "pumps": pumps, "monitors": monitors, "laboratory": laboratory}
