//! What the alerter does with the messages of a partition.

use wardwatch_bus::Message;
use wardwatch_processor::{Entry, Error, Moment, Processor, Reason, Sink, Tally};
use wardwatch_proto::topic;
use wardwatch_proto::v1::Position;

use crate::config::MemoryConfig;
use crate::memory::Memory;
use crate::outputs::{Outputs, SiemPartitions};
use crate::record::{self, Unreadable};

/// Judges events and applies commands.
#[derive(Debug)]
pub(crate) struct Alerter {
    pub(crate) limits: MemoryConfig,
    /// How many partitions the topics for SIEMs have.
    pub(crate) siem: SiemPartitions,
}

impl Processor for Alerter {
    type Memory = Memory;
    type Outputs = Outputs;

    const NAME: &'static str = "alerter";
    const INPUT: &'static str = topic::EVENTS;
    const STATE_TABLE: &'static str = "alerter_state";
    const APPEND_ONLY: &'static [&'static str] = &["alert_events"];

    fn empty(&self, _partition: u32) -> Memory {
        Memory::new(self.limits.clone())
    }

    fn restore(
        &self,
        memory: &mut Memory,
        entry: &Entry,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(memory.restore(entry)?)
    }

    fn apply(
        &self,
        message: &Message,
        at: Moment,
        memory: &mut Memory,
        outputs: &mut Outputs,
        tally: &mut Tally,
    ) -> Result<(), Reason> {
        let (event, source) = record::read(&message.payload, at.partition).map_err(Unreadable::reason)?;
        let place =
            Position { incarnation: at.incarnation, partition: at.partition, offset: at.offset, index: 0 };
        let is_repeat = memory.has_judged(source);
        let updates = memory.apply(&event, source, place, tally).map_err(Unreadable::reason)?;
        outputs.extend(updates, at);
        if !is_repeat {
            outputs.tell_of_device(&event, at);
        }
        Ok(())
    }

    fn rows(outputs: &Outputs) -> usize {
        outputs.most()
    }

    fn take_changed(&self, memory: &mut Memory) -> Vec<Entry> {
        memory.take_changed()
    }

    async fn write(&self, outputs: Outputs, sink: &Sink<'_>, tally: &mut Tally) -> Result<(), Error> {
        outputs.write(sink, self.siem, tally).await
    }
}
