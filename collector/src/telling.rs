//! What the collector counts, by name: everything that came in is published, rejected, or still on its way.

use wardwatch_service::{Counter, Counters};

use crate::batch::Flaw;

/// The collector's counters. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    pub(crate) streams: Counter,
    pub(crate) received: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) published: Counter,
    pub(crate) unpublished: Counter,
    pub(crate) commands_received: Counter,
    pub(crate) commands_published: Counter,
    pub(crate) command_messages_published: Counter,
    pub(crate) commands_not_published: Counter,
    rejected: [(Flaw, Counter); 4],
    counters: Counters,
}

impl Telling {
    pub(crate) fn new(counters: &Counters) -> Self {
        let rejected = Flaw::ALL
            .map(|flaw| (flaw, counters.counter("collector_batches_rejected", &[("reason", flaw.name())])));
        Self {
            streams: counters.counter("collector_streams", &[]),
            received: counters.counter("collector_batches_received", &[]),
            received_bytes: counters.counter("collector_bytes_received", &[]),
            published: counters.counter("collector_batches_published", &[]),
            unpublished: counters.counter("collector_batches_not_published", &[]),
            commands_received: counters.counter("collector_commands_received", &[]),
            commands_published: counters.counter("collector_commands_published", &[]),
            command_messages_published: counters.counter("collector_command_messages_published", &[]),
            commands_not_published: counters.counter("collector_commands_not_published", &[]),
            rejected,
            counters: counters.clone(),
        }
    }

    pub(crate) fn rejected(&self, flaw: Flaw) {
        if let Some((_, counter)) = self.rejected.iter().find(|(known, _)| *known == flaw) {
            counter.increment();
        }
    }

    /// A command can never be taken; the reason is one of ours.
    pub(crate) fn command_rejected(&self, reason: &'static str) {
        self.counters.counter("collector_commands_rejected", &[("reason", reason)]).increment();
    }

    /// The reason is one of ours, never the peer's words.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.counters.counter("collector_streams_refused", &[("reason", reason)]).increment();
    }
}
