//! What a run of messages gave rise to, until it is worth writing.
//!
//! Where a range is cut follows the clock and the load, but what a message gives rise to does not, so the same rows are
//! written however a replay cuts.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use wardwatch_bus::Message;
use wardwatch_inventory::{Conclusions, LogMoment};
use wardwatch_proto::v1::Event;

use crate::record::Unreadable;
use crate::rows::{AttributeKey, AttributeRow, BatchIdentity, ChangeRow, DeviceRow, FlowRow};
use crate::tally::Tally;

/// Nanoseconds in a day.
const DAY: u64 = 86_400_000_000_000;
/// Messages that could not be read are kept whole, up to a mebibyte each.
const MOST_UNREADABLE: usize = 64;

/// What a run of messages of one partition gave rise to.
#[derive(Debug, Default)]
pub(crate) struct Range {
    span: Option<Span>,
    /// In the order of the log.
    pub(crate) flows: Vec<FlowRow>,
    /// The newest state of each, by site and id.
    pub(crate) devices: BTreeMap<(String, String), DeviceRow>,
    /// The newest state of each.
    pub(crate) attributes: BTreeMap<AttributeKey, AttributeRow>,
    /// In the order of the log.
    pub(crate) changes: Vec<ChangeRow>,
    /// In the order of the log.
    pub(crate) events: Vec<Event>,
    /// Messages that could not be read, and why.
    pub(crate) unreadable: Vec<(Message, Unreadable)>,
    /// What it adds to the counters.
    pub(crate) tally: Tally,
}

/// Which messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The first offset.
    pub(crate) first: u64,
    /// The last offset.
    pub(crate) last: u64,
    /// Day of the broker's clock.
    day: u64,
    /// When the first came.
    opened: Instant,
}

impl Range {
    /// Which messages it holds; `None` while there are none.
    pub(crate) fn span(&self) -> Option<Span> {
        self.span
    }

    /// Whether a message of this log time may be in it: an insert must stay within one day.
    pub(crate) fn admits(&self, log_time: u64) -> bool {
        self.span.is_none_or(|span| span.day == log_time / DAY)
    }

    /// Whether it holds as many rows of one kind as it may.
    pub(crate) fn is_full(&self, rows: usize) -> bool {
        let most = [
            self.flows.len(),
            self.devices.len(),
            self.attributes.len(),
            self.changes.len(),
            self.events.len(),
        ];
        most.into_iter().any(|count| count >= rows) || self.unreadable.len() >= MOST_UNREADABLE
    }

    /// When it is to be written, if nothing fills it before.
    pub(crate) fn due(&self, age: Duration) -> Option<Instant> {
        self.span.map(|span| span.opened + age)
    }

    /// A message belongs to it from now on, whatever comes of it.
    pub(crate) fn extend(&mut self, offset: u64, log_time: u64) {
        let fresh = Span { first: offset, last: offset, day: log_time / DAY, opened: Instant::now() };
        self.span.get_or_insert(fresh).last = offset;
        self.tally.add("enricher_messages_received", 1);
    }

    /// A message that could not be read.
    pub(crate) fn put_aside(&mut self, message: Message, reason: Unreadable) {
        self.tally.add_labelled("enricher_messages_put_aside", "reason", reason.word(), 1);
        self.unreadable.push((message, reason));
    }

    /// What a batch gave rise to.
    pub(crate) fn conclude(&mut self, of: BatchIdentity<'_>, conclusions: Conclusions, at: LogMoment) {
        let site = of.site;
        self.tally.add("enricher_batches_applied", 1);
        for (index, flow) in (0_u32..).zip(conclusions.flows) {
            self.flows.push(FlowRow::new(of, flow, at, index));
        }
        for record in conclusions.devices {
            let key = (site.to_owned(), record.id.clone());
            self.devices.insert(key, DeviceRow::new(site, record, at));
        }
        for record in conclusions.attributes {
            let row = AttributeRow::new(site, record, at);
            self.attributes.insert(row.key(), row);
        }
        for (index, change) in (0_u32..).zip(conclusions.changes) {
            self.changes.push(ChangeRow::new(site, change, at, index));
        }
        self.events.extend(conclusions.events);
    }
}
