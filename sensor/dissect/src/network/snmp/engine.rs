//! The number of an engine (RFC 3411, 5, `SnmpEngineID`): its maker's, and often the address of its hardware.

use crate::scope::hardware_address;

/// What the number of an engine tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Engine {
    /// IANA's private enterprise number of the maker.
    pub(super) enterprise: u32,
    /// The hardware address out of which the number was made.
    pub(super) mac: Option<String>,
}

/// Texts and random octets are possible as well; nothing is known about what stands in them.
pub(super) fn engine(id: &[u8]) -> Option<Engine> {
    let (enterprise, rest) = id.split_first_chunk::<4>()?;
    let first = u32::from_be_bytes(*enterprise);
    let (has_format, enterprise) = (first >> 31 == 1, first & 0x7FFF_FFFF);
    if !(5..=32).contains(&id.len()) || enterprise == 0 {
        return None;
    }
    let mac = match rest.split_first() {
        // The third of the formats that exist when the first bit is set.
        Some((3, mac)) if has_format => {
            // Cisco puts a zero before the address.
            hardware_address(mac.strip_prefix(&[0]).filter(|mac| mac.len() == 6).unwrap_or(mac))
        }
        _ => None,
    };
    Some(Engine { enterprise, mac })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maker_and_its_hardware_address_are_read() {
        let id = [0x80, 0x00, 0x1F, 0x88, 3, 0x00, 0x09, 0xFB, 1, 2, 3];
        assert_eq!(engine(&id), Some(Engine { enterprise: 8072, mac: Some("00:09:fb:01:02:03".to_owned()) }));
        let cisco = [0x80, 0x00, 0x00, 0x09, 3, 0, 0x00, 0x09, 0xFB, 1, 2, 3];
        assert_eq!(engine(&cisco), Some(Engine { enterprise: 9, mac: Some("00:09:fb:01:02:03".to_owned()) }));
    }

    #[test]
    fn other_formats_tell_the_maker_only() {
        for id in [&[0x80, 0, 0, 9, 4, b'p', b'u', b'm', b'p'][..], &[0, 0, 0, 9, 3, 0, 9, 0xFB, 1, 2, 3, 4]]
        {
            assert_eq!(engine(id), Some(Engine { enterprise: 9, mac: None }));
        }
    }

    #[test]
    fn numbers_that_are_too_short_or_of_nobody_tell_nothing() {
        for id in [&[][..], &[0x80, 0, 0, 9], &[0x80, 0, 0, 0, 3, 0, 9, 0xFB, 1, 2, 3], &[0x80; 33]] {
            assert_eq!(engine(id), None, "{id:?}");
        }
    }
}
