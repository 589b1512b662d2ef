//! What the log has lost before it was worked on: counted, logged, and kept in the table `losses`, where it stays when the
//! counters have begun anew.

use serde::Serialize;
use tracing::error;
use wardwatch_bus::TopicPartition;
use wardwatch_store::{Fence, Result, Row, Store};

/// Offsets that retention removed before a service came to work on them.
#[derive(Debug)]
pub(crate) struct Loss<'a> {
    pub(crate) service: &'static str,
    pub(crate) of: &'a TopicPartition,
    pub(crate) incarnation: u32,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

#[derive(Debug, Row, Serialize)]
struct LossRow {
    service: String,
    topic: String,
    partition: u32,
    incarnation: u32,
    offset_first: u64,
    offset_last: u64,
    reason: String,
}

impl Loss<'_> {
    /// How many messages there were.
    pub(crate) fn messages(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Tells it. Told twice, it stands there once.
    pub(crate) async fn tell(&self, store: &Store, fence: &Fence) -> Result<()> {
        let Self { service, of, incarnation, first, last } = *self;
        error!(partition = %of, first, last, "the log has removed messages that were not worked on yet");
        let row = LossRow {
            service: service.to_owned(),
            topic: of.topic.to_string(),
            partition: of.partition,
            incarnation,
            offset_first: first,
            offset_last: last,
            reason: "retention".to_owned(),
        };
        store.insert_fenced("losses", &[row], None, fence).await
    }
}
