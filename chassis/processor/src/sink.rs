//! Where the outputs of a range go: tables of ClickHouse, topics of the log.

use tracing::warn;
use wardwatch_bus::{Bus, Publication, TopicPartition};
use wardwatch_store::{InsertToken, RowOwned, RowWrite, Store};

use crate::error::Error;
use crate::marks::Marks;
use crate::range::Span;
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
    pub(crate) span: Span,
}

/// Rows for one table, inserted as one block.
#[derive(Debug)]
#[must_use = "nothing is written before it is inserted"]
pub struct Block<'a, R> {
    store: &'a Store,
    table: &'static str,
    rows: Vec<R>,
    token: InsertToken,
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
        let first = rows.first().map_or(self.span.first, offset);
        self.block(table, rows, first, tally)
    }

    /// Rows for a current-state table: each replaces the one with its key.
    pub fn replace<R>(&self, table: &'static str, rows: Vec<R>, tally: &mut Tally) -> Block<'_, R> {
        self.block(table, rows, self.span.first, tally)
    }

    fn block<R>(&self, table: &'static str, rows: Vec<R>, first: u64, tally: &mut Tally) -> Block<'_, R> {
        tally.add_labelled(self.counter("rows_written"), "table", table, rows.len());
        Block { store: self.store, table, rows, token: self.token(first) }
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
        let published = receipts.len();
        for (to, offset, receipt) in receipts {
            receipt.await.map_err(|source| Error::Publish { to, offset, source })?;
        }
        Ok(Published { published, too_large })
    }

    fn counter(&self, name: &str) -> String {
        format!("{}_{name}", self.service)
    }

    pub(crate) fn token(&self, first: u64) -> InsertToken {
        let Self { source, incarnation, .. } = self;
        InsertToken(format!("{}:{}:{incarnation}:{first}:{}", source.topic, source.partition, self.span.last))
    }
}

impl<R: RowOwned + RowWrite + Sync> Block<'_, R> {
    /// Inserts it; when it returns, the rows are in the table.
    pub async fn insert(&self) -> Result<(), Error> {
        Ok(self.store.insert(self.table, &self.rows, Some(&self.token)).await?)
    }
}
