//! What the sensor states about the project's own captures: all of it as snapshots, and against the descriptions of the
//! hospitals, from which the recorded software was configured.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use wardwatch_lab::truth::{self, Saying};
use wardwatch_lab::{Device, Hospital, Scene, Truth};
use wardwatch_proto::address::{ip_text, mac_text};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Fact, Observation, fact};
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::corpus::{self, Capture, Recorded};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::stated;

/// The truth about the devices of the first hospital.
const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/hospital.toml");

/// The first hospital's captures, by the names of their scenes.
const SCENES: [&str; 5] = ["bedside", "building", "network", "operating-room", "radiology"];

#[test]
fn the_facts_of_the_bedside() -> Result<()> {
    insta::assert_snapshot!("bedside", listing("bedside")?);
    Ok(())
}

#[test]
fn the_facts_of_the_building() -> Result<()> {
    insta::assert_snapshot!("building", listing("building")?);
    Ok(())
}

#[test]
fn the_facts_of_the_network() -> Result<()> {
    insta::assert_snapshot!("network", listing("network")?);
    Ok(())
}

#[test]
fn the_facts_of_the_operating_room() -> Result<()> {
    insta::assert_snapshot!("operating-room", listing("operating-room")?);
    Ok(())
}

#[test]
fn the_facts_of_radiology() -> Result<()> {
    insta::assert_snapshot!("radiology", listing("radiology")?);
    Ok(())
}

#[test]
fn the_facts_of_the_other_hospital() -> Result<()> {
    for capture in the_other()?.captures {
        insta::assert_snapshot!(capture.id.trim_end_matches(".pcap").replace('/', "-"), list(&capture)?);
    }
    Ok(())
}

#[test]
fn every_capture_has_a_snapshot() -> Result<()> {
    let names: BTreeSet<String> = the_first()?.captures.iter().map(Capture::scene).collect();
    assert_eq!(names, SCENES.map(str::to_owned).into());
    Ok(())
}

/// What a scene says that devices say in it, and what follows from what they do: all of it is stated.
#[test]
fn what_a_scene_says_is_stated_of_its_devices() -> Result<()> {
    let mut missing = Vec::new();
    let mut checked = 0;
    for recorded in corpus::hospitals()? {
        let hospital = recorded.lab.hospital();
        for capture in &recorded.captures {
            let told = told(capture)?;
            let scene = recorded.lab.scene(&capture.scene())?;
            for (device, saying) in truths(hospital, &scene)? {
                let teller = device.behind.as_deref().and_then(|teller| hospital.device(teller));
                let about = |subject: &Subject| match teller {
                    Some(teller) => is_of(teller, subject) && !subject.key.is_empty(),
                    None => is_of(device, subject),
                };
                let mut said = told.iter().filter(|(subject, _)| about(subject)).flat_map(|(_, said)| said);
                checked += 1;
                if !said.any(|(attribute, value)| saying.is(*attribute, value)) {
                    let what = saying.attribute().name();
                    missing.push(format!("{}: {} {what} {}", capture.id, device.name, saying.value()));
                }
            }
        }
    }
    assert!(checked > 200, "{checked} sayings");
    assert_eq!(missing, [""; 0]);
    Ok(())
}

/// What each device is to say in a scene, by the scene's truths.
fn truths<'a>(hospital: &'a Hospital, scene: &Scene) -> Result<Vec<(&'a Device, Saying)>> {
    let mut expected = Vec::new();
    for Truth { of, says, states, .. } in &scene.truths {
        for name in of {
            let device = hospital.device(name).with_context(|| format!("no device {name}"))?;
            let described = truth::sayings(device).into_iter().filter(|saying| says.contains(&saying.key));
            expected.extend(described.map(|saying| (device, saying)));
            for (attribute, values) in states {
                let attributes: Vec<_> = Attribute::from_name(attribute).into_iter().collect();
                expected.extend(values.iter().map(|value| {
                    let saying = Saying {
                        key: String::new(),
                        attributes: attributes.clone(),
                        forms: vec![value.clone()],
                    };
                    (device, saying)
                }));
            }
        }
    }
    Ok(expected)
}

