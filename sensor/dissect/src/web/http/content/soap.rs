//! What devices answer in SOAP (1.1, 1.2) about themselves: DPWS metadata (DPWS 1.1, 5), the description of a medical
//! device (ISO/IEEE 11073-10207, SDC), `GetDeviceInformation` of cameras (ONVIF Device Management), and the identity
//! of WS-Management (DSP0226, 11).
//!
//! All of it describes the sender of the answer, save the devices behind a gateway, which are third ones, told apart by
//! their serial numbers. Of a medical device only what identifies it is read: no contexts (a
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
    ("531973", Attribute::PartNumber),
    ("531974", Attribute::HardwareVersion),
    ("531975", Attribute::SoftwareVersion),
    ("531976", Attribute::FirmwareVersion),
];

/// Systems of one description that are looked at, and specifications of each.
const MOST_SYSTEMS: usize = 32;
const MOST_SPECIFICATIONS: usize = 16;

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
            "GetMdibResponse" => medical_devices(answer.at(&["Mdib", "MdDescription"]), &mut facts),
            "GetMdDescriptionResponse" => medical_devices(answer.child("MdDescription"), &mut facts),
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

/// The medical device systems that are described. Where there are several, the sender is a gateway to them.
fn medical_devices(description: Option<&Element>, facts: &mut Facts<'_>) {
    let systems = description.into_iter().flat_map(|description| description.all("Mds"));
    let systems: Vec<&Element> = systems.take(MOST_SYSTEMS).collect();
    for system in &systems {
        let said = system_identity(system);
        if systems.len() == 1 {
            for (attribute, value) in &said {
                facts.of_sender(*attribute, value);
            }
        } else {
            third(&said, facts);
        }
    }
}

/// States what was said of a third device, if it has a serial number.
fn third(said: &[(Attribute, String)], facts: &mut Facts<'_>) {
    let value = |attribute| {
        let found = said.iter().find(|(of, _)| *of == attribute);
        (attribute, found.map(|(_, value)| value.as_str()).unwrap_or_default())
    };
    let serial = value(Attribute::SerialNumber);
    if Facts::third_key("serial", &[serial]).is_empty() {
        return;
    }
    let key = Facts::third_key("serial", &[value(Attribute::Manufacturer), value(Attribute::Model), serial]);
    for (attribute, value) in said {
        facts.of_third(&key, *attribute, value);
    }
}

fn system_identity(system: &Element) -> Vec<(Attribute, String)> {
    let mut said = Vec::new();
    let mut say = |attribute, value: &str| {
        if !value.is_empty() {
            said.push((attribute, value.to_owned()));
        }
    };
    for (way, attribute) in MEDICAL_DEVICE {
        say(*attribute, system.text(way));
    }
    say(
        Attribute::ManufactureDate,
        system.text(&["MetaData", "ManufactureDate"]).get(..10).unwrap_or_default(),
    );
    let declared = system.text(&["MetaData", "Udi", "DeviceIdentifier"]);
    let printed = system.text(&["MetaData", "Udi", "HumanReadableForm"]);
    if let Some(udi) = Udi::read(declared).or_else(|| Udi::read(printed)) {
        say(Attribute::UdiDi, &udi.device);
    }
    said.extend(specifications(system));
    said
}

fn specifications(system: &Element) -> Vec<(Attribute, String)> {
    let specifications = system.all("ProductionSpecification").take(MOST_SPECIFICATIONS);
    let said = specifications.filter_map(|specification| {
        let code = specification.text(&["SpecType", "Code"]);
        let value = specification.text(&["ProductionSpec"]);
        let known = SPECIFICATIONS.iter().find(|(known, _)| *known == code && !value.is_empty());
        known.map(|(_, attribute)| (*attribute, value.to_owned()))
    });
    said.collect()
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
