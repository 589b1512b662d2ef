//! What evidence is kept under, and what a device is recognised by.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;
use wardwatch_proto::address;

use crate::scope::Ip;

/// A MAC address that one interface can have: neither a group's nor all zeros.
pub(crate) type Mac = [u8; 6];

/// Longest key of a third device, in bytes; a longer one was not made by a sensor.
const LONGEST_KEY: usize = 256;

/// Namespace of all device ids, so that they collide with nobody else's: `uuid5(NAMESPACE_URL, "urn:wardwatch")`.
pub(crate) const NAMESPACE: Uuid = Uuid::from_u128(0xfb67_4eb6_1fd7_5c5a_b96a_6c5d_40b3_a541);

/// The MAC address of an endpoint, if it is one interface's (IEEE 802: the group bit is clear).
pub(crate) fn mac(bytes: &[u8]) -> Option<Mac> {
    let mac = Mac::try_from(bytes).ok()?;
    (mac[0] & 1 == 0 && mac != [0; 6]).then_some(mac)
}

/// Whether an IPv6 address was made from this MAC address (RFC 4291, appendix A), so that no other has it.
pub(crate) fn is_made_from(ip: IpAddr, mac: Mac) -> bool {
    let IpAddr::V6(v6) = ip else { return false };
    let mut identifier = [mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, 0, 0, 0];
    identifier[5..].copy_from_slice(&mac[3..]);
    v6.octets()[8..] == identifier
}

/// What evidence is kept under. A device is made of one or more of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EndpointId {
    /// A network interface.
    Interface(Mac),
    /// An address, with the MAC address of the frames where these were Ethernet's.
    Address(Option<Mac>, Ip),
    /// A device that another tells of, by its key; the teller where the key means something only behind it.
    Third(Option<Box<EndpointId>>, Box<str>),
    /// A row of another system's table, by the table's name and the line.
    Row(Arc<str>, u32),
}

impl EndpointId {
    /// The interface that evidence under it is of; `None` for an address by itself, and for what others tell of.
    pub(crate) fn interface(&self) -> Option<Mac> {
        match self {
            Self::Interface(mac) => Some(*mac),
            Self::Address(..) | Self::Third(..) | Self::Row(..) => None,
        }
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(mac) => write!(f, "mac/{}", address::mac_text(mac)),
            Self::Address(Some(mac), ip) => write!(f, "address/{}/{ip}", address::mac_text(mac)),
            Self::Address(None, ip) => write!(f, "address/-/{ip}"),
            Self::Third(Some(teller), key) => write!(f, "third/{teller}/{key}"),
            Self::Third(None, key) => write!(f, "third/-/{key}"),
            Self::Row(name, line) => write!(f, "row/{line}/{name}"),
        }
    }
}

/// What a device is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum DeviceKey {
    /// Its network interface.
    Mac(Mac),
    /// Its address, where the interface is hidden behind a router.
    Ip(Ip),
    /// The key under which others tell of it, in the whole site or behind one device.
    Third(Option<Uuid>, Box<str>),
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => f.write_str(&address::mac_text(mac)),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Third(_, key) => f.write_str(key),
        }
    }
}

impl DeviceKey {
    /// The same for the same key in the same site, always.
    pub(crate) fn id(&self, site: &Uuid) -> Uuid {
        let text = match self {
            Self::Mac(mac) => format!("mac:{}", address::mac_text(mac)),
            Self::Ip(ip) => format!("ip:{ip}"),
            Self::Third(None, key) => format!("third:{key}"),
            Self::Third(Some(within), key) => format!("third:{within}:{key}"),
        };
        Uuid::new_v5(site, text.as_bytes())
    }
}

/// The namespace of a site's device ids.
pub(crate) fn site_namespace(site: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, site.as_bytes())
}

/// The key of a third device, if a sensor may have made it.
pub(crate) fn third_key(key: &str) -> Option<&str> {
    (key.len() <= LONGEST_KEY && !key.chars().any(char::is_control)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_interfaces_addresses_are_mac_addresses() {
        assert_eq!(mac(&[0, 9, 0xfb, 1, 2, 3]), Some([0, 9, 0xfb, 1, 2, 3]));
        for none in [
            &[0xff; 6][..],
            &[0; 6],
            &[1, 0, 0x5e, 0, 0, 0xfb],
            &[0x33, 0x33, 0, 0, 0, 1],
            &[],
            &[0, 9, 0xfb],
        ] {
            assert_eq!(mac(none), None, "{none:?}");
        }
    }

    #[test]
    fn an_interface_identifier_names_its_mac_address() {
        // The example of RFC 2464, section 4.
        let ip = "fe80::3656:78ff:fe9a:bcde".parse().expect("a literal");
        assert!(is_made_from(ip, [0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]));
        assert!(!is_made_from(ip, [0x34, 0x56, 0x78, 0x9a, 0xbc, 0xdf]));
    }

    #[test]
    fn ids_differ_by_site_and_stay_the_same() {
        let key = DeviceKey::Mac([0, 9, 0xfb, 1, 2, 3]);
        assert_eq!(key.id(&site_namespace("north")), key.id(&site_namespace("north")));
        assert_ne!(key.id(&site_namespace("north")), key.id(&site_namespace("south")));
        let nested = DeviceKey::Third(None, "serial=a|b|c".into());
        let behind = DeviceKey::Third(Some(Uuid::nil()), "serial=a|b|c".into());
        assert_ne!(nested.id(&site_namespace("north")), behind.id(&site_namespace("north")));
    }
}
