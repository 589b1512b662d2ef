//! Inserts that only the owner of a partition may make.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use clickhouse::{RowOwned, RowWrite};
use wardwatch_faults::point_of;

use crate::columns::Columns;
use crate::ownership::Fence;
use crate::{Error, InsertToken, Result, Store, rowbinary};

/// What is sent in one piece. The server checks the fence when about as much has come.
const PIECE: usize = 256 << 10;

impl Store {
    /// As [`Store::insert`], but refused by the server if someone else has claimed the partition since.
    ///
    /// # Errors
    /// [`Error::Fenced`] then; [`Error::Misfit`] when the rows are not what the table has columns for.
    pub async fn insert_fenced<R>(
        &self,
        table: &str,
        rows: &[R],
        token: Option<&InsertToken>,
        fence: &Fence,
    ) -> Result<()>
    where
        R: RowOwned + RowWrite + Sync,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let token = token.cloned().unwrap_or_else(InsertToken::unique);
        let columns = self.columns(table, R::COLUMN_NAMES).await?;
        let statement = statement(table, &columns, fence);
        let attempted = format!("insert {} rows into {}.{table}", rows.len(), self.database());
        self.retry(|| async {
            let sent = self.send_fenced(table, rows, &token, &columns, &statement, fence);
            sent.await.map_err(|error| error.into_error(table, &attempted))
        })
        .await
    }

    /// As [`Store::insert_fenced`], for rows that must not be in the table twice: before it tries again after an answer that
    /// was lost, it asks whether the try before has landed. A token alone does not answer that: after a crash the server may
    /// have forgotten the token of rows that are there, or remember that of rows that are not. Another try passes by the second
    /// fence.
    ///
    /// Gives how often it was sent; more than once, or with a token that somebody else may have used, nothing but a look at
    /// the table tells whether the rows are there.
    pub async fn insert_fenced_unless<R, F, L>(
        &self,
        table: &str,
        rows: &[R],
        token: &InsertToken,
        [first, again]: [&Fence; 2],
        landed: L,
    ) -> Result<u32>
    where
        R: RowOwned + RowWrite + Sync,
        L: Fn() -> F + Sync,
        F: Future<Output = Result<bool>> + Send,
    {
        let columns = self.columns(table, R::COLUMN_NAMES).await?;
        let attempted = format!("insert {} rows into {}.{table}", rows.len(), self.database());
        let sent = AtomicU32::new(0);
        self.retry(|| async {
            let is_again = sent.load(Ordering::Relaxed) > 0;
            if is_again && landed().await? {
                return Ok(());
            }
            sent.fetch_add(1, Ordering::Relaxed);
            let fence = if is_again { again } else { first };
            let statement = statement(table, &columns, fence);
            let outcome = self.send_fenced(table, rows, token, &columns, &statement, fence).await;
            outcome.map_err(|error| error.into_error(table, &attempted))
        })
        .await?;
        Ok(sent.into_inner())
    }

    /// Inserts what a query gives, refused as [`Store::insert_fenced`] is. It may be tried again, so the rows must not mind
    /// being there twice.
    pub async fn insert_selected(
        &self,
        table: &str,
        columns: &str,
        query: &str,
        fence: &Fence,
    ) -> Result<()> {
        let condition = fence.condition();
        let statement =
            format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM ({query}) WHERE {condition}");
        self.execute_once_each(&statement).await
    }

    async fn send_fenced<R>(
        &self,
        table: &str,
        rows: &[R],
        token: &InsertToken,
        columns: &Columns,
        statement: &str,
        fence: &Fence,
    ) -> Result<(), Failure>
    where
        R: RowOwned + RowWrite + Sync,
    {
        let settings = self.settings();
        let mut insert = self
            .writer()
            .insert_formatted_with(statement)
            .with_timeouts(Some(settings.send_timeout), Some(settings.end_timeout))
            .with_setting("insert_deduplication_token", &token.0)
            // One block has work for one thread, and its rows have been summed up already.
            .with_setting("max_threads", "1")
            .with_setting("optimize_on_insert", "0");
        let mut piece = BytesMut::with_capacity(PIECE + 4096);
        for (index, row) in rows.iter().enumerate() {
            if index == 0 {
                rowbinary::write_compared(row, &columns.fields, &mut piece)?;
            } else {
                rowbinary::write(row, &mut piece)?;
            }
            if piece.len() >= PIECE {
                insert.send(piece.split().freeze()).await?;
                piece.reserve(PIECE + 4096);
            }
        }
        point_of([fence.service, ".insert-body:", table]).await;
        // The last row may have filled a piece. The server takes an empty one for a damaged one, and would do so each time.
        if !piece.is_empty() {
            insert.send(Bytes::from(piece)).await?;
        }
        Ok(insert.end().await?)
    }
}

fn statement(table: &str, columns: &Columns, fence: &Fence) -> String {
    let Columns { names, structure, .. } = columns;
    let structure = crate::quote(structure);
    format!(
        "INSERT INTO {table} ({names}) SELECT {names} FROM input({structure}) WHERE {} FORMAT RowBinary",
        fence.condition
    )
}

/// Why one attempt failed.
enum Failure {
    Misfit(rowbinary::Misfit),
    Client(clickhouse::error::Error),
}

impl From<rowbinary::Misfit> for Failure {
    fn from(misfit: rowbinary::Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<clickhouse::error::Error> for Failure {
    fn from(error: clickhouse::error::Error) -> Self {
        Self::Client(error)
    }
}

impl Failure {
    fn into_error(self, table: &str, attempted: &str) -> Error {
        match self {
            Self::Misfit(misfit) => Error::Misfit { table: table.to_owned(), problem: misfit.to_string() },
            Self::Client(source) => Error::of_request(attempted.to_owned(), source),
        }
    }
}
