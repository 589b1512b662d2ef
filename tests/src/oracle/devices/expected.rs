//! The truth about devices: the lab's descriptions of its hospitals, and `tests/expected/devices.tsv`.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wardwatch_lab::{Device as Described, Hospital};

/// What is judged of a device, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `medical`, `building`, `network`, `iot`, `it`.
    Category,
    /// In the taxonomy's words.
    Type,
    /// The company.
    Manufacturer,
    /// In the device's own words.
    Model,
    /// The unit's own number.
    SerialNumber,
    /// Of hardware, firmware or software.
    Version,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Category, Self::Type, Self::Manufacturer, Self::Model, Self::SerialNumber, Self::Version];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Type => "type",
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::SerialNumber => "serial number",
            Self::Version => "version",
        }
    }
}

/// What is expected of a field. Of what is not listed nothing is known, and it is not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of these, each of which is right.
    OneOf(Vec<String>),
    /// It need not be stated; where it is, only these are right.
    IfAny(Vec<String>),
    /// Nobody can know it; it must not be stated with confidence.
    Unknown,
}

/// Where a device is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// In lower case, with colons.
    pub mac: Option<String>,
    /// Its address, or the one of the device that speaks for it.
    pub ip: Option<IpAddr>,
    /// Another device speaks for it, the one at this place.
    pub is_spoken_for: bool,
}

/// A device that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// As exceptions name it: its name in the hospital, or its address in the table.
    pub name: String,
    /// Where it is found.
    pub place: Place,
    /// What is expected of it.
    pub wanted: BTreeMap<Field, Wanted>,
}

impl Expected {
    /// The names of who made it, as far as they are known.
    pub fn makers(&self) -> &[String] {
        match self.wanted.get(&Field::Manufacturer) {
            Some(Wanted::OneOf(names) | Wanted::IfAny(names)) => names,
            _ => &[],
        }
    }
}

/// The columns of the table.
const COLUMNS: [&str; 9] =
    ["capture", "address", "category", "type", "manufacturer", "model", "serial", "version", "basis"];

/// What the table calls a type that nobody can know.
const UNKNOWN: &str = "unknown";

/// Between values of which each is right.
const OR: &str = " / ";

/// Reads the table: what is expected in each capture.
pub fn table() -> Result<BTreeMap<String, Vec<Expected>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected/devices.tsv");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    parse(&text).with_context(|| format!("understand {}", path.display()))
}

fn parse(text: &str) -> Result<BTreeMap<String, Vec<Expected>>> {
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
    let head = lines.next().map(|(line, _)| line.split('\t').collect::<Vec<_>>());
    ensure!(head.as_deref() == Some(&COLUMNS), "the first row must name the columns: {}", COLUMNS.join(", "));
    let mut captures = BTreeMap::<String, Vec<Expected>>::new();
    for (line, number) in lines {
        let (capture, expected) = row(line).with_context(|| format!("line {number}"))?;
        let devices = captures.entry(capture).or_default();
        let is_new = devices.iter().all(|device| device.name != expected.name);
        ensure!(is_new, "line {number}: {} stands there twice", expected.name);
        devices.push(expected);
    }
    Ok(captures)
}

fn row(line: &str) -> Result<(String, Expected)> {
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    let &[capture, address, category, kind, manufacturer, model, serial, version, basis] = cells.as_slice()
    else {
        bail!("{} cells instead of {}", cells.len(), COLUMNS.len());
    };
    let has_basis = ["bytes: ", "description: "].iter().any(|word| basis.starts_with(word));
    ensure!(has_basis, "basis: must begin with \"bytes: \" or \"description: \"");
    ensure!(!kind.is_empty(), "type: must be given, \"{UNKNOWN}\" where nobody can know it");
    let mut wanted = BTreeMap::new();
    for (field, cell) in [
        (Field::Category, category),
        (Field::Manufacturer, manufacturer),
        (Field::Model, model),
        (Field::SerialNumber, serial),
        (Field::Version, version),
    ] {
        if !cell.is_empty() {
            wanted.insert(field, Wanted::OneOf(alternatives(cell)));
        }
    }
    let kind = if kind == UNKNOWN { Wanted::Unknown } else { Wanted::OneOf(alternatives(kind)) };
    wanted.insert(Field::Type, kind);
    let expected = Expected { name: address.to_owned(), place: place(address)?, wanted };
    Ok((capture.to_owned(), expected))
}

fn alternatives(cell: &str) -> Vec<String> {
    cell.split(OR).map(|value| value.trim().to_owned()).collect()
}

