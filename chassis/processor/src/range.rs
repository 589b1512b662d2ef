//! A run of messages and what came of it, until it is worth writing.
//!
//! Where a range is cut follows the clock and the load, but what a message gives rise to does not, so the same rows are
//! written however a replay cuts.

use tokio::time::Instant;
use wardwatch_bus::Message;

use crate::processor::Reason;
use crate::tally::Tally;
use crate::witness::Witness;

/// Nanoseconds in a day.
const DAY: u64 = 86_400_000_000_000;
/// Messages that could not be read are kept whole, up to a mebibyte each.
const MOST_UNREADABLE: usize = 64;

/// A run of messages of one partition and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Range<O> {
    /// Which messages; `None` while there are none.
    pub(crate) span: Option<Span>,
    /// How many messages it holds.
    pub(crate) messages: usize,
    /// What they gave rise to.
    pub(crate) outputs: O,
    /// Messages that could not be read, and why.
    pub(crate) unreadable: Vec<(Message, Reason)>,
    /// What it adds to the counters.
    pub(crate) tally: Tally,
}

/// Which messages.
#[derive(Debug)]
pub(crate) struct Span {
    /// The first offset.
    pub(crate) first: u64,
    /// The last message.
    pub(crate) witness: Witness,
    /// Day of the broker's clock.
    day: u64,
    /// When the first came.
    opened: Instant,
}

impl<O> Range<O> {
    /// Whether a message of this log time may be in it: an insert must stay within one day.
    pub(crate) fn admits(&self, log_time: u64) -> bool {
        self.span.as_ref().is_none_or(|span| span.day == log_time / DAY)
    }

    /// Whether it holds as many messages that could not be read as it may.
    pub(crate) fn is_full_of_unreadable(&self) -> bool {
        self.unreadable.len() >= MOST_UNREADABLE
    }

    /// When its first message came.
    pub(crate) fn opened(&self) -> Option<Instant> {
        self.span.as_ref().map(|span| span.opened)
    }

    /// A message belongs to it from now on, whatever comes of it.
    pub(crate) fn extend(&mut self, message: &Message, log_time: u64) {
        let witness = Witness::of(message);
        if let Some(span) = &mut self.span {
            span.witness = witness;
        } else {
            let (first, day) = (message.offset, log_time / DAY);
            self.span = Some(Span { first, witness, day, opened: Instant::now() });
        }
        self.messages += 1;
    }
}