/// What a device's software was told to say, and the sensor states of this device.
#[test]
fn what_devices_were_configured_to_say_is_among_the_facts() -> Result<()> {
    let hospital = hospital()?;
    let software = software()?;
    let mut agreement =
        Agreement::new("what devices say about themselves", Exceptions::read("hospital.toml", "hospital")?);
    for capture in the_first()?.captures {
        let told = told(&capture)?;
        for device in hospital.seen_in(&capture.scene()) {
            let expected = expected(device, software.get(&device.name), &capture.scene());
            let missing = missing(&expected, device, &hospital, &told);
            for said in &expected {
                let (attributes, value) = said;
                let class = attributes.first().map_or("", |attribute| attribute.name());
                if missing.contains(said) {
                    let item = format!("{} {class} {value}", device.name);
                    agreement.differs(class, &capture.id, &item, None, "not stated");
                } else {
                    agreement.agrees(class);
                }
            }
        }
    }
    agreement.print();
    let faults = agreement.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// No device is given another one's name, and none a name that nobody has.
#[test]
fn no_device_is_said_to_be_another() -> Result<()> {
    let mut checked = 0;
    for recorded in corpus::hospitals()? {
        let hospital = recorded.lab.hospital();
        for capture in recorded.captures {
            for (subject, said) in told(&capture)? {
                let identity: Vec<_> = said.iter().filter(|(attribute, _)| is_identity(*attribute)).collect();
                checked += identity.len();
                let owner = hospital.devices.iter().find(|device| {
                    let is_subject = subject.key.is_empty() == device.behind.is_none()
                        && is_of(device, &subject)
                        || !subject.key.is_empty();
                    is_subject && identity.iter().all(|(attribute, value)| gives(device, *attribute, value))
                });
                assert!(
                    identity.is_empty() || owner.is_some(),
                    "{}: {subject:?} is said to be {said:?}",
                    capture.id
                );
            }
        }
    }
    assert!(checked > 50, "{checked} statements");
    Ok(())
}

/// Whom facts describe: an address, and the key of a device that has none of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    address: String,
    key: String,
}

/// What is said of each subject.
type Told = BTreeMap<Subject, BTreeSet<(Attribute, String)>>;

fn told(capture: &Capture) -> Result<Told> {
    let mut told = Told::new();
    for observation in stated::observations(&stated::facts(&capture.path)?) {
        let subject = observation.subject.clone().unwrap_or_default();
        let endpoint = subject.endpoint.unwrap_or_default();
        // A client of DHCP has only a MAC address, a device on the network is known by its IP address.
        let address = if endpoint.ip.is_empty() { mac_text(&endpoint.mac) } else { ip_text(&endpoint.ip) };
        let said = told.entry(Subject { address, key: subject.key }).or_default();
        said.insert((observation.attribute(), observation.value.clone()));
    }
    Ok(told)
}

/// An attribute that is to be said, or one of several that may hold it, and the value.
type Expected = (&'static [Attribute], String);

const MANUFACTURER: &[Attribute] = &[Attribute::Manufacturer, Attribute::SoftwareVendor];
const MODEL: &[Attribute] = &[Attribute::Model, Attribute::SoftwareName];
const VERSION: &[Attribute] =
    &[Attribute::SoftwareVersion, Attribute::FirmwareVersion, Attribute::HardwareVersion];

/// What a device says in this scene. How it is configured stands in `hospital.toml`; which of it a scene's protocols
/// carry is theirs: DHCP a host name, printers' announcements maker, model and place, an LLDP-MED inventory all that
/// names a device, and the protocols of the other scenes as well.
fn expected(device: &Device, software: Option<&toml::Table>, scene: &str) -> Vec<Expected> {
    let mut expected: Vec<Expected> = Vec::new();
    let mut say = |attributes: &'static [Attribute], value: &Option<String>| {
        expected.extend(value.clone().map(|value| (attributes, value)));
    };
    let table = |name| software.and_then(|software| software.get(name));
    let service = table("mdns").and_then(|mdns| mdns.get("service")?.as_str());
    let is_printer = service.is_some_and(|service| service.starts_with("_ipp."));
    let has_inventory = table("lldp").is_some() || scene != "network";
    if scene == "network" && device.dhcp.is_some() {
        say(&[Attribute::HostName], &device.host_name.as_ref().map(|name| name.to_lowercase()));
    }
    if is_printer || has_inventory {
        say(MANUFACTURER, &device.manufacturer);
        say(MODEL, &device.model);
    }
    if is_printer {
        say(&[Attribute::Location], &device.location);
    }
    if has_inventory {
        say(&[Attribute::SerialNumber], &device.serial);
        for version in &device.versions {
            say(VERSION, &Some(version.clone()));
        }
        say(&[Attribute::Eui64], &device.eui64.as_deref().map(with_colons));
        // GS1's application identifier 01 is the device identifier, of 14 digits.
        let udi = device.udi.as_deref().and_then(|udi| udi.strip_prefix("(01)")?.get(..14));
        say(&[Attribute::UdiDi], &udi.map(str::to_owned));
    }
    expected
}

/// `00122100000356D2` as `00:12:21:00:00:03:56:d2`.
fn with_colons(digits: &str) -> String {
    let octets = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_lowercase());
    octets.collect::<Vec<_>>().join(":")
}

/// What of it is not said. A device with an address says it under that, in whatever part of a message. Of one that is
/// spoken for, all must stand under one key.
fn missing(expected: &[Expected], device: &Device, hospital: &Hospital, told: &Told) -> Vec<Expected> {
    let missing_in = |said: &BTreeSet<(Attribute, String)>| -> Vec<Expected> {
        let is_missing = |(attributes, value): &&Expected| {
            !attributes.iter().any(|attribute| said.contains(&(*attribute, value.clone())))
        };
        expected.iter().filter(is_missing).cloned().collect()
    };
    let Some(teller) = device.behind.as_deref().and_then(|teller| hospital.device(teller)) else {
        let own = told.iter().filter(|(subject, _)| is_of(device, subject));
        return missing_in(&own.flat_map(|(_, said)| said.clone()).collect());
    };
    let keyed = told.iter().filter(|(subject, _)| is_of(teller, subject) && !subject.key.is_empty());
    keyed.map(|(_, said)| missing_in(said)).min_by_key(Vec::len).unwrap_or_else(|| expected.to_vec())
}

