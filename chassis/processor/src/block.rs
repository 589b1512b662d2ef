//! Rows on their way into one table, as one insert.

use tracing::warn;
use wardwatch_faults::{Guard, is_off, point_of};
use wardwatch_store::{Fence, InsertToken, RowOwned, RowWrite, Store};

use crate::error::Error;
use crate::marks::highest;

/// How often the server may claim to know an insert whose rows it does not have, before that is an error.
const MOST_SWALLOWED: usize = 4;

/// Rows for one table, inserted as one block.
#[derive(Debug)]
#[must_use = "nothing is written before it is inserted"]
pub struct Block<'a, R> {
    pub(crate) service: &'static str,
    pub(crate) store: &'a Store,
    pub(crate) fence: &'a Fence,
    pub(crate) table: &'static str,
    pub(crate) rows: Vec<R>,
    pub(crate) once: Option<Once>,
}

/// What keeps rows of an append-only table from being there twice.
#[derive(Debug)]
pub(crate) struct Once {
    /// Made of the range; whoever repeats the range has the same.
    pub(crate) token: String,
    /// Under which conditions the server takes them, and under which if this is not the first try.
    pub(crate) fence: Fence,
    pub(crate) again: Fence,
    /// Whether somebody else may have used the token before.
    pub(crate) is_repeated: bool,
    pub(crate) incarnation: u32,
    pub(crate) partition: u32,
    /// The highest offset among the rows: when the table holds it, it holds them all.
    pub(crate) last: u64,
}

impl<R: RowOwned + RowWrite + Sync> Block<'_, R> {
    /// Inserts it; when it returns, the rows are in the table. No rows, no request.
    pub async fn insert(&self) -> Result<(), Error> {
        let Self { service, store, fence, table, rows, once } = self;
        if rows.is_empty() {
            return Ok(());
        }
        point_of([service, ".insert-before:", table]).await;
        match once {
            Some(once) if !is_off(Guard::Token) => Box::pin(self.insert_once(once)).await?,
            Some(once) => store.insert_fenced(table, rows, None, &once.fence).await?,
            None => store.insert_fenced(table, rows, None, fence).await?,
        }
        point_of([service, ".insert-after:", table]).await;
        Ok(())
    }

    /// Inserts rows that must be there exactly once.
    ///
    /// The server writes a token down before the part that it stands for, so that after a crash it may know a token of rows
    /// that it does not have, and drop the second try without a word. Whenever the token may have been used before, the
    /// table itself is asked afterwards; rows that are missing then can never come by that token, and get the next. The next
    /// follows from the first, so that whoever repeats all this has the same again.
    async fn insert_once(&self, once: &Once) -> Result<(), Error> {
        let Self { store, table, rows, .. } = self;
        let mut token = once.token.clone();
        let mut is_used = once.is_repeated;
        for _ in 0..MOST_SWALLOWED {
            let named = InsertToken(token.clone());
            let landed = || self.holds(once);
            let first = if is_used { &once.again } else { &once.fence };
            let fences = [first, &once.again];
            let sent = store.insert_fenced_unless(table, rows, &named, fences, landed).await?;
            if (sent == 1 && !is_used) || is_off(Guard::Mark) || self.holds(once).await? {
                return Ok(());
            }
            warn!(
                table,
                token, "the server knows an insert whose rows it does not have; again under another name"
            );
            token.push_str(":again");
            is_used = true;
        }
        Err(Error::Swallowed { table, token: once.token.clone() })
    }

    async fn holds(&self, once: &Once) -> wardwatch_store::Result<bool> {
        let highest = highest(self.store, self.table, once.incarnation, once.partition).await?;
        Ok(highest.is_some_and(|highest| highest >= once.last))
    }
}
