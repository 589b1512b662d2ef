//! What the work on a partition has added up to, stored with its memory.
//!
//! The counters of a process begin anew with it, and count a range that was replayed by another process there. The ledger is
//! part of the memory: it counts every message exactly once, whoever worked on it. So the sums between one service and the
//! next can be held against each other, however often either was killed. `v_ledger` in ClickHouse shows it.

use std::collections::BTreeMap;

use tracing::warn;

use crate::entry::Entry;
use crate::tally::Tally;

/// The key that it is stored under; services' own keys have another form.
const KEY: &str = "ledger";

/// Counts by name; the label of one that has any follows its name, as in `enricher_rows_written{table=flows}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger(BTreeMap<String, u64>);

impl Ledger {
    /// Takes it out of the stored entries. One that cannot be read is begun anew: its counts are for people, nothing rests on
    /// them.
    pub(crate) fn take_from(entries: &mut Vec<Entry>) -> Self {
        let Some(place) = entries.iter().position(|entry| entry.key == KEY) else { return Self::default() };
        let read = serde_json::from_slice(&entries.swap_remove(place).value);
        Self(read.unwrap_or_else(|error| {
            warn!(%error, "the ledger of a partition cannot be read and begins anew");
            BTreeMap::new()
        }))
    }

    /// Adds what a range has added up to.
    pub(crate) fn add(&mut self, tally: &Tally) {
        for (name, label, value, count) in tally.counts() {
            let name = if label.is_empty() { name.to_owned() } else { format!("{name}{{{label}={value}}}") };
            self.count(name, count);
        }
    }

    /// Adds to one count.
    pub(crate) fn count(&mut self, name: String, count: u64) {
        let known = self.0.entry(name).or_default();
        *known = known.saturating_add(count);
    }

    /// As it is stored beside the memory: a JSON object.
    pub(crate) fn entry(&self) -> Entry {
        // A map of texts to numbers is always JSON.
        Entry { key: KEY.to_owned(), value: serde_json::to_vec(&self.0).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_was_stored() {
        let mut ledger = Ledger::default();
        for _ in 0..2 {
            let mut tally = Tally::default();
            tally.add("x_messages_received", 3);
            tally.add_labelled("x_rows_written", "table", "flows", 5);
            ledger.add(&tally);
        }
        let other = Entry { key: "received/north/s1/7".into(), value: vec![1] };
        let mut entries = vec![ledger.entry(), other.clone()];
        assert_eq!(entries[0].value, br#"{"x_messages_received":6,"x_rows_written{table=flows}":10}"#);
        assert_eq!(Ledger::take_from(&mut entries), ledger);
        assert_eq!(entries, [other]);
        assert_eq!(Ledger::take_from(&mut entries), Ledger::default());
    }

    #[test]
    fn one_that_cannot_be_read_is_begun_anew() {
        let mut entries = vec![Entry { key: KEY.into(), value: b"not JSON".to_vec() }];
        assert_eq!(Ledger::take_from(&mut entries), Ledger::default());
        assert!(entries.is_empty());
    }
}
