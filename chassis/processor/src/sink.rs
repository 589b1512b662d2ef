//! Where the outputs of a range go: tables of ClickHouse, topics of the log.

use tracing::warn;
use wardwatch_bus::{Bus, Publication, TopicPartition};
use wardwatch_faults::point_of;
use wardwatch_store::{Fence, Store};

use crate::block::{Block, Once};
use crate::error::Error;
use crate::marks::{Marks, nothing_from};
use crate::plan::Plan;
use crate::tally::Tally;

/// Where the outputs of one range go.
///
/// A token names the offsets that its rows came from, so another cut of the same messages has another token.
#[derive(Debug)]
pub struct Sink<'a> {
    pub(crate) service: &'static str,
    pub(crate) store: &'a Store,
    pub(crate) bus: &'a dyn Bus,
    pub(crate) source: &'a TopicPartition,
    pub(crate) incarnation: u32,
    pub(crate) marks: &'a Marks,
    pub(crate) fence: &'a Fence,
    pub(crate) plan: Plan,
    /// Whether it is the first that this owner writes.
    pub(crate) is_first: bool,
    /// Whether an owner before may have written some of it.
    pub(crate) is_repeated: bool,
}

/// What became of messages that were to be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Messages that the log holds.
    pub published: usize,
    /// Messages that are larger than the log takes.
    pub too_large: usize,
}

impl Sink<'_> {
    /// The partition that the range is of.
    pub fn source(&self) -> &TopicPartition {
        self.source
    }

    /// Rows for an append-only table, which must come in the order of the offsets that gave rise to them: those that the
    /// table holds already, as its mark says, are left out.
    pub fn append<R>(
        &self,
        table: &'static str,
        mut rows: Vec<R>,
        offset: impl Fn(&R) -> u64,
        tally: &mut Tally,
    ) -> Block<'_, R> {
        let all = rows.len();
        rows.retain(|row| self.marks.is_new(table, offset(row)));
        tally.add_labelled(self.counter("rows_skipped"), "table", table, all - rows.len());
        let ends = rows.first().zip(rows.last());
        let once = ends.map(|(first, last)| self.once(table, offset(first), offset(last)));
        self.block(table, rows, once, tally)
    }

    /// Rows that sum up others, for a table whose sums carry the last offset of the range that they were made from. The others
    /// must come in the order of the offsets that gave rise to them; `sum` is given those that are not in the table yet, as
    /// its mark says, and the offset that the sums are to carry.
    pub fn append_sums<S, R>(
        &self,
        table: &'static str,
        others: &[S],
        offset: impl Fn(&S) -> u64,
        sum: impl FnOnce(&[S], u64) -> Vec<R>,
        tally: &mut Tally,
    ) -> Block<'_, R> {
        let known = others.partition_point(|other| !self.marks.is_new(table, offset(other)));
        let new = others.get(known..).unwrap_or_default();
        tally.add_labelled(self.counter("rows_skipped"), "table", table, known);
        let Plan { first, last } = self.plan;
        let first = new.first().map_or(first, offset);
        self.block(table, sum(new, last), Some(self.once(table, first, last)), tally)
    }

    /// Rows for a current-state table: each replaces the one with its key, so that twice is as good as once.
    pub fn replace<R>(&self, table: &'static str, rows: Vec<R>, tally: &mut Tally) -> Block<'_, R> {
        self.block(table, rows, None, tally)
    }

    fn block<R>(
        &self,
        table: &'static str,
        rows: Vec<R>,
        once: Option<Once>,
        tally: &mut Tally,
    ) -> Block<'_, R> {
        tally.add_labelled(self.counter("rows_written"), "table", table, rows.len());
        let Self { service, store, fence, .. } = *self;
        Block { service, store, fence, table, rows, once }
    }

    /// Publishes messages in their order, each with the source's offset that gave rise to it, and waits until the log
    /// holds them all. One that is larger than the log takes is left out.
    pub async fn publish(
        &self,
        messages: impl IntoIterator<Item = (u64, Publication), IntoIter: Send> + Send,
    ) -> Result<Published, Error> {
        let mut receipts = Vec::new();
        let mut too_large = 0;
        for (offset, message) in messages {
            let to = message.to.clone();
            match self.bus.enqueue(message).await {
                Ok(receipt) => receipts.push((to, offset, receipt)),
                Err(wardwatch_bus::Error::TooLarge { bytes, limit, .. }) => {
                    warn!(%to, bytes, limit, offset, "a message is larger than the log takes; dropped");
                    too_large += 1;
                }
                Err(source) => return Err(Error::Publish { to, offset, source }),
            }
        }
        point_of([self.service, ".events-enqueued"]).await;
        let published = receipts.len();
        for (to, offset, receipt) in receipts {
            receipt.await.map_err(|source| Error::Publish { to, offset, source })?;
        }
        Ok(Published { published, too_large })
    }

    fn counter(&self, name: &str) -> String {
        format!("{}_{name}", self.service)
    }

    /// For rows of these offsets. The token is that of the whole range, whichever of its rows are left.
    fn once(&self, table: &'static str, lowest: u64, last: u64) -> Once {
        let Self { source, incarnation, plan, is_first, is_repeated, .. } = *self;
        let Plan { first, last: end } = plan;
        let partition = source.partition;
        let token = format!("{}:{partition}:{incarnation}:{first}:{end}", source.topic);
        let again = self.fence.and(&nothing_from(table, incarnation, partition, lowest));
        let fence = if is_first { again.clone() } else { self.fence.clone() };
        Once { token, fence, again, is_repeated, incarnation, partition, last }
    }
}
