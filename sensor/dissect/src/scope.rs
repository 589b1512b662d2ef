//! Which addresses a message may name as a device of this site.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether this address can belong to one device: not unspecified, loopback, multicast or broadcast.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_unspecified() || v4.is_loopback() || v4.is_multicast() || is_reserved(v4)),
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_loopback() || v6.is_multicast()),
    }
}

/// Whether this address is of a network that is not routed on the internet, so that a name server's word about it
/// is about a device here: RFC 1918, RFC 6598, RFC 3927, RFC 4193 (unique local) and RFC 4291 (link-local).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || is_shared(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

/// Whether this hardware address can be one device's: not zero and without the group bit (IEEE 802).
pub(crate) fn is_one_device(mac: [u8; 6]) -> bool {
    let [first, ..] = mac;
    first & 1 == 0 && mac != [0; 6]
}

/// A hardware address that its maker gave to one device: not of a group, not made up by software, not shared by routers
/// (RFC 9568, 7.3).
pub(crate) fn hardware_address(octets: &[u8]) -> Option<String> {
    let address: [u8; 6] = octets.try_into().ok()?;
    let [first, ..] = address;
    let is_made_up = first & 1 != 0 || first & 2 != 0;
    let is_shared = address.starts_with(&[0, 0, 0x5E, 0]);
    (!is_made_up && !is_shared && address != [0; 6]).then(|| wardwatch_proto::address::mac_text(octets))
}

/// 240.0.0.0/4 and 0.0.0.0/8: the limited broadcast address, and what is no host's address (RFC 6890).
fn is_reserved(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first >= 240 || first == 0
}

/// 100.64.0.0/10, behind a carrier's address translation.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xC0 == 64
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [first, ..] = address.segments();
    first & 0xFE00 == 0xFC00 || first & 0xFFC0 == 0xFE80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(addresses: &[&str], property: fn(IpAddr) -> bool) -> bool {
        addresses.iter().all(|text| property(text.parse().expect("a literal")))
    }

    #[test]
    fn devices_have_unicast_addresses() {
        assert!(every(&["10.0.0.1", "192.0.2.1", "2001:db8::1", "fe80::1"], is_unicast));
        let others =
            ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.251", "255.255.255.255", "::", "::1", "ff02::fb"];
        assert!(every(&others, |address| !is_unicast(address)));
    }

    #[test]
    fn a_site_uses_networks_that_are_not_routed() {
        let inside =
            ["10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.7.7", "100.64.0.1", "fd00::1", "fe80::1"];
        assert!(every(&inside, is_private));
        let outside = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "ff02::fb"];
        assert!(every(&outside, |address| !is_private(address)));
    }

    #[test]
    fn hardware_addresses_of_devices_are_given_by_makers() {
        assert_eq!(hardware_address(&[0, 9, 0xFB, 1, 2, 3]).as_deref(), Some("00:09:fb:01:02:03"));
        for other in
            [&[0; 6][..], &[1, 0, 0x5E, 0, 0, 1], &[2, 0x42, 0, 0, 0, 1], &[0, 0, 0x5E, 0, 1, 7], &[0, 9]]
        {
            assert_eq!(hardware_address(other), None, "{other:?}");
        }
    }
}
