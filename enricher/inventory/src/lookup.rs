//! Finds entries of a list by their keys, which stand in the list and nowhere else: of a million devices that is memory saved.

use std::hash::{BuildHasher as _, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Places in a list, by the keys of what stands there. Each call is told how to read the key at a place.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Lookup {
    /// Where the entry of this key stands.
    pub(crate) fn find<'a, K>(&self, key: &K, key_at: impl Fn(u32) -> Option<&'a K>) -> Option<u32>
    where
        K: Hash + Eq + 'a,
    {
        self.places.find(self.hasher.hash_one(key), |at| key_at(*at) == Some(key)).copied()
    }

    /// Enters a place, at which the key can be read already, and which was not entered before.
    pub(crate) fn enter<'a, K>(&mut self, at: u32, key_at: impl Fn(u32) -> Option<&'a K>)
    where
        K: Hash + Eq + 'a,
    {
        let Self { places, hasher } = self;
        let hash = |at: &u32| key_at(*at).map_or(0, |key| hasher.hash_one(key));
        places.insert_unique(hash(&at), at, hash);
    }

    /// Strikes a place out, at which the key can still be read.
    pub(crate) fn remove<'a, K>(&mut self, at: u32, key_at: impl Fn(u32) -> Option<&'a K>)
    where
        K: Hash + Eq + 'a,
    {
        let hash = key_at(at).map_or(0, |key| self.hasher.hash_one(key));
        if let Ok(found) = self.places.find_entry(hash, |known| *known == at) {
            found.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_found_until_it_is_removed() {
        let list: Vec<String> = (0..1000).map(|number| format!("key {number}")).collect();
        let key_at = |at: u32| list.get(at as usize);
        let mut lookup = Lookup::default();
        for at in 0..1000 {
            assert_eq!(lookup.find(&list[at as usize], key_at), None);
            lookup.enter(at, key_at);
        }
        lookup.remove(7, key_at);
        for at in 0..1000 {
            assert_eq!(lookup.find(&list[at as usize], key_at), (at != 7).then_some(at));
        }
        assert_eq!(lookup.find(&"another".to_owned(), key_at), None);
    }
}
