//! The client's full name, option 81 (RFC 4702).

/// E: the name is in the canonical wire format, not in the deprecated ASCII form (RFC 4702, 2.1).
const CANONICAL: u8 = 0x04;

/// Labels that are read of one name (RFC 1035, 2.3.4 allows 127).
const MOST_LABELS: usize = 127;

/// The name, joined by dots. A client that knows only its host name sends that.
pub(super) fn full_name(option: &[u8]) -> Option<String> {
    // Two octets of response codes stand between; servers and clients must ignore them.
    let ([flags, _, _], name) = option.split_first_chunk::<3>()?;
    if flags & CANONICAL == 0 {
        return str::from_utf8(name).ok().map(str::to_owned);
    }
    canonical(name)
}

fn canonical(mut name: &[u8]) -> Option<String> {
    let mut labels = Vec::new();
    while let Some((length, rest)) = name.split_first().filter(|(length, _)| **length != 0) {
        // Compression is not allowed here, so that 63 is the longest (RFC 4702, 2.3.1).
        let (label, rest) = rest.split_at_checked(usize::from(*length)).filter(|_| *length <= 63)?;
        labels.push(str::from_utf8(label).ok()?);
        if labels.len() > MOST_LABELS {
            return None;
        }
        name = rest;
    }
    (!labels.is_empty()).then(|| labels.join("."))
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
    }

    #[test]
    fn a_host_name_alone_is_not_terminated() {
        assert_eq!(full_name(b"\x04\0\0\x05pump7").as_deref(), Some("pump7"));
    }

    #[test]
    fn what_runs_over_its_end_is_no_name() {
        assert_eq!(full_name(b"\x04\0\0\x09pump7"), None);
        assert_eq!(full_name(b"\x04\0\0\xC0\x0C"), None);
        assert_eq!(full_name(b"\x04\0"), None);
    }
}
