//! A partition while it is worked on: range after range.

use std::sync::Arc;

use tokio::time::Instant;
use wardwatch_bus::{Message, TopicPartition};

use crate::commit::Cut;
use crate::committing::Committing;
use crate::error::Error;
use crate::partition::Shared;
use crate::plan::Plan;
use crate::processor::{Moment, Processor};
use crate::range::Range;
use crate::turn::Turn;
use crate::witness::Witness;

/// The most rows of a table in one range, whatever the configuration says: one message adds some thousands to them, some
/// tables have two rows where another has one, and all of them must stay one block.
const MOST_ROWS: usize = 250_000;

/// A partition while it is worked on.
#[derive(Debug)]
pub(crate) struct Run<P: Processor> {
    pub(crate) shared: Arc<Shared<P>>,
    pub(crate) source: TopicPartition,
    /// How often the topic was made.
    pub(crate) incarnation: u32,
    pub(crate) memory: P::Memory,
    /// The range before.
    pub(crate) committing: Committing<P>,
    pub(crate) range: Range<P::Outputs>,
    /// The plan that the range is worked on by, where an owner before has recorded one.
    pub(crate) repeat: Option<Plan>,
    /// The message before the first, where it is to be looked at again.
    pub(crate) witness: Option<Witness>,
    /// The lowest offset that has not been taken.
    pub(crate) expected: u64,
}

impl<P: Processor> Run<P> {
    /// The first offset to ask the log for: of the message that was worked on last, or of the first that was not.
    pub(crate) fn from(&self) -> u64 {
        self.witness.as_ref().map_or(self.expected, |witness| witness.offset.min(self.expected))
    }

    /// A message that has been worked on: is it still the one?
    fn look_again(&mut self, message: &Message) -> Result<(), Error> {
        match self.witness.take_if(|witness| witness.offset == message.offset) {
            Some(witness) if witness != Witness::of(message) => {
                Err(Error::LogMadeAnew { of: self.source.clone(), offset: message.offset })
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn take(&mut self, message: Message) -> Result<(), Error> {
        if message.offset < self.expected {
            return self.look_again(&message);
        }
        let log_time = u64::try_from(message.timestamp).unwrap_or(0);
        let is_over =
            self.repeat.map_or_else(|| !self.range.admits(log_time), |plan| message.offset > plan.last);
        if is_over {
            self.cut(None).await?;
        }
        self.expected = message.offset.saturating_add(1);
        self.range.extend(&message, log_time);
        let at = Moment {
            incarnation: self.incarnation,
            partition: self.source.partition,
            offset: message.offset,
            log_time,
        };
        let Range { outputs, tally, .. } = &mut self.range;
        if let Err(reason) = self.shared.processor.apply(&message, at, &mut self.memory, outputs, tally) {
            self.range.unreadable.push((message, reason));
        }
        let is_full = if let Some(plan) = self.repeat {
            at.offset == plan.last
        } else {
            let rows = self.shared.commit.rows.clamp(1, MOST_ROWS);
            P::rows(&self.range.outputs) >= rows || self.range.is_full_of_unreadable()
        };
        if is_full {
            self.cut(None).await?;
        }
        Ok(())
    }

    /// When the range is to be written, if nothing fills it before; not while the one before is. One that repeats a plan ends
    /// where the plan does.
    pub(crate) fn due(&self) -> Option<Instant> {
        let is_free = self.repeat.is_none() && !self.committing.is_running();
        // What came while the one before was written has not waited longer than what comes now would have.
        let opened = self.range.opened().filter(|_| is_free)?;
        Some(self.committing.rested().map_or(opened, |rested| opened.max(rested)) + self.shared.commit.age)
    }

    /// Commits what has been gathered, unless that is a part of a plan.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        if self.repeat.is_none() {
            self.cut(None).await?;
        }
        self.settle().await
    }

    /// Waits until what is being written is durable.
    pub(crate) async fn settle(&mut self) -> Result<(), Error> {
        if self.committing.is_running() {
            let end = self.committing.done().await?;
            self.advance(end);
        }
        Ok(())
    }

    /// Everything below `end` is durable.
    pub(crate) fn advance(&self, end: u64) {
        let partition = self.source.partition;
        self.shared.progress.set(partition, end);
        self.shared.faults.clear(partition);
    }

    /// Ends the range and begins to write it, as soon as the one before is durable.
    pub(crate) async fn cut(&mut self, turn: Turn) -> Result<(), Error> {
        self.settle().await?;
        let repeated = self.repeat.take();
        if let Some(span) = self.range.span.take() {
            let changed = self.shared.processor.take_changed(&mut self.memory);
            let next = Range { outputs: P::outputs_after(&self.range.outputs), ..Range::default() };
            let range = std::mem::replace(&mut self.range, next);
            self.committing.begin(Cut { span, range, repeated, changed }, turn);
        }
        Ok(())
    }
}
