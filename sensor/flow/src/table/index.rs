//! Slots of flows by hash: open addressing with linear probing.
//!
//! An entry has part of the hash beside the slot. So a look-up reads one cache line here, and then as good as always the flow
//! that it looks for; and growing reads no flow at all. The place is the upper bits of the hash, so that entries keep their
//! order when the index doubles: that is one pass from front to back. An index that grows with its flows, and is not made
//! for the most there may be, leaves the caches to the flows while they are few.

/// No slot: an entry that is free.
const FREE: u32 = u32::MAX;

/// Bits of the hash that are kept: as many as there can be entries.
const HASH_BITS: u32 = 32;

/// Two to this power: entries of an empty index.
const LEAST: u32 = 10;

#[derive(Debug, Clone, Copy)]
struct Entry {
    slot: u32,
    hash: u32,
}

/// Slots by hash. At least every other entry is free.
#[derive(Debug)]
pub(super) struct Index {
    /// A power of two of them.
    entries: Vec<Entry>,
    /// Takes a hash to its place.
    shift: u32,
    length: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::of_bits(LEAST)
    }
}

impl Index {
    fn of_bits(bits: u32) -> Self {
        let entries = vec![Entry { slot: FREE, hash: 0 }; 1 << bits];
        Self { entries, shift: HASH_BITS - bits, length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The slot with this hash that is the one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let place = self.place(hash, is_it)?;
        Some(self.entries[place].slot)
    }

    /// Reads the cache line in which the look-up of this hash begins.
    pub(super) fn touch(&self, hash: u64) -> u32 {
        self.entries[self.home(kept(hash))].slot
    }

    /// Adds a slot that is not there.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if (self.length + 1) * 2 > self.entries.len() && self.shift > 0 {
            self.grow();
        }
        self.put(Entry { slot, hash: kept(hash) });
    }

    /// Takes out a slot.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let Some(mut hole) = self.place(hash, |other| other == slot) else { return };
        self.length -= 1;
        // What follows moves up where the hole is between its home and its place: no look-up meets a hole too early.
        let mut place = hole;
        loop {
            place = self.after(place);
            let Entry { slot, hash } = self.entries[place];
            if slot == FREE {
                break;
            }
            if self.distance(self.home(hash), place) >= self.distance(hole, place) {
                self.entries[hole] = self.entries[place];
                hole = place;
            }
        }
        self.entries[hole].slot = FREE;
    }

    fn place(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let hash = kept(hash);
        let mut place = self.home(hash);
        loop {
            let entry = self.entries[place];
            if entry.slot == FREE {
                return None;
            }
            if entry.hash == hash && is_it(entry.slot) {
                return Some(place);
            }
            place = self.after(place);
        }
    }

    fn put(&mut self, entry: Entry) {
        let mut place = self.home(entry.hash);
        while self.entries[place].slot != FREE {
            place = self.after(place);
        }
        self.entries[place] = entry;
        self.length += 1;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = Self::of_bits(HASH_BITS - self.shift + 1);
        let smaller = std::mem::replace(self, larger);
        smaller.entries.into_iter().filter(|entry| entry.slot != FREE).for_each(|entry| self.put(entry));
    }

    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.entries.len() - 1)
    }

    /// How far on, going round at the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.entries.len() - 1)
    }
}

/// What is kept of a hash.
fn kept(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn is_any(_: u32) -> bool {
        true
    }

    #[test]
    fn it_grows_before_half_of_it_is_taken() {
        let mut index = Index::default();
        for slot in 0..100_000_u32 {
            // Spread by Fibonacci hashing.
            let hash = u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            index.insert(hash, slot);
            assert!(index.len() * 2 <= index.entries.len());
        }
        for slot in 0..100_000 {
            let hash = u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            assert_eq!(index.find(hash, |found| found == slot), Some(slot));
        }
        assert_eq!(index.find(1, |slot| slot == 100_000), None);
    }

    #[test]
    fn the_last_place_is_followed_by_the_first() {
        let mut index = Index::default();
        for slot in 0..4 {
            index.insert(u64::MAX, slot);
        }
        index.insert(0, 4);
        index.remove(u64::MAX, 1);
        assert_eq!((index.find(u64::MAX, |slot| slot == 1), index.len()), (None, 4));
        assert!([0, 2, 3].into_iter().all(|slot| index.find(u64::MAX, |found| found == slot) == Some(slot)));
        assert_eq!(index.find(0, is_any), Some(4));
    }

    proptest! {
        /// Against the standard library's map, with hashes that collide in all ways.
        #[test]
        fn it_holds_what_a_map_holds(steps in proptest::collection::vec((0_u64..40, any::<bool>()), 0..600)) {
            let (mut index, mut map) = (Index::default(), HashMap::new());
            for (slot, (name, adds)) in (0_u32..).zip(steps) {
                // Some homes at the very end, neighbours, and equal hashes of different names.
                let hash = (u64::MAX << 34).wrapping_add((name / 2) << 52);
                if adds && !map.contains_key(&name) {
                    index.insert(hash, slot);
                    map.insert(name, (hash, slot));
                } else if let Some((hash, slot)) = map.remove(&name) {
                    index.remove(hash, slot);
                }
                prop_assert_eq!((index.len(), index.is_empty()), (map.len(), map.is_empty()));
                for (hash, slot) in map.values() {
                    prop_assert_eq!(index.find(*hash, |found| found == *slot), Some(*slot));
                }
            }
        }
    }
}
