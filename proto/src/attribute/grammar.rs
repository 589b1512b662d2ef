//! What a value may look like. Each shape follows the standard that defines the attribute, and excludes what the
//! carriers of people's names need: `^` and `=` (HL7 XPN, DICOM PN), `|`, `~`, `@`, quotes and line breaks.

/// The shape of an attribute's values. Lengths are in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// Words of letters and digits in any script, joined by blanks and `.,-_/()&+#:'%°®™`; at least one letter.
    Text {
        /// Longest value.
        longest: usize,
    },
    /// As [`Grammar::Text`], without commas, and digits alone will do: names of applications, stations and objects.
    Label {
        /// Longest value.
        longest: usize,
    },
    /// As [`Grammar::Label`], and `*`, which stands for a host in the name of a server's certificate (RFC 6125, 6.4.3).
    CommonName {
        /// Longest value.
        longest: usize,
    },
    /// A unit's number: letters, digits and `-_./:#()` with at most single blanks, and at least one digit.
    Identifier {
        /// Longest value.
        longest: usize,
    },
    /// A version: letters, digits, blanks and `.-_+/:,()[]#*`, at least one digit.
    Version {
        /// Longest value.
        longest: usize,
    },
    /// Product tokens with comments (RFC 9110, 10.1.5): visible ASCII without quotes, `^`, `|`, `@`, `~`, `=`.
    Product {
        /// Longest value.
        longest: usize,
    },
    /// ASCII letters and digits joined by the given separators, no blanks.
    Words {
        /// Which other characters may stand in it.
        separators: &'static str,
        /// Longest value.
        longest: usize,
    },
    /// One word out of a list.
    Token {
        /// The list.
        of: &'static [&'static str],
    },
    /// Labels of letters, digits, `-` and `_` joined by dots, 253 characters in all (RFC 1123, 2.1); lower case.
    HostName,
    /// IPv4 or IPv6.
    IpAddress,
    /// Octets in lower-case hexadecimal joined by colons.
    HardwareAddress {
        /// 6 for a MAC address, 8 for an EUI-64.
        octets: usize,
    },
    /// An object identifier or DICOM UID (PS3.5, 9.1): numbers without leading zeros joined by dots, 64 characters.
    Oid,
    /// A calendar date `YYYY-MM-DD`.
    Date,
    /// A number without sign.
    Decimal {
        /// Largest value.
        most: u64,
    },
    /// Numbers joined by commas.
    NumberList {
        /// Largest entry.
        most: u64,
        /// Most entries.
        entries: usize,
    },
    /// Lower-case hexadecimal of a fixed length.
    Hex {
        /// Number of digits.
        digits: usize,
    },
    /// A UUID in lower-case hexadecimal, without `urn:uuid:` (RFC 9562, 4).
    Uuid,
    /// A JA4 fingerprint: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
    Ja4,
    /// A DICOM application entity title (PS3.5, 6.2): 1 to 16 visible ASCII characters and blanks, no backslash.
    AeTitle,
}

impl Grammar {
    /// Whether the value, already trimmed, has this shape.
    pub fn matches(self, value: &str) -> bool {
        match self {
            Self::Text { longest } => {
                within(value, longest) && value.chars().any(char::is_alphabetic) && all(value, is_text)
            }
            Self::Label { longest } => within(value, longest) && all(value, |c| is_text(c) && c != ','),
            Self::CommonName { longest } => {
                within(value, longest) && all(value, |c| c == '*' || is_text(c) && c != ',')
            }
            Self::Identifier { longest } => {
                within(value, longest)
                    && has_digit(value)
                    && !value.contains("  ")
                    && all_ascii(value, b"-_./:#() ")
            }
            Self::Version { longest } => {
                within(value, longest) && has_digit(value) && all_ascii(value, b".-_+/:,()[]#* ")
            }
            Self::Product { longest } => within(value, longest) && value.bytes().all(is_product),
            Self::Words { separators, longest } => {
                within(value, longest) && all_ascii(value, separators.as_bytes())
            }
            Self::Token { of } => of.contains(&value),
            Self::HostName => is_host_name(value),
            Self::IpAddress => value.parse::<std::net::IpAddr>().is_ok(),
            Self::HardwareAddress { octets } => is_hardware_address(value, octets),
            Self::Oid => is_oid(value),
            Self::Date => is_date(value),
            Self::Decimal { most } => is_decimal(value, most),
            Self::NumberList { most, entries } => {
                value.split(',').count() <= entries && value.split(',').all(|entry| is_decimal(entry, most))
            }
            Self::Hex { digits } => value.len() == digits && value.bytes().all(is_lower_hex),
            Self::Uuid => is_uuid(value),
            Self::Ja4 => is_ja4(value),
            Self::AeTitle => {
                (1..=16).contains(&value.len())
                    && value
                        .bytes()
                        .all(|b| (b == b' ' || b.is_ascii_graphic()) && !b"\\^=|~@\"".contains(&b))
            }
        }
    }
}

fn within(value: &str, longest: usize) -> bool {
    !value.is_empty() && value.chars().count() <= longest
}

fn all(value: &str, allowed: impl Fn(char) -> bool) -> bool {
    value.chars().all(allowed)
}

fn is_text(c: char) -> bool {
    c.is_alphanumeric() || " .,-_/()&+#:'%°®™".contains(c)
}

fn all_ascii(value: &str, others: &[u8]) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_product(byte: u8) -> bool {
    (byte == b' ' || byte.is_ascii_graphic()) && !b"\"^|@~=<>\\`".contains(&byte)
}

fn is_host_name(value: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && all_ascii(label, b"-_")
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=253).contains(&value.len()) && value.split('.').all(label)
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_hardware_address(value: &str, octets: usize) -> bool {
    let mut count = 0;
    let shaped = value.split(':').all(|octet| {
        count += 1;
        octet.len() == 2 && octet.bytes().all(is_lower_hex)
    });
    shaped && count == octets
}

fn is_oid(value: &str) -> bool {
    let arc = |arc: &str| {
        !arc.is_empty()
            && arc.bytes().all(|byte| byte.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    };
    value.len() <= 64 && value.contains('.') && value.split('.').all(arc)
}

fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    let number = |range: std::ops::Range<usize>| value.get(range).and_then(|part| part.parse::<u16>().ok());
    bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
        && number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day))
}

fn is_decimal(value: &str, most: u64) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_digit())
        && value.parse::<u64>().is_ok_and(|number| number <= most)
}

fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|byte| byte == b'-' || is_lower_hex(byte))
}

fn is_ja4(value: &str) -> bool {
    let mut parts = value.split('_');
    let (Some(head), Some(ciphers), Some(extensions), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    head.len() == 10
        && head.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && [ciphers, extensions].iter().all(|hash| hash.len() == 12 && hash.bytes().all(is_lower_hex))
}
