//! Character strings of a dataset (PS3.5, 6.1): the specific character set says how to read them.

/// How the octets of LO, SH and UT values are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CharacterSet {
    /// The default repertoire, and every set of which only this part can be read here.
    #[default]
    Ascii,
    Latin1,
    Utf8,
}

impl CharacterSet {
    /// From the value of (0008,0005). Values of other sets (C.12.1.1.2) are read as far as they are ASCII.
    pub(super) fn from_value(value: &[u8]) -> Self {
        let first = value.split(|byte| *byte == b'\\').map(<[u8]>::trim_ascii).find(|term| !term.is_empty());
        match first {
            Some(b"ISO_IR 192") => Self::Utf8,
            Some(b"ISO_IR 100" | b"ISO 2022 IR 100") => Self::Latin1,
            _ => Self::Ascii,
        }
    }

    /// The text; empty when it cannot be read.
    pub(super) fn read(self, value: &[u8]) -> String {
        let text = match self {
            Self::Latin1 => value.iter().copied().map(char::from).collect(),
            Self::Utf8 => std::str::from_utf8(value).unwrap_or_default().to_owned(),
            Self::Ascii if value.is_ascii() => String::from_utf8_lossy(value).into_owned(),
            Self::Ascii => String::new(),
        };
        text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_set_decides_how_an_umlaut_is_read() {
        assert_eq!(CharacterSet::from_value(b"ISO_IR 100 ").read(b"Dr\xe4ger "), "Dräger");
        assert_eq!(CharacterSet::from_value(b"ISO_IR 192").read("Dräger".as_bytes()), "Dräger");
        assert_eq!(CharacterSet::from_value(b"ISO_IR 192").read(b"Dr\xe4ger"), "");
        assert_eq!(CharacterSet::from_value(b"\\ISO 2022 IR 87").read(b"\xb0\xa1"), "");
        assert_eq!(CharacterSet::from_value(b"").read(b"ACME\0"), "ACME");
    }
}
