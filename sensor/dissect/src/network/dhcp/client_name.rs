//! The client's full name, option 81 (RFC 4702).

use crate::network::domain_name::canonical;

/// E: the name is in the canonical wire format, not in the deprecated ASCII form (RFC 4702, 2.1).
const CANONICAL: u8 = 0x04;

/// The name, joined by dots. A client that knows only its host name sends that.
pub(super) fn full_name(option: &[u8]) -> Option<String> {
    // Two octets of response codes stand between; servers and clients must ignore them.
    let ([flags, _, _], name) = option.split_first_chunk::<3>()?;
    if flags & CANONICAL == 0 {
        return str::from_utf8(name).ok().map(str::to_owned);
    }
    canonical(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read() {
        assert_eq!(
            full_name(b"\x04\0\0\x05pump7\x04ward\x07example\0").as_deref(),
            Some("pump7.ward.example")
        );
        assert_eq!(full_name(b"\x00\0\0pump7.ward.example").as_deref(), Some("pump7.ward.example"));
        assert_eq!(full_name(b"\x04\0\0\x05pump7").as_deref(), Some("pump7"));
    }

    #[test]
    fn what_runs_over_its_end_is_no_name() {
        assert_eq!(full_name(b"\x04\0\0\x09pump7"), None);
        assert_eq!(full_name(b"\x04\0\0\xC0\x0C"), None);
        assert_eq!(full_name(b"\x04\0"), None);
    }
}
