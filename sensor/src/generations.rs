//! A bounded memory: two generations of entries, of which the older is forgotten when the younger one is full.

use hashbrown::HashMap;

/// Remembers at most twice `capacity` entries by their fingerprints. What is used stays.
#[derive(Debug)]
pub(crate) struct Generations<V> {
    capacity: usize,
    current: HashMap<u64, V>,
    previous: HashMap<u64, V>,
}

impl<V> Generations<V> {
    /// So many entries for each generation, one at least.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), current: HashMap::new(), previous: HashMap::new() }
    }

    /// Forgets the older generation and begins another.
    pub(crate) fn turn(&mut self) {
        self.previous = std::mem::take(&mut self.current);
    }

    /// Whether the next entry begins another generation.
    pub(crate) fn is_full(&self) -> bool {
        self.current.len() >= self.capacity
    }

    /// An entry of the younger generation.
    pub(crate) fn current(&mut self, fingerprint: u64) -> Option<&mut V> {
        self.current.get_mut(&fingerprint)
    }

    /// Takes an entry out of the older generation.
    pub(crate) fn take_previous(&mut self, fingerprint: u64) -> Option<V> {
        self.previous.remove(&fingerprint)
    }

    /// Puts an entry into the younger generation.
    pub(crate) fn put(&mut self, fingerprint: u64, value: V) -> &mut V {
        if self.is_full() {
            self.turn();
        }
        self.current.entry(fingerprint).insert(value).into_mut()
    }

    /// The entry of either generation, or a new one.
    pub(crate) fn entry(&mut self, fingerprint: u64) -> &mut V
    where
        V: Default,
    {
        if !self.current.contains_key(&fingerprint) {
            let value = self.take_previous(fingerprint).unwrap_or_default();
            return self.put(fingerprint, value);
        }
        self.current.entry(fingerprint).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_there_is_never_more_than_twice_the_capacity() {
        let mut memory = Generations::new(4);
        *memory.entry(1) = 7;
        for other in 2..1000 {
            *memory.entry(other) += 1;
            assert_eq!(*memory.entry(1), 7, "used all the time");
            assert!(memory.current.len() <= 4 && memory.previous.len() <= 4);
        }
        assert_eq!(*memory.entry(2), 0, "forgotten long ago");
    }
}
