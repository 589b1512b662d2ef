//! What a name server's answers say about devices of this site.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::RData;
use simple_dns::{Name, Packet, ResourceRecord};
use wardwatch_proto::v1::Attribute;

use super::outline::Outline;
use crate::{Address, Facts, scope};

/// Devices that one message may name.
const MOST_NAMES: usize = 32;

/// States the names of addresses that are this site's. A name of a host on the internet names no device here.
pub(super) fn state(outline: &Outline, message: &[u8], facts: &mut Facts<'_>) {
    if !outline.is_readable() {
        return;
    }
    // A record of a kind that the parser does not know makes it give up; the sender is a name server all the same.
    let Ok(packet) = Packet::parse(message) else { return };
    let named = packet.answers.iter().chain(&packet.additional_records).filter_map(named);
    for (ip, name) in named.filter(|(ip, _)| scope::is_private(*ip)).take(MOST_NAMES) {
        facts.of_address(Address { mac: None, ip: Some(ip), port: 0 }, Attribute::HostName, &name);
    }
}

/// The address and the host name that a record binds.
fn named(record: &ResourceRecord<'_>) -> Option<(IpAddr, String)> {
    match &record.rdata {
        RData::A(a) => host_name(&record.name).map(|name| (Ipv4Addr::from(a.address).into(), name)),
        RData::AAAA(aaaa) => host_name(&record.name).map(|name| (Ipv6Addr::from(aaaa.address).into(), name)),
        RData::PTR(pointer) => Some((reverse(&record.name)?, host_name(&pointer.0)?)),
        _ => None,
    }
}

/// The name, unless it is that of a service or of nothing (`_ldap._tcp.example`).
pub(super) fn host_name(name: &Name<'_>) -> Option<String> {
    let labels = name.get_labels();
    let is_host = !labels.is_empty() && labels.iter().all(|label| !label.as_ref().starts_with(b"_"));
    is_host.then(|| name.to_string())
}

/// The address in a name for reverse mapping: `7.0.0.10.in-addr.arpa` (RFC 1035, 3.5), nibbles under `ip6.arpa`
/// (RFC 3596, 2.5).
pub(super) fn reverse(name: &Name<'_>) -> Option<IpAddr> {
    let labels: Vec<&str> = name
        .get_labels()
        .iter()
        .map(|label| str::from_utf8(label.as_ref()))
        .collect::<Result<_, _>>()
        .ok()?;
    let (arpa, rest) = labels.split_last()?;
    let (family, parts) = rest.split_last()?;
    if !arpa.eq_ignore_ascii_case("arpa") {
        return None;
    }
    if family.eq_ignore_ascii_case("in-addr") {
        let [d, c, b, a] = parts else { return None };
        let octets = [a.parse().ok()?, b.parse().ok()?, c.parse().ok()?, d.parse().ok()?];
        return Some(Ipv4Addr::from_octets(octets).into());
    }
    if !family.eq_ignore_ascii_case("ip6") || parts.len() != 32 {
        return None;
    }
    let mut nibbles =
        parts.iter().rev().map(|part| u128::from_str_radix(part, 16).ok().filter(|_| part.len() == 1));
    let address = nibbles.try_fold(0_u128, |address, nibble| Some(address << 4 | nibble?))?;
    Some(Ipv6Addr::from_bits(address).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reversed(name: &str) -> Option<String> {
        reverse(&Name::new(name).expect("a name")).map(|address| address.to_string())
    }

    #[test]
    fn reverse_names_are_read_backwards() {
        assert_eq!(reversed("7.2.0.10.in-addr.arpa").as_deref(), Some("10.0.2.7"));
        assert_eq!(reversed("7.2.0.10.IN-ADDR.ARPA").as_deref(), Some("10.0.2.7"));
        let six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa";
        assert_eq!(reversed(six).as_deref(), Some("fd00::1"));
    }

    #[test]
    fn parts_of_addresses_and_other_names_are_no_address() {
        for name in
            ["0.10.in-addr.arpa", "256.0.0.10.in-addr.arpa", "pump.ward.example", "d.f.ip6.arpa", "arpa"]
        {
            assert_eq!(reversed(name), None, "{name}");
        }
    }

    #[test]
    fn names_of_services_name_no_host() {
        assert_eq!(host_name(&Name::new_unchecked("gc._msdcs.ward.example")), None);
        assert_eq!(
            host_name(&Name::new_unchecked("pump.ward.example")).as_deref(),
            Some("pump.ward.example")
        );
    }
}
