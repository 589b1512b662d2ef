//! Commands that have been applied, by their ids, so that one that was sent again counts once. The newest are
//! remembered, up to a bound.

use std::collections::{BTreeMap, BTreeSet};

use wardwatch_inventory::LogMoment;

/// Where a command stands in the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
struct Place {
    #[prost(uint32, tag = "1")]
    incarnation: u32,
    #[prost(uint64, tag = "2")]
    offset: u64,
}

/// Commands that have been applied.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ids: BTreeMap<String, Place>,
    by_place: BTreeMap<Place, String>,
    /// Ids that are to be stored, or removed where they are no longer here.
    changed: BTreeSet<String>,
}

impl Recent {
    /// Whether the command was applied before.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// Remembers a command; beyond the bound the oldest is forgotten. Gives how many were.
    pub(super) fn remember(&mut self, id: &str, at: LogMoment, most: usize) -> usize {
        self.enter(id, Place { incarnation: at.incarnation, offset: at.offset });
        self.changed.insert(id.to_owned());
        let mut forgotten = 0;
        while self.ids.len() > most.max(1) {
            let Some((_, oldest)) = self.by_place.pop_first() else { break };
            self.ids.remove(&oldest);
            self.changed.insert(oldest);
            forgotten += 1;
        }
        forgotten
    }

    /// Takes in what was stored under an id.
    pub(super) fn restore(&mut self, id: &str, value: &[u8]) -> Result<(), prost::DecodeError> {
        let place = <Place as prost::Message>::decode(value)?;
        self.enter(id, place);
        Ok(())
    }

    /// Ids and what is to be stored under each; nothing where it is to be removed.
    pub(super) fn take_changed(&mut self) -> Vec<(String, Vec<u8>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|id| {
                let place = self.ids.get(&id).map(prost::Message::encode_to_vec);
                (id, place.unwrap_or_default())
            })
            .collect()
    }

    fn enter(&mut self, id: &str, place: Place) {
        self.ids.insert(id.to_owned(), place);
        self.by_place.insert(place, id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(offset: u64) -> LogMoment {
        LogMoment { incarnation: 1, partition: 0, offset, log_time: 0 }
    }

    #[test]
    fn the_newest_are_remembered_even_after_a_restart() {
        let mut recent = Recent::default();
        assert_eq!(recent.remember("a", moment(5), 2), 0);
        assert_eq!(recent.remember("b", moment(7), 2), 0);
        assert_eq!(recent.remember("c", moment(9), 2), 1);
        assert_eq!([recent.holds("a"), recent.holds("b"), recent.holds("c")], [false, true, true]);

        let stored = recent.take_changed();
        assert!(recent.take_changed().is_empty(), "nothing changed since");
        let mut after = Recent::default();
        for (id, value) in stored.iter().rev() {
            if value.is_empty() {
                assert_eq!(id, "a");
            } else {
                after.restore(id, value).expect("our own encoding");
            }
        }
        assert_eq!(after.remember("d", moment(11), 2), 1);
        assert_eq!([after.holds("b"), after.holds("c"), after.holds("d")], [false, true, true]);
    }
}
