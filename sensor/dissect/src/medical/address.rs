//! Hardware addresses as they are written in hierarchic designators and entity identifiers (HL7 v2, 2.A.33, 2.A.28).

/// An EUI-64 of 16 hexadecimal digits, with or without separators, as octets joined by colons. One of zeros is none.
pub(crate) fn eui64(text: &str) -> Option<String> {
    octets(text, 16)
}

/// A MAC address. Twelve digits without separators and without a letter are a number of some other kind.
pub(crate) fn mac(text: &str) -> Option<String> {
    let is_marked = text.contains([':', '-']) || text.contains(|c: char| c.is_ascii_alphabetic());
    octets(text, 12).filter(|_| is_marked)
}

fn octets(text: &str, digits: usize) -> Option<String> {
    let plain: String =
        text.chars().filter(|c| !":-. ".contains(*c)).map(|c| c.to_ascii_lowercase()).collect();
    let shaped = plain.len() == digits
        && plain.bytes().all(|byte| byte.is_ascii_hexdigit())
        && plain.bytes().any(|byte| byte != b'0');
    shaped.then(|| {
        let pairs: Vec<&str> = (0..digits).step_by(2).filter_map(|at| plain.get(at..at + 2)).collect();
        pairs.join(":")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_numbers() {
        assert_eq!(eui64("0012210000000001").as_deref(), Some("00:12:21:00:00:00:00:01"));
        assert_eq!(eui64("0000000000000000"), None);
        assert_eq!(eui64("PUMP000000000001"), None);
        assert_eq!(mac("84-2F-75-00-11-22").as_deref(), Some("84:2f:75:00:11:22"));
        assert_eq!(mac("842F75001122").as_deref(), Some("84:2f:75:00:11:22"));
        assert_eq!(mac("123456789012"), None);
    }
}
