//! What the description says about a device, as the attributes under which a sensor may state it.
//!
//! The software that plays a device is configured from the description, so this is the truth whatever the sensor says.
//! A key's value becomes a [`Saying`]: one of the attributes that may hold it, in the form in which the attribute has
//! it. Most keys say by their names what they are; the others stand in a table here.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use toml::Value;
use wardwatch_proto::attribute::accept;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::{Device, Hospital, Scene, Truth};

/// A value that a device is configured to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// The key in the description, as `serial` or `dicom.ae_title`; empty for what a scene adds.
    pub key: String,
    /// The attributes that may hold it.
    pub attributes: Vec<Attribute>,
    /// The value, in the forms in which it may be said.
    pub forms: Vec<String>,
}

/// Keys whose names are not those of attributes. Who made a device and what it is may be stated of its software.
#[rustfmt::skip]
const KEYS: &[(&str, &[Attribute])] = &[
    ("ip", &[Attribute::IpAddress]),
    ("mac", &[Attribute::MacAddress]),
    ("manufacturer", &[Attribute::Manufacturer, Attribute::SoftwareVendor]),
    ("model", &[Attribute::Model, Attribute::SoftwareName]),
    ("serial", &[Attribute::SerialNumber]),
    ("versions", &[Attribute::SoftwareVersion, Attribute::FirmwareVersion, Attribute::HardwareVersion]),
    ("udi", &[Attribute::UdiDi]),
    ("dhcp.vendor_class", &[Attribute::DhcpVendorClass]),
    ("dhcp.request", &[Attribute::DhcpParameterList]),
    ("dicom.ae_title", &[Attribute::DicomAeTitle]),
    ("dicom.station", &[Attribute::StationName]),
    ("dicom.implementation_uid", &[Attribute::DicomImplementationUid]),
    ("dicom.implementation_version", &[Attribute::DicomImplementationVersion]),
    ("dicom.modality", &[Attribute::DicomModality]),
    ("dicom.calibrated", &[Attribute::CalibrationDate]),
    ("hl7.application", &[Attribute::Hl7Application]),
    ("hl7.facility", &[Attribute::Hl7Facility]),
    ("hl7.software", &[Attribute::SoftwareName]),
    ("bacnet.instance", &[Attribute::BacnetInstance]),
    ("bacnet.object_name", &[Attribute::BacnetObjectName]),
    ("bacnet.vendor_id", &[Attribute::BacnetVendorId]),
    ("bacnet.vendor_name", &[Attribute::Manufacturer]),
    ("snmp.description", &[Attribute::SystemDescription]),
    ("snmp.object_id", &[Attribute::SysObjectId]),
    ("web.server", &[Attribute::HttpServer]),
    ("web.realm", &[Attribute::HttpRealm]),
    ("mdns.service", &[Attribute::ServiceType]),
    ("sdc.endpoint", &[Attribute::EndpointUuid]),
];

/// Attributes that tell devices apart or name what they are: a value that the description does not give is invented.
const IDENTITY: &[Attribute] = &[
    Attribute::IpAddress,
    Attribute::MacAddress,
    Attribute::HostName,
    Attribute::Eui64,
    Attribute::Manufacturer,
    Attribute::Model,
    Attribute::SerialNumber,
    Attribute::UdiDi,
    Attribute::DicomAeTitle,
    Attribute::StationName,
    Attribute::BacnetInstance,
];

/// The attributes under which a key's value is stated; none for keys that only configure.
fn attributes(key: &str) -> Vec<Attribute> {
    if let Some((_, attributes)) = KEYS.iter().find(|(known, _)| *known == key) {
        return attributes.to_vec();
    }
    let word = key.rsplit('.').next().unwrap_or(key);
    Attribute::from_name(word).into_iter().collect()
}

/// Everything that a device's description gives.
pub fn sayings(device: &Device) -> Vec<Saying> {
    let mut sayings = Vec::new();
    for (key, value) in &device.described {
        match value {
            Value::Table(software) => {
                for (word, value) in software {
                    say(&format!("{key}.{word}"), value, &mut sayings);
                }
            }
            value => say(key, value, &mut sayings),
        }
    }
    // Some put the maker's name before the model, some leave it out.
    let maker = device.manufacturer.as_deref().unwrap_or_default();
    for saying in sayings.iter_mut().filter(|saying| saying.key == "model") {
        let Some(model) = saying.forms.first() else { continue };
        let other = match model.strip_prefix(maker) {
            Some(bare) => bare.trim().to_owned(),
            None => format!("{maker} {model}"),
        };
        saying.forms.push(other);
    }
    sayings
}

