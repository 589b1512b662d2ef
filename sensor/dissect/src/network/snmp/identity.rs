//! Which objects say what a device is, and what their values say.
//!
//! SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), BRIDGE-MIB (RFC 4188), HOST-RESOURCES-MIB (RFC 2790), UPS-MIB (RFC 1628),
//! Printer-MIB (RFC 3805), ENTITY-MIB (RFC 6933). `sysContact` names a person and is not read.

use wardwatch_proto::v1::Attribute;

use super::ber::{self, Arcs, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING};
use crate::scope::hardware_address;

/// A fact about the agent's device.
pub(super) type Fact = (Attribute, String);

/// 1.3.6.1.2.1, in octets.
const MIB_2: &[u8] = &[0x2B, 6, 1, 2, 1];

/// Objects that exist once, behind MIB-2.
const SCALARS: &[(&[u8], Attribute)] = &[
    (&[1, 1, 0], Attribute::SystemDescription),
    (&[1, 2, 0], Attribute::SysObjectId),
    (&[1, 5, 0], Attribute::HostName),
    (&[1, 6, 0], Attribute::Location),
    (&[17, 1, 1, 0], Attribute::MacAddress),
    (&[33, 1, 1, 1, 0], Attribute::Manufacturer),
    (&[33, 1, 1, 2, 0], Attribute::Model),
    (&[33, 1, 1, 3, 0], Attribute::FirmwareVersion),
    (&[33, 1, 1, 4, 0], Attribute::SoftwareVersion),
    (&[43, 5, 1, 1, 16, 1], Attribute::Description),
    (&[43, 5, 1, 1, 17, 1], Attribute::SerialNumber),
];

const IF_PHYS_ADDRESS: &[u8] = &[2, 2, 1, 6];
const HR_DEVICE_TYPE: &[u8] = &[25, 3, 2, 1, 2];
const HR_DEVICE_DESCR: &[u8] = &[25, 3, 2, 1, 3];
const HR_DEVICE_PRINTER: &[u8] = &[0x2B, 6, 1, 2, 1, 25, 3, 1, 5];
/// The table of physical entities; the column follows.
const ENT_PHYSICAL: &[u8] = &[47, 1, 1, 1, 1];
const ENT_PHYSICAL_CLASS: u8 = 5;
const CHASSIS: i64 = 3;

/// Hardware addresses of interfaces that are believed of one agent: a switch has hundreds, and the first will do.
const MOST_ADDRESSES: usize = 16;

/// What was learned of an agent's tables so far, to know which rows are about the device as a whole.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The first entity that is a chassis.
    chassis: Option<u32>,
    /// The first entity is something else, such as a module.
    first_is_part: bool,
    /// The device of the host that is a printer.
    printer: Option<u32>,
    addresses: usize,
}

impl Tables {
    /// Remembers which row is the chassis, and which the printer.
    pub(super) fn learn(&mut self, name: &[u8], tag: u8, value: &[u8]) {
        let Some(name) = name.strip_prefix(MIB_2) else { return };
        if let Some(index) = name.strip_prefix(HR_DEVICE_TYPE).and_then(row) {
            if tag == OBJECT_IDENTIFIER && value == HR_DEVICE_PRINTER {
                self.printer.get_or_insert(index);
            }
        } else if let Some((ENT_PHYSICAL_CLASS, index)) = entity(name)
            && tag == INTEGER
        {
            if ber::integer(value) == Some(CHASSIS) {
                self.chassis.get_or_insert(index);
            } else if index == 1 {
                self.first_is_part = true;
            }
        }
    }

    /// What this object says about the device.
    pub(super) fn facts(&mut self, name: &[u8], tag: u8, value: &[u8]) -> Vec<Fact> {
        let Some(name) = name.strip_prefix(MIB_2) else { return Vec::new() };
        if let Some((_, attribute)) = SCALARS.iter().find(|(known, _)| *known == name) {
            return scalar(*attribute, tag, value);
        }
        if tag != OCTET_STRING {
            return Vec::new();
        }
        if name.starts_with(IF_PHYS_ADDRESS) {
            let address = hardware_address(value).filter(|_| self.addresses < MOST_ADDRESSES);
            self.addresses += usize::from(address.is_some());
            return address.map(|address| (Attribute::MacAddress, address)).into_iter().collect();
        }
        let attribute = if let Some(index) = name.strip_prefix(HR_DEVICE_DESCR).and_then(row) {
            (self.printer == Some(index)).then_some(Attribute::Model)
        } else {
            entity(name).filter(|(_, index)| self.is_whole(*index)).and_then(|(column, _)| physical(column))
        };
        let text = str::from_utf8(value).ok();
        attribute.zip(text).map(|(attribute, text)| (attribute, text.to_owned())).into_iter().collect()
    }

