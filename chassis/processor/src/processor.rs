//! What a service that works on a topic says about itself.

use std::fmt::Debug;
use std::future::Future;

use wardwatch_bus::Message;

use crate::entry::Entry;
use crate::error::Error;
use crate::sink::Sink;
use crate::tally::Tally;

/// Why a message is put aside, in a word: it stands in the dead letter's header and in the counter's label, so it comes
/// from a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(pub &'static str);

/// The place of a message in the log, and the log's time there. All that may decide when: no wall clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// How often the topic was made.
    pub incarnation: u32,
    /// The partition.
    pub partition: u32,
    /// The place there.
    pub offset: u64,
    /// When the broker took it, in nanoseconds since the Unix epoch.
    pub log_time: u64,
}

/// A service that concludes something from the messages of a topic.
///
/// What a message gives rise to must follow from the memory and the message alone, so that a replay writes the same
/// rows, however it cuts its ranges.
pub trait Processor: Debug + Send + Sync + Sized + 'static {
    /// What is known about one partition.
    type Memory: Debug + Send + Sync;
    /// What a run of messages gave rise to and is not written yet.
    type Outputs: Debug + Default + Send + 'static;

    /// The service's name, which its counters begin with: `enricher`.
    const NAME: &'static str;
    /// The topic that it works on.
    const INPUT: &'static str;
    /// The table of the stored memory, see `deploy/clickhouse/0004_state.sql`.
    const STATE_TABLE: &'static str;
    /// The append-only tables that it writes, which need a mark. They have the columns `source_incarnation`,
    /// `source_partition` and `source_offset`, and a projection of the highest offset. Tables of sums are among them.
    const APPEND_ONLY: &'static [&'static str];

    /// The memory of a partition of which nothing is known.
    fn empty(&self, partition: u32) -> Self::Memory;

    /// Takes an entry of the stored memory in; their order does not matter.
    ///
    /// # Errors
    /// When the entry cannot be read by this program. The partition stands still then.
    fn restore(
        &self,
        memory: &mut Self::Memory,
        entry: &Entry,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

    /// All entries have been taken in: what is to be put together from them is put together now, not with the first message.
    fn settle(&self, memory: &mut Self::Memory, tally: &mut Tally) {
        let _ = (memory, tally);
    }

    /// Applies a message. What it adds to the counters is counted when its range is committed.
    ///
    /// # Errors
    /// Why it could not be read; it is put aside then, and memory and outputs are as they were.
    fn apply(
        &self,
        message: &Message,
        at: Moment,
        memory: &mut Self::Memory,
        outputs: &mut Self::Outputs,
        tally: &mut Tally,
    ) -> Result<(), Reason>;

    /// Nothing yet, with room for what a range like the one before may give rise to.
    fn outputs_after(before: &Self::Outputs) -> Self::Outputs {
        let _ = before;
        Self::Outputs::default()
    }

    /// The most rows or messages of one kind in these outputs.
    fn rows(outputs: &Self::Outputs) -> usize;

    /// What has to be stored for everything that was applied since the last call.
    fn take_changed(&self, memory: &mut Self::Memory) -> Vec<Entry>;

    /// Writes what a range gave rise to; when it returns, all of it is durable.
    fn write(
        &self,
        outputs: Self::Outputs,
        sink: &Sink<'_>,
        tally: &mut Tally,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
