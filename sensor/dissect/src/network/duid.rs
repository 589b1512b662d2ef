//! DHCP unique identifiers (RFC 8415, 11): of clients and servers in DHCP for IPv6, and of clients in DHCP for IPv4
//! (RFC 4361). One belongs to a host, whatever the interface, the address or the version of IP.

use std::fmt::Write as _;

use crate::octets::be16;

/// A valid identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duid<'a>(&'a [u8]);

impl<'a> Duid<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        const ETHERNET: Option<&[u8]> = Some(&[0, 1]);
        let hardware = bytes.get(2..4);
        let is_valid = match (be16(bytes, 0)?, bytes.len()) {
            // A hardware address with a time, and without; an enterprise and its own number; a UUID (RFC 6355).
            (1, 14) | (3, 10) | (2, 7..=130) | (4, 18) => true,
            // Of other hardware than Ethernet.
            (1, 9..=30) | (3, 5..=26) => hardware != ETHERNET,
            _ => false,
        };
        is_valid.then_some(Self(bytes))
    }

    /// Of a DHCPv4 client identifier, option 61: type 255 and four octets for the interface (RFC 4361, 6.1).
    pub(super) fn of_client_identifier(option: &'a [u8]) -> Option<Self> {
        let ([255, _, _, _, _], duid) = option.split_first_chunk::<5>()? else { return None };
        Self::of(duid)
    }

    /// In hexadecimal.
    pub(super) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut digits, octet| {
            let _ = write!(digits, "{octet:02x}");
            digits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_length() {
        for (bytes, is_valid) in [
            (&[0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6][..], true),
            (&[0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5], false),
            (&[0, 1, 0, 32, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], true),
            (&[0, 2, 0, 0, 0, 9, 1], true),
            (&[0, 2, 0, 0, 0, 9], false),
            (&[0, 3, 0, 1, 1, 2, 3, 4, 5, 6], true),
            (&[0, 4, 1, 2], false),
            (&[0, 5, 1, 2], false),
            (&[0], false),
        ] {
            assert_eq!(Duid::of(bytes).is_some(), is_valid, "{bytes:?}");
        }
    }

    #[test]
    fn a_client_of_either_version_has_the_same() {
        let option = [255, 9, 9, 9, 9, 0, 3, 0, 1, 1, 2, 3, 4, 5, 6];
        let duid = Duid::of_client_identifier(&option).map(|duid| duid.text());
        assert_eq!(duid.as_deref(), Some("00030001010203040506"));
        // The older form is hardware and its address.
        assert_eq!(Duid::of_client_identifier(&[1, 1, 2, 3, 4, 5, 6]), None);
    }
}