/// `10.1.1.1`, `00:11:22:33:44:55`, or `10.1.1.1 > key` of a device that the first speaks for.
fn place(text: &str) -> Result<Place> {
    let (address, key) = text.split_once(" > ").map_or((text, None), |(address, key)| (address, Some(key)));
    let ip = address.parse().ok();
    let is_mac = address.len() == 17 && address.split(':').all(|octet| u8::from_str_radix(octet, 16).is_ok());
    ensure!(ip.is_some() || is_mac, "address: {address:?} is neither an IP nor a MAC address");
    Ok(Place { mac: ip.is_none().then(|| address.to_owned()), ip, is_spoken_for: key.is_some() })
}

/// What a hospital of the lab says of its devices.
pub fn of_hospital(hospital: &Hospital) -> Vec<Expected> {
    hospital.devices.iter().map(|device| described(device, hospital)).collect()
}

fn described(device: &Described, hospital: &Hospital) -> Expected {
    let speaker = device.behind.as_deref().and_then(|speaker| hospital.device(speaker));
    let at = speaker.unwrap_or(device);
    let place = Place { mac: at.mac.clone(), ip: at.ip.map(IpAddr::from), is_spoken_for: speaker.is_some() };
    let mut wanted = BTreeMap::from([
        (Field::Category, Wanted::OneOf(vec![device.category.clone()])),
        (Field::Type, Wanted::OneOf(vec![device.kind.clone()])),
    ]);
    if let Some(manufacturer) = manufacturer(device) {
        wanted.insert(Field::Manufacturer, manufacturer);
    }
    let mut model: Vec<String> = device.model.iter().cloned().collect();
    if !model.is_empty() {
        model.extend(configured(device, "model_number"));
        wanted.insert(Field::Model, Wanted::OneOf(model));
    }
    if let Some(serial) = &device.serial {
        wanted.insert(Field::SerialNumber, Wanted::OneOf(vec![serial.clone()]));
    }
    let versions: Vec<String> =
        device.versions.iter().cloned().chain(configured(device, "software_version")).collect();
    if !versions.is_empty() {
        wanted.insert(Field::Version, Wanted::OneOf(versions));
    }
    Expected { name: device.name.clone(), place, wanted }
}

/// Who made it. It is said where the software is given a spelling or the maker's number to say; else it may be guessed, as
/// the maker of the machine or of its software.
fn manufacturer(device: &Described) -> Option<Wanted> {
    let names: Vec<String> = device.maker.iter().cloned().collect();
    match &device.manufacturer {
        Some(spelled) if names.is_empty() => Some(Wanted::OneOf(vec![spelled.clone()])),
        Some(_) => Some(Wanted::OneOf(names)),
        None if names.is_empty() => None,
        None if configured(device, "cip_vendor_id").next().is_some() => Some(Wanted::OneOf(names)),
        None => Some(Wanted::IfAny(names.into_iter().chain(configured(device, "vendor_name")).collect())),
    }
}

/// What the tables of a device's software have under a key.
fn configured<'a>(device: &'a Described, key: &'a str) -> impl Iterator<Item = String> + 'a {
    let tables = device.described.values().filter_map(toml::Value::as_table);
    tables.filter_map(move |table| table.get(key)).map(|value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(row: &str) -> Result<BTreeMap<String, Vec<Expected>>> {
        parse(&format!("# a comment\n{}\n{row}\n", COLUMNS.join("\t")))
    }

    #[test]
    fn a_row_says_what_is_expected_and_leaves_out_what_is_not() {
        let row = "area/a.pcap\t10.0.0.1 > 7\tiot / it\ttelephone\tCisco\t\t\t1.0 / 2.0\tbytes: somewhere";
        let table = with(row).expect("sound");
        let [device] = table["area/a.pcap"].as_slice() else { panic!("{table:?}") };
        assert_eq!(device.name, "10.0.0.1 > 7");
        assert!(device.place.is_spoken_for && device.place.ip.is_some() && device.place.mac.is_none());
        assert_eq!(device.wanted[&Field::Category], Wanted::OneOf(vec!["iot".into(), "it".into()]));
        assert_eq!(device.wanted[&Field::Version], Wanted::OneOf(vec!["1.0".into(), "2.0".into()]));
        assert!(!device.wanted.contains_key(&Field::Model));
    }

    #[test]
    fn what_is_wrong_in_the_table_is_named_with_its_line() {
        for (row, said) in [
            ("a\t10.0.0.1\t\tunknown\t\t\t\tbytes: x", "line 3: 8 cells instead of 9"),
            ("a\t10.0.0\t\tunknown\t\t\t\t\tbytes: x", "line 3: address"),
            ("a\t10.0.0.1\t\t\t\t\t\t\tbytes: x", "line 3: type"),
            ("a\t10.0.0.1\t\tunknown\t\t\t\t\tsomebody", "line 3: basis"),
        ] {
            let error = format!("{:#}", with(row).expect_err(row));
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_table_is_read() {
        assert!(table().expect("it is sound").len() > 50);
    }
}
