//! What a range of messages adds to the counters. It is counted when the range is committed, so that a partition that
//! starts again from its memory does not count twice.

use std::borrow::Cow;
use std::collections::BTreeMap;

use wardwatch_service::Counters;

/// Counts of one range, by counter and reason.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<(Cow<'static, str>, &'static str, &'static str), u64>);

impl Tally {
    /// Adds to a counter without labels.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, count: usize) {
        self.add_labelled(name, "", "", count);
    }

    /// Adds to a counter with one label.
    pub fn add_labelled(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        label: &'static str,
        value: &'static str,
        count: usize,
    ) {
        if count > 0 {
            *self.0.entry((name.into(), label, value)).or_default() += count as u64;
        }
    }

    /// What it holds: name, label, the label's value, count. Label and value are empty where there is none.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, &str, &str, u64)> {
        self.0.iter().map(|((name, label, value), count)| (name.as_ref(), *label, *value, *count))
    }

    /// Counts what it holds.
    pub fn count(self, counters: &Counters) {
        for ((name, label, value), count) in self.0 {
            let labels: &[(&str, &str)] = if label.is_empty() { &[] } else { &[(label, value)] };
            counters.counter(&name, labels).add(count);
        }
    }
}
