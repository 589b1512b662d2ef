//! A partition while it is worked on: range after range.

use std::sync::Arc;

use tokio::time::Instant;
use wardwatch_bus::Message;

use crate::commit::Committer;
use crate::error::Error;
use crate::partition::Shared;
use crate::plan::Plan;
use crate::processor::{Moment, Processor};
use crate::range::Range;
use crate::witness::Witness;

/// The most rows of a table in one range, whatever the configuration says: one message adds some thousands to them, some
/// tables have two rows where another has one, and all of them must stay one block.
const MOST_ROWS: usize = 250_000;

/// A partition while it is worked on.
#[derive(Debug)]
pub(crate) struct Run<P: Processor> {
    pub(crate) shared: Arc<Shared<P>>,
    pub(crate) memory: P::Memory,
    pub(crate) committer: Committer<P>,
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
                let of = self.committer.source.clone();
                Err(Error::LogMadeAnew { of, offset: message.offset })
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
            self.commit().await?;
        }
        self.expected = message.offset.saturating_add(1);
        self.range.extend(&message, log_time);
        let at = Moment {
            incarnation: self.committer.incarnation,
            partition: self.committer.source.partition,
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
            self.commit().await?;
        }
        Ok(())
    }

    /// When the range is to be written, if nothing fills it before. One that repeats a plan ends where the plan does.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.range.due(self.shared.commit.age).filter(|_| self.repeat.is_none())
    }

    /// Commits what has been gathered, unless that is a part of a plan.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        if self.repeat.is_some() { Ok(()) } else { self.commit().await }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        let range = std::mem::take(&mut self.range);
        let repeated = self.repeat.take();
        if let Some(end) = self.committer.commit(range, repeated, &mut self.memory).await? {
            let partition = self.committer.source.partition;
            self.shared.progress.set(partition, end);
            self.shared.faults.clear(partition);
        }
        Ok(())
    }
}