fn is_of(device: &Device, subject: &Subject) -> bool {
    device.ip.is_some_and(|ip| subject.address == ip.to_string())
        || device.mac.as_ref().is_some_and(|mac| subject.address == *mac)
}

fn is_identity(attribute: Attribute) -> bool {
    [Attribute::Manufacturer, Attribute::Model, Attribute::SerialNumber, Attribute::HostName]
        .contains(&attribute)
}

/// Whether the description gives the device this value. A host name may come with a domain.
fn gives(device: &Device, attribute: Attribute, value: &str) -> bool {
    let given = match attribute {
        Attribute::Manufacturer => &device.manufacturer,
        Attribute::Model => &device.model,
        Attribute::SerialNumber => &device.serial,
        _ => &device.host_name,
    };
    let Some(given) = given else { return false };
    match attribute {
        Attribute::HostName => value.split('.').next() == Some(&given.to_lowercase()),
        // A printer gives its model with and without its maker's name.
        Attribute::Model => {
            let maker = device.manufacturer.as_deref().unwrap_or_default();
            let without = given.strip_prefix(maker).map(str::trim);
            value == given || without == Some(value) || value == format!("{maker} {given}")
        }
        _ => value == given,
    }
}

fn hospital() -> Result<Hospital> {
    Hospital::read(Path::new(DESCRIPTION))
}

/// The tables that configure each device's software, by the device's name.
fn software() -> Result<BTreeMap<String, toml::Table>> {
    #[derive(serde::Deserialize)]
    struct Description {
        device: Vec<toml::Table>,
    }
    let description: Description = toml::from_str(&fs::read_to_string(DESCRIPTION)?)?;
    let named = description.device.into_iter().map(|table| {
        let name = table.get("name").and_then(|name| name.as_str()).context("a device without a name")?;
        Ok((name.to_owned(), table))
    });
    named.collect()
}

/// The hospital in `tests/captures`.
fn the_first() -> Result<Recorded> {
    corpus::hospitals()?.into_iter().next().context("a hospital")
}

/// The one whose software speaks what that of the first does not.
fn the_other() -> Result<Recorded> {
    corpus::hospitals()?.into_iter().nth(1).context("another hospital")
}

fn listing(name: &str) -> Result<String> {
    let captures = the_first()?.captures;
    list(captures.iter().find(|capture| capture.scene() == name).context("a capture of this name")?)
}

/// All facts of a scene, sorted, without what differs from one recording to the next: times, flows' numbers, the ports
/// of clients.
fn list(capture: &Capture) -> Result<String> {
    let facts = stated::facts(&capture.path)?;
    let observations: BTreeSet<String> = stated::observations(&facts).map(observation_line).collect();
    let mut flows = BTreeMap::<String, BTreeSet<u64>>::new();
    for (line, id) in facts.iter().filter_map(flow_line) {
        flows.entry(line).or_default().insert(id);
    }
    let mut listing = String::new();
    for line in observations {
        writeln!(listing, "{line}")?;
    }
    for (line, ids) in flows {
        writeln!(listing, "{line}: {}", ids.len())?;
    }
    Ok(listing)
}

/// `10.20.10.11 sender dicom model Revolution EVO`.
fn observation_line(observation: &Observation) -> String {
    let subject = observation.subject.clone().unwrap_or_default();
    let role = subject.role().name();
    let endpoint = subject.endpoint.unwrap_or_default();
    let ip = ip_text(&endpoint.ip);
    let address = if ip.is_empty() { mac_text(&endpoint.mac) } else { ip };
    let key = if subject.key.is_empty() { String::new() } else { format!(" [{}]", subject.key) };
    let (protocol, attribute) = (observation.protocol().name(), observation.attribute().name());
    format!("{address}{key} {role} {protocol} {attribute} {}", observation.value)
}

/// `flow 10.20.10.11 > 10.20.1.10:104 (6) dicom`, and the flow's number. A flow's later records know more than its
/// first.
fn flow_line(fact: &Fact) -> Option<(String, u64)> {
    let Some(fact::Fact::Flow(flow)) = &fact.fact else { return None };
    let initiator = flow.initiator.clone().unwrap_or_default();
    let responder = flow.responder.clone().unwrap_or_default();
    let protocol = flow.protocol().name();
    let (from, to, port) = (ip_text(&initiator.ip), ip_text(&responder.ip), responder.port);
    Some((
        format!("flow {from} > {to}:{port} ({}) {protocol}", flow.ip_protocol).trim_end().to_owned(),
        flow.id,
    ))
}
