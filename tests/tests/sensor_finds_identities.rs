//! Manufacturers, models, serial numbers and versions of medical and building devices: what stands in the bytes is found,
//! and nothing is stated that does not stand there.
//!
//! **Found.** For each device that is described somewhere in a capture ([`identities::read`] says by which readers), each
//! value must be stated by the sensor in the same protocol, letter for letter, of the same device: of the same address
//! (and behind it the same unit, where the reader knows which), and all values of one description in one place. For the
//! project's own captures, what `hospital.toml` gave a device's software to say counts too, where it stands in what
//! the device or its gateway has sent. Values that differ only in kind within one another (a product's name that the sensor
//! calls a model) are the same; a manufacturer is never a model.
//!
//! **Not invented.** Each such value that the sensor states must be one that a reader has read from the same address, or
//! stand as it is in what this address has sent: in UTF-8, Latin-1 or UTF-16. Values of fewer than four characters would be
//! found by chance, and must have been read.
//!
//! Both are counted with exceptions as differences; each stands in `exceptions/identities.toml` with the reason why.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use wardwatch_lab::{Device as Described, Hospital};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Protocol;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::corpus::{self, Capture};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::identities::{self, Kind, Sent};
use wardwatch_tests::oracle::{stated, statement};
use wardwatch_tests::skip;

/// The share of the values in the bytes that must be found.
const LEAST: f64 = 0.98;

/// Characters of the shortest value that is looked for in the bytes as it is.
const SHORTEST: usize = 4;

/// Scenes of offices, their servers and what stands in corridors: no medical or building device speaks its own protocol.
const OFFICES: [&str; 2] = ["network", "offices"];

/// What was compared of one capture: the class, the item, and whether it holds.
#[derive(Debug, Default)]
struct Compared {
    found: BTreeMap<(String, String), bool>,
    stands: BTreeMap<(String, String), bool>,
}

#[test]
fn manufacturers_models_serial_numbers_and_versions_are_found_and_none_is_invented() -> Result<()> {
    let test = "sensor_finds_identities::manufacturers_models_serial_numbers_and_versions_are_found_and_none_is_invented";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    if skip::unless_program(test, "tshark") || skip::unless_program(test, "openssl") {
        return Ok(());
    }
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    let compared = corpus::each(&captures, compare)?;
    let mut found = Agreement::new("identities in the bytes", Exceptions::read("identities.toml", "found")?);
    let mut stands =
        Agreement::new("identities that are stated", Exceptions::read("identities.toml", "stated")?);
    for (capture, compared) in captures.iter().zip(compared) {
        note(&mut found, capture, compared.found, "not stated");
        note(&mut stands, capture, compared.stands, "not in the bytes");
    }
    found.print();
    stands.print();
    let mut faults = [found.faults(), stands.faults()].concat();
    if found.share() < LEAST {
        faults.push(format!("{:.2} % are found", found.share() * 100.0));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn note(
    agreement: &mut Agreement,
    capture: &Capture,
    compared: BTreeMap<(String, String), bool>,
    difference: &str,
) {
    for ((class, item), agrees) in compared {
        if agrees {
            agreement.agrees(&class);
        } else {
            agreement.differs(&class, &capture.id, &item, None, difference);
        }
    }
}

fn compare(capture: &Capture) -> Result<Compared> {
    let told = statement::of_sensor(&stated::facts(&capture.path)?);
    let stated = identities::by_subject(&told);
    let devices = identities::read(&capture.path)?;
    let mut compared = Compared::default();
    for device in &devices {
        let missing = identities::missing(device, &stated);
        for said in &device.said {
            let class = format!("{} {}", device.protocol.name(), said.0.name());
            let item = format!("{class} {} {}", device.subject, said.1);
            // What one message says twice is one item, and must be found each time.
            *compared.found.entry((class, item)).or_insert(true) &= !missing.contains(said);
        }
    }
    let read: BTreeSet<(Protocol, &str, &(Kind, String))> = devices
        .iter()
        .flat_map(|device| {
            let address = identities::address(&device.subject);
            device.said.iter().map(move |said| (device.protocol, address, said))
        })
        .collect();
    let is_read = |address: &str, protocol: Protocol, said: &(Kind, String)| {
        read.iter().any(|(of, from, value)| (*of, *from, *value) == (protocol, address, said))
    };
    let hospital = capture.lab.as_ref().map(|lab| lab.hospital());
    let mut unread = Vec::new();
    for device in stated.values() {
        let address = identities::address(&device.subject);
        for said in &device.said {
            let class = format!("{} {}", device.protocol.name(), said.0.name());
            let item = format!("{class} {} {}", device.subject, said.1);
            let stands = is_read(address, device.protocol, said);
            if !stands {
                unread.push((class.clone(), item.clone(), address, &said.1));
            }
            compared.stands.insert((class, item), stands);
        }
    }
    let sent =
        if hospital.is_some() || !unread.is_empty() { Sent::read(&capture.path)? } else { Sent::default() };
    for (class, item, address, value) in unread {
        let stands = value.chars().count() >= SHORTEST && sent.has(address, value);
        compared.stands.insert((class, item), stands);
    }
    let scene = capture.scene();
    if let Some(hospital) = hospital
        && !OFFICES.contains(&scene.as_str())
    {
        let said: BTreeSet<(String, Kind, String)> = told
            .iter()
            .filter_map(|statement| {
                let address = identities::address(&statement.subject).to_owned();
                Some((address, Kind::of(statement.field.attribute)?, statement.value.clone()))
            })
            .collect();
        for device in hospital.seen_in(&scene) {
            for (kind, value) in described(device) {
                let Some(address) = teller(device, hospital).filter(|teller| sent.has(teller, &value)) else {
                    continue;
                };
                let class = format!("hospital.toml {}", kind.name());
                let item = format!("{class} {} {value}", device.name);
                compared.found.insert((class, item), said.contains(&(address, kind, value)));
            }
        }
    }
    Ok(compared)
}

/// What the hospital's description gives a device to say.
fn described(device: &Described) -> Vec<(Kind, String)> {
    let mut said: Vec<(Kind, String)> = Vec::new();
    for (kind, value) in [
        (Kind::Manufacturer, &device.manufacturer),
        (Kind::Model, &device.model),
        (Kind::SerialNumber, &device.serial),
    ] {
        said.extend(value.clone().map(|value| (kind, value)));
    }
    said.extend(device.versions.iter().map(|version| (Kind::Version, version.clone())));
    said
}

/// The address from which a device, or the one that it stands behind, speaks.
fn teller(device: &Described, hospital: &Hospital) -> Option<String> {
    let behind = device.behind.as_deref().and_then(|teller| hospital.device(teller));
    Some(behind.unwrap_or(device).ip?.to_string())
}
