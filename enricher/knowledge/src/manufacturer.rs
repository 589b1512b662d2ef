//! Makers: one name each for the many spellings, and the tables that lead to them.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde::Deserialize;
use wardwatch_proto::v1::Protocol;

use crate::condition::named;
use crate::error::KnowledgeError;
use crate::pack::Entry;

/// Words that say what kind of company it is and nothing else.
const LEGAL_FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "llc",
    "plc",
    "gmbh",
    "ag",
    "kg",
    "kgaa",
    "sa",
    "spa",
    "srl",
    "bv",
    "nv",
    "ab",
    "as",
    "oy",
    "sas",
    "kk",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawManufacturer {
    name: String,
    makes: Option<String>,
    #[serde(default)]
    is_virtual: bool,
    #[serde(default)]
    spellings: Vec<String>,
    #[serde(default)]
    spellings_in: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum RawPrefix {
    Manufacturer(String),
    Division { manufacturer: String, makes: String },
}

/// Whom a MAC address is registered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Canonical name.
    pub manufacturer: String,
    /// The one category it makes devices of; empty where it makes several.
    pub makes: String,
    /// The interface is a virtual machine's: who made the machine is not known.
    pub is_virtual: bool,
}

/// Names, spellings and MAC prefixes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manufacturers {
    /// What each makes, by canonical name.
    makes: HashMap<String, String>,
    /// Whose MAC addresses are virtual machines'.
    virtual_makers: HashSet<String>,
    /// Canonical name by folded spelling and, where it means this one only there, protocol.
    spellings: HashMap<(Protocol, String), String>,
    /// By prefix, left-aligned in 36 bits, and its length in bits.
    prefixes: HashMap<(u64, u8), Registered>,
}

impl Manufacturers {
    pub(crate) fn add(&mut self, entry: Entry<RawManufacturer>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        for spelling in raw.spellings.iter().chain([&raw.name]) {
            self.spellings.insert((Protocol::Unspecified, fold(spelling)), raw.name.clone());
        }
        for (word, spellings) in &raw.spellings_in {
            let protocols = named(std::slice::from_ref(word), &place, &format!("spellings_in.{word}"))?;
            for (protocol, spelling) in protocols.iter().flat_map(|p| spellings.iter().map(move |s| (*p, s)))
            {
                self.spellings.insert((protocol, fold(spelling)), raw.name.clone());
            }
        }
        if raw.is_virtual {
            self.virtual_makers.insert(raw.name.clone());
        }
        self.makes.insert(raw.name, raw.makes.unwrap_or_default());
        Ok(())
    }

    pub(crate) fn add_prefixes(
        &mut self,
        entry: Entry<BTreeMap<String, RawPrefix>>,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: prefixes } = entry;
        for (text, raw) in prefixes {
            let prefix = parse_prefix(&text).ok_or_else(|| {
                place.wrong(&text, "must be 24, 28 or 36 bits written as 00:1a:2b[:c[d:e]]")
            })?;
            let (manufacturer, makes) = match raw {
                RawPrefix::Manufacturer(manufacturer) => {
                    let makes = self.makes(&manufacturer).to_owned();
                    (manufacturer, makes)
                }
                RawPrefix::Division { manufacturer, makes } => (manufacturer, makes),
            };
            let is_virtual = self.virtual_makers.contains(&manufacturer);
            let registered = Registered { manufacturer, makes, is_virtual };
            if !self.is_known(&registered.manufacturer) {
                return Err(
                    place.wrong(&text, format!("no manufacturer is called {:?}", registered.manufacturer))
                );
            }
            self.prefixes.insert(prefix, registered);
        }
        Ok(())
    }

    pub(crate) fn is_known(&self, name: &str) -> bool {
        self.makes.contains_key(name)
    }

    /// The canonical name for a spelling met in a protocol.
    pub(crate) fn canonical(&self, spelling: &str, protocol: Protocol) -> Option<&str> {
        let mut key = (protocol, fold(spelling));
        let here = self.spellings.get(&key);
        key.0 = Protocol::Unspecified;
        here.or_else(|| self.spellings.get(&key)).map(String::as_str)
    }

    /// The one category that it makes devices of; empty where it makes several or is not known.
    pub(crate) fn makes(&self, name: &str) -> &str {
        self.makes.get(name).map_or("", String::as_str)
    }

    /// By the longest prefix. A locally administered address (IEEE 802c) is registered to nobody.
    pub(crate) fn registered(&self, mac: [u8; 6]) -> Option<&Registered> {
        if mac[0] & 0b10 != 0 {
            return None;
        }
        let address = mac.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet)) >> 12;
        [36, 28, 24].iter().find_map(|length| {
            let mask = !0_u64 << (36 - length);
            self.prefixes.get(&(address & mask, *length))
        })
    }
}

/// A spelling without case, punctuation, blanks and trailing legal forms.
fn fold(spelling: &str) -> String {
    let mut words: Vec<String> = spelling
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    while words.len() > 1 && words.last().is_some_and(|last| LEGAL_FORMS.contains(&last.as_str())) {
        words.pop();
    }
    words.concat()
}

/// Prefix, left-aligned in 36 bits, and length.
fn parse_prefix(text: &str) -> Option<(u64, u8)> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let length = match digits.len() {
        6 => 24,
        7 => 28,
        9 => 36,
        _ => return None,
    };
    let bits = u64::from_str_radix(&digits, 16).ok()?;
    Some((bits << (36 - length), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_fold_to_what_tells_makers_apart() {
        assert_eq!(fold("G.E. Medical Systems"), fold("GE MEDICAL SYSTEMS"));
        assert_eq!(fold("B.Braun Melsungen AG"), fold("B. Braun Melsungen"));
        assert_eq!(fold("Drägerwerk AG & Co. KGaA"), fold("Drägerwerk"));
        assert_ne!(fold("GE"), fold("GE Medical Systems"));
        // A name that is nothing but a legal form keeps it.
        assert_eq!(fold("AS"), "as");
    }

    #[test]
    fn prefixes_have_the_three_lengths_of_the_registry() {
        assert_eq!(parse_prefix("00:09:fb"), Some((0x0000_09fb << 12, 24)));
        assert_eq!(parse_prefix("50:a0:30:8"), Some((0x50a_0308 << 8, 28)));
        assert_eq!(parse_prefix("70:b3:d5:20:c"), Some((0x0007_0b3d_520c, 36)));
        assert_eq!(parse_prefix("00:09"), None);
        assert_eq!(parse_prefix("no:pe:00"), None);
    }
}
