//! Strings in fields of a fixed length, as controllers keep them.

/// The characters up to the first NUL, without the blanks around them: ASCII and, as older devices write, Latin-1. The
/// attribute's grammar decides what may be stated of them.
pub(super) fn fixed(field: &[u8]) -> String {
    let characters = field.split(|byte| *byte == 0).next().unwrap_or_default();
    characters.iter().copied().map(char::from).collect::<String>().trim().to_owned()
}

/// A string that says how it is encoded: UTF-8, or nothing.
pub(super) fn utf8(field: &[u8]) -> &str {
    str::from_utf8(field).unwrap_or_default().trim_matches(|c: char| c == '\0' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_not_part_of_a_string() {
        assert_eq!(fixed(b"CPU 315-2 PN/DP\0\0\0junk"), "CPU 315-2 PN/DP");
        assert_eq!(fixed(b"  6ES7 315  "), "6ES7 315");
        assert_eq!(fixed(&[b'K', 0xFC, b'h', b'l']), "Kühl");
        assert_eq!(utf8(b"Pumpe\0"), "Pumpe");
        assert_eq!(utf8(&[0xFF, 0xFE]), "");
    }
}
