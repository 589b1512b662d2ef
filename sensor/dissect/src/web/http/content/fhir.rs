//! Resources of FHIR (HL7 FHIR DSTU2 to R5, <https://hl7.org/fhir>), in JSON and XML.
//!
//! A CapabilityStatement describes the server. A Device is a third device, which the sender knows: it is told apart by its
//! serial number or UDI. That resources about patients are carried in clear is stated, and nothing out of them: not an
//! identifier, a name, a date, a note, a narrative or a reference.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::{Described, Element, Media, Reader};
use crate::Facts;
use crate::medical::udi::Udi;

pub(super) const READER: Reader = Reader { marks: &["resourceType", "http://hl7.org/fhir"], is_mine, read };

/// Resources that are looked at within others.
const MOST_RESOURCES: usize = 256;

/// The system of the codes of ISO/IEEE 11073-10101.
const MDC: &str = "urn:iso:std:iso:11073:10101";

/// A media type of FHIR's, or a resource without one: JSON that names its type, XML in FHIR's namespace.
fn is_mine(described: &Described, root: &Element) -> bool {
    match described.media {
        Some(Media::FhirJson | Media::FhirXml) => true,
        Some(Media::Json) => is_resource_type(root.text(&["resourceType"])),
        Some(Media::Xml) => root.text(&["xmlns"]) == "http://hl7.org/fhir",
        Some(Media::Soap | Media::Ipp) | None => false,
    }
}

fn is_resource_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn read(described: &Described, root: &Element, facts: &mut Facts<'_>) {
    let mut facts = facts.within(Protocol::Fhir);
    let mut found = Vec::new();
    collect(root, &mut found);
    for (kind, resource) in &found {
        match *kind {
            // Conformance in DSTU2.
            "CapabilityStatement" | "Conformance" if described.is_own_answer() => {
                server(resource, &mut facts);
            }
            "Device" => device(resource, &mut facts),
            _ => {}
        }
    }
    if found.iter().any(|(kind, resource)| is_about_patient(kind, resource)) {
        facts.of_sender(Attribute::CleartextPatientData, "fhir-resource");
    }
}

/// The type of a resource and its elements: of this one and of those within it.
fn collect<'a>(resource: &'a Element, found: &mut Vec<(&'a str, &'a Element)>) {
    // In JSON the type is a member; in XML it is the element's name, and a wrapper's only child.
    let wrapped = || resource.children.iter().find(|child| is_resource_type(&child.name));
    let (kind, resource) = if let Some(kind) = resource.child("resourceType") {
        (kind.value.as_str(), resource)
    } else {
        let is_wrapper = ["resource", "contained"].contains(&resource.name.as_str());
        let resource = is_wrapper.then(wrapped).flatten().unwrap_or(resource);
        (resource.name.as_str(), resource)
    };
    if found.len() >= MOST_RESOURCES {
        return;
    }
    found.push((kind, resource));
    let entries = resource.all("entry").filter(|_| kind == "Bundle").flat_map(|entry| entry.all("resource"));
    for inner in entries.chain(resource.all("contained")) {
        collect(inner, found);
    }
}

fn server(statement: &Element, facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "fhir-server");
    for (name, attribute) in [("name", Attribute::SoftwareName), ("version", Attribute::SoftwareVersion)] {
        let value = statement.text(&["software", name]);
        if !value.is_empty() {
            facts.of_sender(attribute, value);
        }
    }
}

fn device(device: &Element, facts: &mut Facts<'_>) {
    let udi = udi(device).unwrap_or_default();
    let own = device.text(&["serialNumber"]);
    let serial = if own.is_empty() { udi.serial.as_str() } else { own };
    let maker = device.text(&["manufacturer"]);
    let model = model(device);
    let named = [(Attribute::Manufacturer, maker), (Attribute::Model, model)];
    let serial = (Attribute::SerialNumber, serial);
    let key = if Facts::third_key("serial", &[serial]).is_empty() {
        // As HL7 v2 tells such devices apart.
        let [serial, unit] = [Attribute::SerialNumber, Attribute::EquipmentId].map(|name| (name, ""));
        Facts::third_key("udi", &[(Attribute::UdiDi, &udi.device), serial, unit])
    } else {
        let [maker, model] = named;
        Facts::third_key("serial", &[maker, model, serial])
    };
    if key.is_empty() {
        return;
    }
    let mut state = |attribute, value: &str| {
        if !value.is_empty() {
            facts.of_third(&key, attribute, value);
        }
    };
    for (attribute, value) in named {
        state(attribute, value);
    }
    let number = device.text(&["modelNumber"]);
    if number != model {
        state(Attribute::ModelNumber, number);
    }
    state(serial.0, serial.1);
    state(Attribute::UdiDi, &udi.device);
    let lot = device.text(&["lotNumber"]);
    state(Attribute::LotNumber, if lot.is_empty() { &udi.lot } else { lot });
    state(Attribute::ManufactureDate, device.text(&["manufactureDate"]).get(..10).unwrap_or_default());
    for version in device.all("version") {
        let value = if version.value.is_empty() { version.text(&["value"]) } else { version.value.trim() };
        state(version_kind(version), value);
    }
    for coding in device.all("type").flat_map(|kind| kind.all("coding")) {
        if coding.text(&["system"]) == MDC {
            state(Attribute::DeviceTypeCode, coding.text(&["code"]));
        }
    }
}

/// The carrier's printed form has all of it; the identifier alone names the product (R4; STU3 has `udi`).
fn udi(device: &Element) -> Option<Udi> {
    let carriers = device.all("udiCarrier").chain(device.all("udi"));
    carriers
        .flat_map(|carrier| ["carrierHRF", "deviceIdentifier"].map(|name| carrier.text(&[name])))
        .find_map(Udi::read)
}

/// The model (STU3), the name that the maker gave it, or its number (R4, R5); never the name that people use.
fn model(device: &Element) -> &str {
    let of_maker = |name: &&Element| ["model-name", "manufacturer-name"].contains(&name.text(&["type"]));
    let names = device.all("deviceName").chain(device.all("name"));
    let named = names.filter(of_maker).map(|name| match name.text(&["name"]) {
        "" => name.text(&["value"]),
        name => name,
    });
    let model = std::iter::once(device.text(&["model"])).chain(named).find(|model| !model.is_empty());
    model.unwrap_or_else(|| device.text(&["modelNumber"]))
}

/// What a version is of, by its code or in words.
fn version_kind(version: &Element) -> Attribute {
    let codes = version.all("type").flat_map(|kind| kind.all("coding")).map(|coding| coding.text(&["code"]));
    let words = version.text(&["type", "text"]).to_ascii_lowercase();
    for told in codes.chain([words.as_str()]) {
        match told {
            "531974" => return Attribute::HardwareVersion,
            "531976" => return Attribute::FirmwareVersion,
            told if told.contains("hardware") => return Attribute::HardwareVersion,
            told if told.contains("firmware") => return Attribute::FirmwareVersion,
            _ => {}
        }
    }
    Attribute::SoftwareVersion
}

/// A resource of a person who is cared for, or one that refers to a patient.
fn is_about_patient(kind: &str, resource: &Element) -> bool {
    let refers = |name| {
        resource.all(name).any(|element| {
            let reference = element.text(&["reference"]);
            reference.starts_with("Patient/") || reference.contains("/Patient/")
        })
    };
    ["Patient", "RelatedPerson"].contains(&kind) || refers("subject") || refers("patient")
}

#[cfg(test)]
pub(super) mod tests;
