//! Rows one by one in, large blocks out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clickhouse::{RowOwned, RowWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::error;

use crate::{Error, Result, Store};

/// When a batch is written.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// A batch is written when it has this many rows. ClickHouse likes 10,000 to 100,000.
    pub rows: usize,
    /// ... or when its oldest row has waited this long.
    pub age: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { rows: 50_000, age: Duration::from_secs(1) }
    }
}

/// What a writer has taken and what of it is in the table. After a flush the two are equal.
#[derive(Debug, Default)]
pub struct Written {
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    batches: AtomicU64,
    rows_lost: AtomicU64,
}

impl Written {
    /// Rows that were handed to the writer.
    pub fn rows_in(&self) -> u64 {
        self.rows_in.load(Ordering::Relaxed)
    }

    /// Rows that are in the table.
    pub fn rows_out(&self) -> u64 {
        self.rows_out.load(Ordering::Relaxed)
    }

    /// Inserts that were made.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Rows that the server refused for good; the writer stopped there.
    pub fn rows_lost(&self) -> u64 {
        self.rows_lost.load(Ordering::Relaxed)
    }
}

enum Work<R> {
    Row(R),
    Flush(oneshot::Sender<()>),
}

/// Collects rows of one table and writes them in order, a batch at a time.
///
/// At most one batch is being written and one is being collected; whoever writes faster than ClickHouse takes them
/// waits in [`BatchWriter::write`]. A failure that may pass is tried again as [`Store::insert`] does; any other stops the
/// writer, and every later call says so.
pub struct BatchWriter<R> {
    table: &'static str,
    work: mpsc::Sender<Work<R>>,
    written: Arc<Written>,
    failure: Arc<std::sync::OnceLock<String>>,
}

impl<R> BatchWriter<R>
where
    R: RowOwned + RowWrite + Send + Sync + 'static,
{
    /// Starts a writer; it ends when it is dropped, after writing what it holds.
    pub fn new(store: Store, table: &'static str, limits: BatchLimits) -> Self {
        let limits = BatchLimits { rows: limits.rows.clamp(1, crate::MAX_BLOCK_ROWS), ..limits };
        let (sender, work) = mpsc::channel(limits.rows);
        let written = Arc::new(Written::default());
        let failure = Arc::new(std::sync::OnceLock::new());
        let task = Task { store, table, limits, written: written.clone(), failure: failure.clone() };
        tokio::spawn(task.run(work));
        Self { table, work: sender, written, failure }
    }

    /// Takes a row; waits while the writer is full. The row is durable after the next [`BatchWriter::flush`].
    pub async fn write(&self, row: R) -> Result<()> {
        self.work.send(Work::Row(row)).await.map_err(|_| self.stopped())?;
        self.written.rows_in.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Returns when every row that was taken before is in the table.
    pub async fn flush(&self) -> Result<()> {
        let (done, wait) = oneshot::channel();
        self.work.send(Work::Flush(done)).await.map_err(|_| self.stopped())?;
        wait.await.map_err(|_| self.stopped())
    }

    /// The counters.
    pub fn written(&self) -> &Written {
        &self.written
    }

    fn stopped(&self) -> Error {
        let reason = self.failure.get().cloned().unwrap_or_else(|| "it was cancelled".into());
        Error::WriterStopped { table: self.table.into(), reason }
    }
}

struct Task {
    store: Store,
    table: &'static str,
    limits: BatchLimits,
    written: Arc<Written>,
    failure: Arc<std::sync::OnceLock<String>>,
}

impl Task {
    async fn run<R>(self, mut work: mpsc::Receiver<Work<R>>)
    where
        R: RowOwned + RowWrite + Send + Sync,
    {
        let mut batch: Vec<R> = Vec::new();
        let mut due = Instant::now();
        loop {
            let next = if batch.is_empty() {
                work.recv().await
            } else if let Ok(next) = tokio::time::timeout_at(due, work.recv()).await {
                next
            } else {
                if !self.insert(&mut batch).await {
                    return;
                }
                continue;
            };
            match next {
                Some(Work::Row(row)) => {
                    if batch.is_empty() {
                        due = Instant::now() + self.limits.age;
                    }
                    batch.push(row);
                    if batch.len() >= self.limits.rows && !self.insert(&mut batch).await {
                        return;
                    }
                }
                Some(Work::Flush(done)) => {
                    if !self.insert(&mut batch).await {
                        return;
                    }
                    // Whoever asked may have gone away; the rows are written all the same.
                    let _ = done.send(());
                }
                None => {
                    self.insert(&mut batch).await;
                    return;
                }
            }
        }
    }

    /// Writes the batch; whether the writer goes on.
    async fn insert<R>(&self, batch: &mut Vec<R>) -> bool
    where
        R: RowOwned + RowWrite + Sync,
    {
        if batch.is_empty() {
            return true;
        }
        let rows = batch.len() as u64;
        match self.store.insert(self.table, batch, None).await {
            Ok(()) => {
                self.written.rows_out.fetch_add(rows, Ordering::Relaxed);
                self.written.batches.fetch_add(1, Ordering::Relaxed);
                batch.clear();
                true
            }
            Err(failure) => {
                self.written.rows_lost.fetch_add(rows, Ordering::Relaxed);
                error!(table = self.table, rows, error = %failure, "the batch writer stops");
                let _ = self.failure.set(failure.to_string());
                false
            }
        }
    }
}
