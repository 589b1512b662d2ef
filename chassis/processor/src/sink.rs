//! Where the outputs of a range go: tables of ClickHouse, topics of the log.

use tracing::warn;
use wardwatch_bus::{Bus, Publication, TopicPartition};
use wardwatch_faults::{Guard, is_off, point_of};
use wardwatch_store::{Fence, InsertToken, RowOwned, RowWrite, Store};

use crate::error::Error;
use crate::marks::Marks;
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
}

/// Rows for one table, inserted as one block.
#[derive(Debug)]
#[must_use = "nothing is written before it is inserted"]
pub struct Block<'a, R> {
    service: &'static str,
    store: &'a Store,
    fence: &'a Fence,
    table: &'static str,
    rows: Vec<R>,
    token: Option<InsertToken>,
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
        let first = rows.first().map_or(self.plan.first, offset);
        self.block(table, rows, first, tally)
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
        let first = new.first().map_or(self.plan.first, offset);
        self.block(table, sum(new, self.last_offset()), first, tally)
    }

    /// The last offset of the range.
    pub fn last_offset(&self) -> u64 {
        self.plan.last
    }

    /// Rows for a current-state table: each replaces the one with its key.
    pub fn replace<R>(&self, table: &'static str, rows: Vec<R>, tally: &mut Tally) -> Block<'_, R> {
        self.block(table, rows, self.plan.first, tally)
    }

    fn block<R>(&self, table: &'static str, rows: Vec<R>, first: u64, tally: &mut Tally) -> Block<'_, R> {
        tally.add_labelled(self.counter("rows_written"), "table", table, rows.len());
        let Self { service, store, fence, .. } = *self;
        Block { service, store, fence, table, rows, token: self.token(first) }
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

    /// Names an insert by the offsets that it comes of.
    pub(crate) fn token(&self, first: u64) -> Option<InsertToken> {
        let Self { source, incarnation, plan, .. } = self;
        let token = format!("{}:{}:{incarnation}:{first}:{}", source.topic, source.partition, plan.last);
        (!is_off(Guard::Token)).then_some(InsertToken(token))
    }
}

impl<R: RowOwned + RowWrite + Sync> Block<'_, R> {
    /// Inserts it; when it returns, the rows are in the table. No rows, no request.
    pub async fn insert(&self) -> Result<(), Error> {
        let Self { service, store, fence, table, rows, token } = self;
        if rows.is_empty() {
            return Ok(());
        }
        point_of([service, ".insert-before:", table]).await;
        store.insert_fenced(table, rows, token.as_ref(), fence).await?;
        point_of([service, ".insert-after:", table]).await;
        Ok(())
    }
}