fn say(key: &str, value: &Value, sayings: &mut Vec<Saying>) {
    let attributes = attributes(key);
    if attributes.is_empty() {
        return;
    }
    let mut add = |attributes: &[Attribute], form: String| {
        sayings.push(Saying { key: key.to_owned(), attributes: attributes.to_vec(), forms: vec![form] });
    };
    let texts: Vec<String> = match value {
        // One value: the order tells what asks.
        Value::Array(values) if key == "dhcp.request" => {
            vec![values.iter().map(text).collect::<Vec<_>>().join(",")]
        }
        Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    };
    for text in texts {
        match key {
            // GS1's application identifier 01 is the device identifier, of 14 digits.
            "udi" => {
                let identifier = text.strip_prefix("(01)").and_then(|rest| rest.get(..14));
                add(&attributes, identifier.unwrap_or(&text).to_owned());
            }
            "eui64" => add(&attributes, with_colons(&text)),
            "dicom.calibrated" => add(&attributes, with_dashes(&text)),
            "mdns.service" => add(&attributes, text.trim_end_matches(".local.").to_owned()),
            // HD: a name, and an identifier of the kind that the third component tells (HL7 v2, 2.A.33).
            "hl7.application" => {
                let mut components = text.split('^');
                add(&attributes, components.next().unwrap_or_default().to_owned());
                if let (Some(id), Some("EUI-64")) = (components.next(), components.next()) {
                    add(&[Attribute::Eui64], with_colons(id));
                }
            }
            _ => add(&attributes, text),
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// `00122100000356D2` as `00:12:21:00:00:03:56:d2`.
fn with_colons(digits: &str) -> String {
    let octets = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_lowercase());
    octets.collect::<Vec<_>>().join(":")
}

/// `20260914` as `2026-09-14`.
fn with_dashes(date: &str) -> String {
    match (date.get(..4), date.get(4..6), date.get(6..)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => date.to_owned(),
    }
}

impl Saying {
    /// Whether a stated value is this one.
    pub fn is(&self, attribute: Attribute, stated: &str) -> bool {
        let same = |stated: &str| {
            self.forms.iter().any(|form| accept(attribute, form).is_some_and(|form| form == stated))
        };
        let is_part = |mut parts: std::str::Split<'_, char>| parts.any(same);
        self.attributes.contains(&attribute)
            && match attribute {
                // A name may come with the domain that it is in.
                Attribute::HostName => same(stated) || stated.split('.').next().is_some_and(same),
                // A place may come with those around it.
                Attribute::Location => same(stated) || is_part(stated.split('/')),
                _ => same(stated),
            }
    }

    /// The first of the attributes, by which people know it.
    pub fn attribute(&self) -> Attribute {
        self.attributes.first().copied().unwrap_or_default()
    }

    /// The value as it is described.
    pub fn value(&self) -> &str {
        self.forms.first().map_or("", String::as_str)
    }
}

/// Whether a statement about a device contradicts its description.
pub fn is_invented(sayings: &[Saying], attribute: Attribute, stated: &str) -> bool {
    let about = || sayings.iter().filter(|saying| saying.attributes.contains(&attribute));
    // What a scene adds has no key: it lists what is to be seen, not all that may be.
    let is_described = about().any(|saying| !saying.key.is_empty());
    (IDENTITY.contains(&attribute) || is_described) && !about().any(|saying| saying.is(attribute, stated))
}

/// Sees that what a scene's truth names is there.
pub(super) fn check(scene: &Scene, hospital: &Hospital) -> Result<()> {
    let mut told = BTreeSet::new();
    for truth in &scene.truths {
        let Truth { of, protocols, says, states } = truth;
        for name in protocols {
            ensure!(Protocol::from_name(name).is_some(), "no protocol {name}");
        }
        for name in states.keys() {
            ensure!(Attribute::from_name(name).is_some(), "no attribute {name}");
        }
        for name in of {
            let device = hospital.device(name).with_context(|| format!("no device {name}"))?;
            let sayings = sayings(device);
            for key in says {
                ensure!(sayings.iter().any(|saying| saying.key == *key), "{name} has no {key} to say");
            }
            told.insert(name.as_str());
        }
    }
    let untold: Vec<&str> = scene.cast().difference(&told).copied().collect();
    ensure!(scene.truths.is_empty() || untold.is_empty(), "no truth about {}", untold.join(", "));
    Ok(())
}
