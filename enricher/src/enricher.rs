//! What the enricher does with the messages of a partition.

use std::sync::Arc;

use wardwatch_bus::Message;
use wardwatch_inventory::LogMoment;
use wardwatch_processor::{Entry, Error, Moment, Processor, Reason, Sink, Tally};
use wardwatch_proto::topic;

use crate::config::MemoryConfig;
use crate::library::Library;
use crate::memory::{Memory, Outcome, forward};
use crate::outputs::Outputs;
use crate::record::{self, Record, Unreadable};
use crate::rows::BatchIdentity;

/// Concludes from batches and commands.
#[derive(Debug)]
pub(crate) struct Enricher {
    pub(crate) library: Arc<Library>,
    pub(crate) inventory: wardwatch_inventory::Settings,
    pub(crate) limits: MemoryConfig,
}

impl Processor for Enricher {
    type Memory = Memory;
    type Outputs = Outputs;

    const NAME: &'static str = "enricher";
    const INPUT: &'static str = topic::FACTS;
    const STATE_TABLE: &'static str = "enricher_state";
    const APPEND_ONLY: &'static [&'static str] =
        &["flows", "conversations", "site_minute", "changes", "commands", "device_notes"];

    fn empty(&self, partition: u32) -> Memory {
        Memory::new(partition, Arc::clone(&self.library), self.inventory.clone(), self.limits.clone())
    }

    fn restore(
        &self,
        memory: &mut Memory,
        entry: &Entry,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(memory.restore(entry)?)
    }

    fn settle(&self, memory: &mut Memory, tally: &mut Tally) {
        memory.settle_all(tally);
    }

    fn apply(
        &self,
        message: &Message,
        at: Moment,
        memory: &mut Memory,
        outputs: &mut Outputs,
        tally: &mut Tally,
    ) -> Result<(), Reason> {
        let Moment { incarnation, partition, offset, log_time } = at;
        let at = LogMoment { incarnation, partition, offset, log_time };
        match record::read(&message.payload).map_err(Unreadable::reason)? {
            Record::Batch(batch) => {
                let (site, sensor) = (Arc::from(batch.site.as_str()), Arc::from(batch.sensor.as_str()));
                let of = BatchIdentity {
                    site: &site,
                    sensor: &sensor,
                    epoch: batch.epoch,
                    sequence: batch.sequence,
                };
                match memory.apply(batch, at, tally).map_err(Unreadable::reason)? {
                    Some(conclusions) => {
                        tally.add("enricher_batches_applied", 1);
                        outputs.conclude(of, conclusions, at);
                    }
                    None => tally.add("enricher_batches_resent", 1),
                }
                outputs.hear(of, memory.received(&site, &sensor, of.epoch), at);
            }
            Record::Command(command) => {
                let Some(ruling) = memory.command(&command, at, tally) else {
                    tally.add("enricher_commands_repeated", 1);
                    return Ok(());
                };
                let outcome = ruling.outcome;
                if outcome == Outcome::Ignored {
                    tally.add_labelled("enricher_commands_ignored", "reason", ruling.reason, 1);
                } else {
                    tally.add("enricher_commands_applied", 1);
                }
                outputs.rule(&command, ruling, at);
                if outcome == Outcome::Forwarded {
                    outputs.events.push(forward(*command, at));
                }
            }
        }
        Ok(())
    }

    fn outputs_after(before: &Outputs) -> Outputs {
        Outputs::after(before)
    }

    fn rows(outputs: &Outputs) -> usize {
        outputs.most()
    }

    fn take_changed(&self, memory: &mut Memory) -> Vec<Entry> {
        memory.take_changed()
    }

    async fn write(&self, outputs: Outputs, sink: &Sink<'_>, tally: &mut Tally) -> Result<(), Error> {
        Box::pin(outputs.write(sink, tally)).await
    }
}
