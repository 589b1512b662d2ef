//! Everything that was read at one moment, and the questions that the hops ask of it.

use std::collections::{BTreeMap, BTreeSet};

use super::hop::Total as _;
use super::log::Log;
use super::service::Service;
use super::tables::{LedgerRow, Tables};

/// Everything that was read at one moment. What was not asked for is `None`; what could not be read says why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings {
    pub(crate) services: Vec<Service>,
    pub(crate) log: Option<Result<Log, String>>,
    pub(crate) tables: Option<Result<Tables, String>>,
}

impl Readings {
    /// The log, where it could be read.
    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()?.as_ref().ok()
    }

    /// The tables, where they could be read.
    pub(crate) fn tables(&self) -> Option<&Tables> {
        self.tables.as_ref()?.as_ref().ok()
    }
}

impl Tables {
    /// The sum of a counter over all partitions and labels of a service's ledger.
    pub(crate) fn counted(&self, counter: &str) -> u64 {
        self.rows_of(counter).map(|row| row.count).total()
    }

    /// The same for one value of the label.
    pub(crate) fn counted_as(&self, counter: &str, value: &str) -> u64 {
        self.rows_of(counter).filter(|row| row.value == value).map(|row| row.count).total()
    }

    /// The same by partition.
    pub(crate) fn counted_by_partition(&self, counter: &str) -> BTreeMap<u32, u64> {
        let mut counts = BTreeMap::new();
        for row in self.rows_of(counter) {
            add(counts.entry(row.partition).or_default(), row.count);
        }
        counts
    }

    /// The same by the label's values.
    pub(crate) fn counted_by_value(&self, counter: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for row in self.rows_of(counter) {
            add(counts.entry(row.value.clone()).or_default(), row.count);
        }
        counts
    }

    fn rows_of(&self, counter: &str) -> impl Iterator<Item = &LedgerRow> {
        self.ledger.iter().filter(move |row| row.counter == counter)
    }

    /// Where the work of a service on each partition has come to: incarnation and first offset that is not in it.
    pub(crate) fn positions(&self, service: &str) -> BTreeMap<u32, (u32, u64)> {
        let mut positions = BTreeMap::new();
        let ledger = self.ledger.iter().filter(|row| row.service == service);
        let ends = ledger.map(|row| (row.partition, (row.incarnation, row.offset_end)));
        // What was lost was passed, though nothing may have come after it yet.
        let losses = self.losses.iter().filter(|loss| loss.service == service);
        for (partition, end) in
            ends.chain(losses.map(|loss| (loss.partition, (loss.incarnation, loss.offset_end))))
        {
            let known = positions.entry(partition).or_insert(end);
            *known = end.max(*known);
        }
        positions
    }

    /// Messages of a partition that the log removed before a service came to them.
    pub(crate) fn lost(&self, service: &str) -> BTreeMap<u32, u64> {
        let mut lost = BTreeMap::new();
        for loss in self.losses.iter().filter(|loss| loss.service == service) {
            add(lost.entry(loss.partition).or_default(), loss.messages);
        }
        lost
    }

    /// Rows of a table that a service has counted into it: those that it wrote, and those that a replay found written.
    pub(crate) fn rows_into(&self, service: &str, table: &str) -> u64 {
        ["written", "skipped"]
            .map(|what| self.counted_as(&format!("{service}_rows_{what}"), table))
            .iter()
            .total()
    }

    /// Whether rows that came at this time, in milliseconds, may have been removed from a table by its retention.
    pub(crate) fn is_beyond_retention(&self, table: &str, at: i64) -> bool {
        const DAY: i64 = 86_400_000;
        // A day of grace: rows are removed when parts are merged, and days of the broker's clock begin when they like.
        self.retention.get(table).is_some_and(|days| at < self.now - (i64::from(*days) - 1).max(0) * DAY)
    }

    /// The sensors (site and name) of which rows of a table may have been removed.
    pub(crate) fn sensors_beyond_retention(&self, table: &str) -> BTreeSet<(String, String)> {
        let old = self.boots.iter().filter(|boot| self.is_beyond_retention(table, boot.first_heard));
        old.map(|boot| (boot.site.clone(), boot.sensor.clone())).collect()
    }

    /// Whether rows of a table may have been removed at all.
    pub(crate) fn may_have_lost_rows(&self, table: &str) -> bool {
        let first = self.boots.iter().map(|boot| boot.first_heard).min();
        first.is_some_and(|first| self.is_beyond_retention(table, first))
    }
}

fn add(to: &mut u64, count: u64) {
    *to = to.saturating_add(count);
}
