//! Who says what, found by what is said.
//!
//! Of a value no more is kept than a hash, since it stands in the statements. Two values may share one, so whoever asks looks
//! at what the dossiers say.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap};
use wardwatch_proto::v1::Attribute;

use crate::register::Places;

/// Dossiers by the hash of an attribute and its value. Most values are said by one endpoint or two.
#[derive(Debug, Default)]
pub(crate) struct Claimants {
    by_hash: HashMap<u64, Places>,
    hasher: DefaultHashBuilder,
}

impl Claimants {
    /// Those that may say so.
    pub(crate) fn of(&self, attribute: Attribute, value: &str) -> &[u32] {
        self.by_hash.get(&self.hash(attribute, value)).map(Places::as_slice).unwrap_or_default()
    }

    /// One more says so. How many do now.
    pub(crate) fn add(&mut self, attribute: Attribute, value: &str, at: u32) -> usize {
        let places = self.by_hash.entry(self.hash(attribute, value)).or_default();
        if let Err(place) = places.binary_search(&at) {
            places.insert(place, at);
        }
        places.len()
    }

    /// One says so no longer.
    pub(crate) fn remove(&mut self, attribute: Attribute, value: &str, at: u32) {
        let hash = self.hash(attribute, value);
        let Some(places) = self.by_hash.get_mut(&hash) else { return };
        if let Ok(place) = places.binary_search(&at) {
            places.remove(place);
        }
        if places.is_empty() {
            self.by_hash.remove(&hash);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.by_hash.clear();
    }

    fn hash(&self, attribute: Attribute, value: &str) -> u64 {
        self.hasher.hash_one((attribute, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_so_is_found_until_he_no_longer_does() {
        let mut claimants = Claimants::default();
        assert_eq!(claimants.add(Attribute::SerialNumber, "S1", 9), 1);
        assert_eq!(claimants.add(Attribute::SerialNumber, "S1", 4), 2);
        assert_eq!(claimants.add(Attribute::SerialNumber, "S1", 9), 2, "each once");
        assert_eq!(claimants.of(Attribute::SerialNumber, "S1"), [4, 9]);
        assert!(claimants.of(Attribute::SerialNumber, "S2").is_empty());
        assert!(claimants.of(Attribute::AssetTag, "S1").is_empty());
        claimants.remove(Attribute::SerialNumber, "S1", 4);
        claimants.remove(Attribute::SerialNumber, "S1", 5);
        assert_eq!(claimants.of(Attribute::SerialNumber, "S1"), [9]);
    }
}
