//! The words under which the contracts' enums appear in JSON, tables, ClickHouse and configuration: the enum's name
//! without its prefix, in lower case (`ATTRIBUTE_SERIAL_NUMBER` is `serial_number`). Unspecified is empty.
//!
//! And what may be a name at all.

use std::sync::LazyLock;

use crate::v1::{Attribute, EndReason, Protocol, Severity, Status, TunnelKind, subject};

/// An enum whose values have a word for people and queries.
pub trait Named: Copy + Sized + 'static {
    /// The word, empty for the unspecified value.
    fn name(self) -> &'static str;
    /// The value that carries this word.
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! named {
    ($kind:ty, $prefix:literal) => {
        impl Named for $kind {
            fn name(self) -> &'static str {
                static NAMES: LazyLock<Vec<(i32, String)>> = LazyLock::new(|| {
                    let known = (0..1024).filter_map(|number| <$kind>::try_from(number).ok());
                    known.map(|value| (value as i32, word(value.as_str_name(), $prefix))).collect()
                });
                let at = NAMES.binary_search_by_key(&(self as i32), |(number, _)| *number);
                at.map_or("", |index| NAMES[index].1.as_str())
            }

            fn from_name(name: &str) -> Option<Self> {
                let wanted = format!("{}{}", $prefix, name.to_ascii_uppercase().replace('-', "_"));
                Self::from_str_name(&wanted).filter(|value| *value as i32 != 0)
            }
        }
    };
}

named!(Attribute, "ATTRIBUTE_");
named!(Protocol, "PROTOCOL_");
named!(EndReason, "END_REASON_");
named!(TunnelKind, "TUNNEL_KIND_");
named!(Severity, "SEVERITY_");
named!(Status, "STATUS_");
named!(subject::Role, "ROLE_");

fn word(full: &str, prefix: &str) -> String {
    let bare = full.strip_prefix(prefix).unwrap_or(full);
    if bare == "UNSPECIFIED" { String::new() } else { bare.to_ascii_lowercase() }
}

/// The longest name of a site, sensor, operator or pack, in octets.
pub const LONGEST: usize = 128;

/// Whether this may be the name of a site, sensor, operator or pack: one to 128 octets without control characters.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control)
}

/// Every attribute that may leave a sensor, in the order of the contract.
pub fn attributes() -> impl Iterator<Item = Attribute> {
    (1..1024).filter_map(|number| Attribute::try_from(number).ok())
}

/// Every protocol that is recognised by content, in the order of the contract.
pub fn protocols() -> impl Iterator<Item = Protocol> {
    (1..1024).filter_map(|number| Protocol::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        assert!(is_name("north/ward 3, Gebäude Ä"));
        assert!(is_name(&"n".repeat(128)));
        for bad in ["", "a\nb", "\u{7f}", &"n".repeat(129)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn every_word_leads_back_to_its_value() {
        for attribute in attributes() {
            assert_eq!(Attribute::from_name(attribute.name()), Some(attribute));
        }
        for protocol in protocols() {
            assert_eq!(Protocol::from_name(protocol.name()), Some(protocol));
        }
        assert_eq!(Attribute::SerialNumber.name(), "serial_number");
        assert_eq!(Protocol::Unspecified.name(), "");
        assert_eq!(subject::Role::Sender.name(), "sender");
        assert_eq!(Attribute::from_name("patient_name"), None);
    }
}