    /// Whether this entity is the device as a whole. Until a class was seen the first is believed to be.
    fn is_whole(&self, index: u32) -> bool {
        self.chassis.map_or(index == 1 && !self.first_is_part, |chassis| index == chassis)
    }
}

/// The columns that identify an entity.
fn physical(column: u8) -> Option<Attribute> {
    Some(match column {
        8 => Attribute::HardwareVersion,
        9 => Attribute::FirmwareVersion,
        10 => Attribute::SoftwareVersion,
        11 => Attribute::SerialNumber,
        12 => Attribute::Manufacturer,
        13 => Attribute::Model,
        _ => return None,
    })
}

/// Column and row in the table of physical entities.
fn entity(name: &[u8]) -> Option<(u8, u32)> {
    let (column, index) = name.strip_prefix(ENT_PHYSICAL)?.split_first()?;
    row(index).map(|index| (*column, index))
}

/// The index, when it is one number.
fn row(index: &[u8]) -> Option<u32> {
    let mut arcs = Arcs(index);
    arcs.next().filter(|_| arcs.0.is_empty())
}

fn scalar(attribute: Attribute, tag: u8, value: &[u8]) -> Vec<Fact> {
    let value = match (attribute, tag) {
        (Attribute::SysObjectId, OBJECT_IDENTIFIER) => ber::object_identifier(value),
        (Attribute::SysObjectId, _) => None,
        (Attribute::MacAddress, OCTET_STRING) => hardware_address(value),
        (_, OCTET_STRING) => str::from_utf8(value).ok().map(str::to_owned),
        _ => None,
    };
    match (attribute, value) {
        (Attribute::SystemDescription, Some(text)) => description(&text),
        (attribute, Some(value)) => vec![(attribute, value)],
        (_, None) => Vec::new(),
    }
}

/// What `sysDescr` says: in one line, without the lines about copyright and who built it.
fn description(text: &str) -> Vec<Fact> {
    let told = text.lines().map(str::trim).take_while(|line| {
        !["Copyright", "Compiled", "Technical Support"].iter().any(|start| line.starts_with(start))
    });
    let line = told.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    let system = operating_system(&line).into_iter().flatten();
    let mut facts: Vec<Fact> = system.collect();
    facts.push((Attribute::SystemDescription, line));
    facts
}

/// The system and its version, in the two forms that agents of hosts have: that of uname, and that of Windows.
fn operating_system(description: &str) -> Option<[Fact; 2]> {
    const OF_UNAME: [&str; 7] = ["Linux", "FreeBSD", "OpenBSD", "NetBSD", "Darwin", "SunOS", "AIX"];
    let state = |name: &str, version: String| {
        [(Attribute::OperatingSystem, name.to_owned()), (Attribute::OperatingSystemVersion, version)]
    };
    if let Some((_, windows)) = description.split_once(" - Software: Windows ") {
        // `Version 6.1 (Build 7601 Multiprocessor Free)`
        let (_, version) = windows.split_once("Version ")?;
        let (version, build) = version.split_once(" (Build ")?;
        let build = build.split([' ', ')']).next()?;
        return Some(state("Windows", format!("{version}.{build}")));
    }
    let mut words = description.split(' ');
    let (name, _host, release) = (words.next()?, words.next()?, words.next()?);
    let is_release = release.starts_with(|first: char| first.is_ascii_digit());
    (OF_UNAME.contains(&name) && is_release).then(|| state(name, release.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_one_line_without_who_built_it() {
        let cisco = "Cisco IOS Software, C3750 Software\r\n(C3750-IPBASE-M), Version 12.2(25)SEE2\r\nCopyright (c) 1986\r\nCompiled by jdoe";
        assert_eq!(
            description(cisco),
            [(
                Attribute::SystemDescription,
                "Cisco IOS Software, C3750 Software (C3750-IPBASE-M), Version 12.2(25)SEE2".to_owned()
            )]
        );
    }

    #[test]
    fn operating_systems_are_told_by_hosts() {
        let system = |text| operating_system(text).map(|facts| facts.map(|(_, value)| value));
        let told = |name: &str, version: &str| Some([name.to_owned(), version.to_owned()]);
        assert_eq!(system("Linux pump-7 4.4.0-31-generic #50 SMP x86_64"), told("Linux", "4.4.0-31-generic"));
        let windows = "Hardware: Intel64 Family 6 Model 85 - Software: Windows Version 6.3 (Build 17763 Multiprocessor Free)";
        assert_eq!(system(windows), told("Windows", "6.3.17763"));
        for other in ["Linux", "HP ETHERNET MULTI-ENVIRONMENT", "Linux based camera", "AIX x y", ""] {
            assert_eq!(system(other), None, "{other}");
        }
    }
}
