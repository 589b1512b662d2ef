//! A host's full name in the DHCP options that carry it: in the form of the DNS, without compression (RFC 4702, 2.3.1;
//! RFC 4704, 4.2).

/// Labels that are read of one name (RFC 1035, 2.3.4 allows 127).
const MOST_LABELS: usize = 127;

/// The name, joined by dots. A client that knows only its host name sends that, without an end.
pub(super) fn canonical(mut name: &[u8]) -> Option<String> {
    let mut labels = Vec::new();
    while let Some((length, rest)) = name.split_first().filter(|(length, _)| **length != 0) {
        // Compression is not allowed here, so that 63 is the longest.
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
    fn a_host_name_alone_is_not_terminated() {
        assert_eq!(canonical(b"\x05pump7\x04ward\x07example\0").as_deref(), Some("pump7.ward.example"));
        assert_eq!(canonical(b"\x05pump7").as_deref(), Some("pump7"));
    }

    #[test]
    fn what_runs_over_its_end_is_no_name() {
        for name in [&b"\x09pump7"[..], b"\xC0\x0C", b""] {
            assert_eq!(canonical(name), None);
        }
    }
}
