//! What devices answer in SOAP (1.1, 1.2) about themselves: DPWS metadata (DPWS 1.1, 5), the description of a medical
//! device (ISO/IEEE 11073-10207, SDC), `GetDeviceInformation` of cameras (ONVIF Device Management), and the identity
//! of WS-Management (DSP0226, 11).
//!
//! All of it describes the sender of the answer. Of a medical device only what identifies it is read: no contexts (a
//! patient's, an operator's), no measurements, no names that people gave. That a patient's names or date of birth are
//! carried in clear is told, in answers and in what a device sends to its subscribers.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::{Described, Element, Reader};
use crate::Facts;
use crate::medical::udi::Udi;

pub(super) const READER: Reader = Reader {
    marks: &[
        "Metadata",
        "MdibResponse",
        "MdDescriptionResponse",
        "DeviceInformationResponse",
        "IdentifyResponse",
    ],
    is_mine,
    read,
};

/// Patients' contexts (ISO/IEEE 11073-10207, PatientDemographicsCoreData).
pub(super) const PATIENTS: Reader =
    Reader { marks: &["CoreData"], is_mine: has_patient, read: state_patient };

/// Elements of a patient's core data that tell who it is.
const OF_PATIENT: [&str; 5] = ["Givenname", "Middlename", "Familyname", "Birthname", "DateOfBirth"];

/// Where something stands, and what it is.
type Field = (&'static [&'static str], Attribute);

const METADATA: &[Field] = &[
    (&["ThisModel", "Manufacturer"], Attribute::Manufacturer),
    (&["ThisModel", "ModelName"], Attribute::Model),
    (&["ThisModel", "ModelNumber"], Attribute::ModelNumber),
    (&["ThisDevice", "FirmwareVersion"], Attribute::FirmwareVersion),
    (&["ThisDevice", "SerialNumber"], Attribute::SerialNumber),
];

const MEDICAL_DEVICE: &[Field] = &[
    (&["MetaData", "Manufacturer"], Attribute::Manufacturer),
    (&["MetaData", "ModelName"], Attribute::Model),
    (&["MetaData", "ModelNumber"], Attribute::ModelNumber),
    (&["MetaData", "SerialNumber"], Attribute::SerialNumber),
    (&["MetaData", "LotNumber"], Attribute::LotNumber),
];

const CAMERA: &[Field] = &[
    (&["Manufacturer"], Attribute::Manufacturer),
    (&["Model"], Attribute::Model),
    (&["FirmwareVersion"], Attribute::FirmwareVersion),
    (&["SerialNumber"], Attribute::SerialNumber),
    (&["HardwareId"], Attribute::HardwareVersion),
];

/// Codes of production specifications (ISO/IEEE 11073-10101).
const SPECIFICATIONS: &[(&str, Attribute)] = &[
    ("531972", Attribute::SerialNumber),
    ("531974", Attribute::HardwareVersion),
    ("531975", Attribute::SoftwareVersion),
    ("531976", Attribute::FirmwareVersion),
];

fn is_mine(described: &Described, root: &Element) -> bool {
    described.is_own_answer() && root.name == "Envelope"
}

fn read(_: &Described, root: &Element, facts: &mut Facts<'_>) {
    let mut facts = facts.within(Protocol::Soap);
    let answers = root.child("Body").map(|body| body.children.as_slice()).unwrap_or_default();
    for answer in answers {
        match answer.name.as_str() {
            "Metadata" => {
                for section in answer.all("MetadataSection") {
                    state(section, METADATA, &mut facts);
                }
            }
            "GetMdibResponse" => medical_device(answer.at(&["Mdib", "MdDescription"]), &mut facts),
            "GetMdDescriptionResponse" => medical_device(answer.child("MdDescription"), &mut facts),
            "GetDeviceInformationResponse" => state(answer, CAMERA, &mut facts),
            "IdentifyResponse" => managed_host(answer, &mut facts),
            _ => {}
        }
    }
}

fn has_patient(_: &Described, root: &Element) -> bool {
    fn is_told(element: &Element) -> bool {
        let is_named = || OF_PATIENT.iter().any(|name| !element.text(&[name]).is_empty());
        element.name == "CoreData" && is_named() || element.children.iter().any(is_told)
    }
    root.name == "Envelope" && is_told(root)
}

fn state_patient(_: &Described, _: &Element, facts: &mut Facts<'_>) {
    facts.within(Protocol::Soap).of_sender(Attribute::CleartextPatientData, "sdc-context");
}

fn state(element: &Element, fields: &[Field], facts: &mut Facts<'_>) {
    for (way, attribute) in fields {
        let value = element.text(way);
        if !value.is_empty() {
            facts.of_sender(*attribute, value);
        }
    }
}

/// The one medical device system that is described. Where there are several, the sender is a gateway to them.
fn medical_device(description: Option<&Element>, facts: &mut Facts<'_>) {
    let mut systems = description.into_iter().flat_map(|description| description.all("Mds"));
    let (Some(system), None) = (systems.next(), systems.next()) else { return };
    state(system, MEDICAL_DEVICE, facts);
    if let Some(day) = system.text(&["MetaData", "ManufactureDate"]).get(..10) {
        facts.of_sender(Attribute::ManufactureDate, day);
    }
    let declared = system.text(&["MetaData", "Udi", "DeviceIdentifier"]);
    let printed = system.text(&["MetaData", "Udi", "HumanReadableForm"]);
    if let Some(udi) = Udi::read(declared).or_else(|| Udi::read(printed)) {
        facts.of_sender(Attribute::UdiDi, &udi.device);
    }
    for specification in system.all("ProductionSpecification") {
        let code = specification.text(&["SpecType", "Code"]);
        let value = specification.text(&["ProductionSpec"]);
        if let Some((_, attribute)) = SPECIFICATIONS.iter().find(|(known, _)| *known == code) {
            facts.of_sender(*attribute, value);
        }
    }
}

/// `ProductVersion` of Windows: `OS: 10.0.20348 SP: 0.0 Stack: 3.0`. To strangers the system is said to be 0.0.0.
fn managed_host(answer: &Element, facts: &mut Facts<'_>) {
    let vendor = answer.text(&["ProductVendor"]);
    if !vendor.is_empty() {
        facts.of_sender(Attribute::SoftwareVendor, vendor);
    }
    let version = answer.text(&["ProductVersion"]);
    let system = version.strip_prefix("OS: ").and_then(|rest| rest.split(' ').next());
    if let Some(version) = system.filter(|version| *version != "0.0.0") {
        facts.of_sender(Attribute::OperatingSystemVersion, version);
    }
}
