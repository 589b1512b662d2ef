//! Who medical, building and industrial devices say they are: manufacturer, model, serial number and versions, read
//! without the sensor.
//!
//! Of protocols that Wireshark takes apart to the field, its fields are taken: those that [`tshark::statements`] compares
//! anyway, and [`fields`] that only this comparison needs. Of DICOM's datasets its tree is read ([`dicom`]), of HL7 v2 its
//! segments ([`hl7`]). What it does not know is read from the octets that it hands over ([`plain`]): Niagara Fox's hello
//! and the attributes of an IntelliVue monitor's announcement.
//!
//! A vendor is compared by the number that stands in the bytes, as the sensor states it; its name is knowledge of
//! whoever prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use wardwatch_dissect::standard;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::statement::Statement;
use super::tshark;

mod dicom;
mod fields;
mod hl7;
mod plain;

pub use plain::Sent;

/// What of a device's identity a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Its name, or its number in a list that others keep.
    Manufacturer,
    /// A name, a number to order by, a product's code; of software its name.
    Model,
    /// The unit's own number.
    SerialNumber,
    /// Of software, firmware, hardware, or of the implementation of the protocol.
    Version,
}

impl Kind {
    /// The kind of an attribute; nothing of those that do not say who a device is.
    pub fn of(attribute: Attribute) -> Option<Self> {
        Some(match attribute {
            Attribute::Manufacturer
            | Attribute::SoftwareVendor
            | Attribute::BacnetVendorId
            | Attribute::CipVendorId
            | Attribute::ProfinetVendorId
            | Attribute::HartManufacturerId => Self::Manufacturer,
            Attribute::Model
            | Attribute::ModelNumber
            | Attribute::PartNumber
            | Attribute::OrderNumber
            | Attribute::SoftwareName
            | Attribute::CipProductCode
            | Attribute::ProfinetDeviceId
            | Attribute::HartDeviceType => Self::Model,
            Attribute::SerialNumber | Attribute::NiagaraHostId => Self::SerialNumber,
            Attribute::SoftwareVersion
            | Attribute::FirmwareVersion
            | Attribute::HardwareVersion
            | Attribute::DicomImplementationVersion
            | Attribute::OperatingSystemVersion => Self::Version,
            _ => return None,
        })
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::SerialNumber => "serial number",
            Self::Version => "version",
        }
    }
}

/// Whether a protocol is one of those by which medical, building and industrial devices say who they are.
pub fn is_of_devices(protocol: Protocol) -> bool {
    let family = standard(protocol).map_or("", |standard| standard.family);
    ["medical", "building", "industry"].contains(&family)
        || matches!(protocol, Protocol::Fhir | Protocol::Soap)
}

/// One device, as one message, dataset or document describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// In which protocol.
    pub protocol: Protocol,
    /// As [`Statement::subject`]; or the address of the end that speaks alone, where the device may be another one that it
    /// speaks for.
    pub subject: String,
    /// What is said of it.
    pub said: BTreeSet<(Kind, String)>,
}

impl Device {
    /// Of which nothing is said yet.
    fn new(protocol: Protocol, subject: &str) -> Self {
        Self { protocol, subject: subject.to_owned(), said: BTreeSet::new() }
    }

    /// Adds a value without the blanks around it; nothing where nothing is said.
    fn say(&mut self, kind: Kind, value: &str) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if !value.is_empty() {
            self.said.insert((kind, value.to_owned()));
        }
    }
}

/// The address in a subject, without the key of a device that is spoken for.
pub fn address(subject: &str) -> &str {
    subject.split_once(' ').map_or(subject, |(address, _)| address)
}

/// Everything that is said of devices in a capture.
pub fn read(capture: &Path) -> Result<BTreeSet<Device>> {
    let mut devices: BTreeSet<Device> = by_subject(&tshark::statements(capture)?).into_values().collect();
    devices.extend(fields::read(capture)?);
    // Each reading takes Wireshark as long as the first, and few captures have anything for it.
    let bytes = std::fs::read(capture).with_context(|| format!("read {}", capture.display()))?;
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    if has(dicom::MARK) {
        devices.extend(dicom::read(capture)?);
    }
    if has(hl7::MARK) {
        devices.extend(hl7::read(capture)?);
    }
    if plain::MARKS.iter().any(|mark| has(mark)) {
        devices.extend(plain::read(capture)?);
    }
    devices.retain(|device| !device.said.is_empty());
    Ok(devices)
}

/// Statements of identity, by protocol and subject.
pub fn by_subject<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
) -> BTreeMap<(Protocol, String), Device> {
    let mut devices = BTreeMap::new();
    for Statement { field, subject, value } in statements {
        if let Some(kind) = Kind::of(field.attribute).filter(|_| is_of_devices(field.protocol)) {
            let device = devices
                .entry((field.protocol, subject.clone()))
                .or_insert_with(|| Device::new(field.protocol, subject));
            device.say(kind, value);
        }
    }
    devices
}

/// What of a device is not said in one place by the sensor: in the same protocol of the same subject or, where a device
/// is described by its address alone, of one of the subjects that this address speaks of.
pub fn missing<'a>(
    device: &'a Device,
    stated: &BTreeMap<(Protocol, String), Device>,
) -> BTreeSet<&'a (Kind, String)> {
    let is_of = |other: &&Device| {
        other.protocol == device.protocol
            && (other.subject == device.subject || address(&other.subject) == device.subject)
    };
    let missing_in = |other: &Device| -> BTreeSet<_> {
        device.said.iter().filter(|said| !other.said.contains(*said)).collect()
    };
    let fewest = stated.values().filter(is_of).map(missing_in).min_by_key(BTreeSet::len);
    fewest.unwrap_or_else(|| device.said.iter().collect())
}
