//! What a range of messages adds to the counters. It is counted when the range is committed, so that a partition that
//! starts again from its memory does not count twice.
//!
//! The sums close: messages received = batches applied + batches resent + commands + messages put aside; facts received =
//! flows + observations believed + observations rejected + facts of no known kind.

use std::collections::BTreeMap;

use wardwatch_service::Counters;

/// Counts of one range, by counter and reason.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, &'static str, &'static str), u64>);

impl Tally {
    /// Adds to a counter without labels.
    pub(crate) fn add(&mut self, name: &'static str, count: usize) {
        self.add_labelled(name, "", "", count);
    }

    /// Adds to a counter with one label.
    pub(crate) fn add_labelled(
        &mut self,
        name: &'static str,
        label: &'static str,
        value: &'static str,
        count: usize,
    ) {
        *self.0.entry((name, label, value)).or_default() += count as u64;
    }

    /// Counts what it holds.
    pub(crate) fn count(self, counters: &Counters) {
        for ((name, label, value), count) in self.0 {
            let labels: &[(&str, &str)] = if label.is_empty() { &[] } else { &[(label, value)] };
            counters.counter(name, labels).add(count);
        }
    }
}
