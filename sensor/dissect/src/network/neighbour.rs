//! What LLDP and CDP have in common: texts of devices about themselves, and addresses by which they are managed.

use std::net::IpAddr;

use wardwatch_proto::address::mac_text;
use wardwatch_proto::v1::Attribute;

use crate::{Facts, scope};

/// Addresses that are believed of one message.
pub(super) const MOST_ADDRESSES: usize = 8;

/// The sender's description of its hardware and operating system: its first line, and what Cisco's systems say in a form
/// of their own. The lines behind the first tell copyrights, and who compiled it.
pub(super) fn system_description(text: &str, facts: &mut Facts<'_>) {
    let first = text.lines().next().unwrap_or_default();
    facts.of_sender(Attribute::SystemDescription, first);
    if let Some((system, version)) = cisco(text) {
        facts.of_sender(Attribute::OperatingSystem, system);
        facts.of_sender(Attribute::OperatingSystemVersion, version);
    }
}

/// `Cisco IOS Software, C3560 Software (...), Version 12.2(44)SE, RELEASE SOFTWARE`: the system and its version. Older
/// systems have the version on the second line.
fn cisco(text: &str) -> Option<(&str, &str)> {
    let system = text.lines().next()?.split(',').next()?.trim();
    let (_, behind) = text.split_once(", Version ")?;
    let version = behind.split([',', ' ', '\r', '\n']).next()?;
    system.starts_with("Cisco ").then_some((system, version))
}

/// An address of the sender.
pub(super) fn address(ip: IpAddr, facts: &mut Facts<'_>) {
    if scope::is_unicast(ip) {
        facts.of_sender(Attribute::IpAddress, &ip.to_string());
    }
}

/// A hardware address of the sender.
pub(super) fn hardware(mac: [u8; 6], facts: &mut Facts<'_>) {
    if scope::is_one_device(mac) {
        facts.of_sender(Attribute::MacAddress, &mac_text(&mac));
    }
}

/// Bits of a capability map and the roles that they stand for.
pub(super) fn roles(capabilities: u32, names: &[(u32, &str)], facts: &mut Facts<'_>) {
    for (bit, role) in names {
        if capabilities & bit != 0 {
            facts.of_sender(Attribute::Role, role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciscos_systems_tell_their_version_on_the_first_or_the_second_line() {
        let new = "Cisco IOS Software, C3560 Software (C3560-ADVIPSERVICESK9-M), Version 12.2(44)SE, RELEASE";
        assert_eq!(cisco(new), Some(("Cisco IOS Software", "12.2(44)SE")));
        let old = "Cisco Internetwork Operating System Software \nIOS (tm) C2950 Software (C2950-I6Q4L2-M), Version 12.1(22)EA14, RELEASE SOFTWARE (fc1)";
        assert_eq!(cisco(old), Some(("Cisco Internetwork Operating System Software", "12.1(22)EA14")));
        let nexus = "Cisco Nexus Operating System (NX-OS) Software, Version 5.0(3)N2(2)";
        assert_eq!(cisco(nexus), Some(("Cisco Nexus Operating System (NX-OS) Software", "5.0(3)N2(2)")));
        assert_eq!(cisco("Ubuntu 14.04.5 LTS Linux 3.13.0-106-generic, Version 9"), None);
        assert_eq!(cisco(""), None);
    }
}
