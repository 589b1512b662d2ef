//! What one side has asked and the other has not answered yet, by what ties an answer to its question.

/// At most so many; the oldest makes room, since it will hardly be answered any more.
#[derive(Debug)]
pub(crate) struct Pending<K, V, const MOST: usize>(Vec<(K, V)>);

impl<K, V, const MOST: usize> Default for Pending<K, V, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, V, const MOST: usize> Pending<K, V, MOST> {
    pub(crate) fn add(&mut self, key: K, value: V) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((key, value));
    }

    /// The oldest under this key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.iter().find(|(of, _)| of == key).map(|(_, value)| value)
    }

    /// The same, which is no longer pending then.
    pub(crate) fn take(&mut self, key: &K) -> Option<V> {
        let place = self.0.iter().position(|(of, _)| of == key)?;
        // The others stay in the order of their age.
        Some(self.0.remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_whatever_was_taken_before() {
        let mut pending = Pending::<u8, &str, 3>::default();
        for (key, value) in [(1, "a"), (2, "b"), (3, "c")] {
            pending.add(key, value);
        }
        assert_eq!(pending.take(&1), Some("a"));
        assert_eq!(pending.take(&1), None);
        pending.add(4, "d");
        pending.add(5, "e");
        assert_eq!(
            [2, 3, 4, 5].map(|key| pending.get(&key).copied()),
            [None, Some("c"), Some("d"), Some("e")]
        );
    }
}
