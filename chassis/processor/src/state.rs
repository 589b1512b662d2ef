//! The stored memory, see `deploy/clickhouse/0004_state.sql`.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use wardwatch_faults::point_of;
use wardwatch_store::{Fence, MAX_BLOCK_ROWS, Result, Store};

use crate::entry::Entry;

/// The key of a row that says: everything up to here stands here, look no further back.
const BASE: &str = "=base";

/// The stored memory of one partition.
#[derive(Debug)]
pub(crate) struct State {
    table: &'static str,
    partition: u32,
    incarnation: u32,
    compact_after: u64,
    /// Below this position nothing is read.
    base: (u32, u64),
    /// Rows that the table holds for the partition, as far as this owner knows, and those after the last compaction.
    rows: u64,
    rows_compacted: u64,
}

/// What a partition's memory was when it was stored last.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Up to where it knows the log: incarnation, and the first offset that is not in it.
    pub(crate) end: Option<(u32, u64)>,
    /// The newest value of each entry.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Row, Serialize, Deserialize)]
struct StateRow {
    partition: u32,
    incarnation: u32,
    offset_end: u64,
    key: String,
    #[serde(with = "serde_bytes")]
    value: Vec<u8>,
}

#[derive(Row, Deserialize)]
struct EndRow {
    incarnation: u32,
    offset_end: u64,
}

#[derive(Row, Deserialize)]
struct EntryRow {
    key: String,
    #[serde(with = "serde_bytes")]
    value: Vec<u8>,
}

#[derive(Row, Deserialize)]
struct CountRow {
    rows: u64,
}

impl State {
    /// Loads the memory of a partition: the newest value of each entry up to the highest complete end.
    pub(crate) async fn load(
        store: &Store,
        table: &'static str,
        incarnation: u32,
        partition: u32,
        compact_after: u64,
    ) -> Result<(Self, Loaded)> {
        let ends = format!(
            "SELECT incarnation, offset_end FROM {table} WHERE partition = {partition} \
             GROUP BY incarnation, offset_end \
             HAVING countIf(key = '') > 0 AND countIf(key != '') >= maxIf(toUInt64OrZero(value), key = '') \
             ORDER BY incarnation DESC, offset_end DESC LIMIT 1"
        );
        let end = store.fetch::<EndRow>(&ends).await?.pop().map(|end| (end.incarnation, end.offset_end));
        let (base, entries) = match end {
            Some(end) => entries(store, table, partition, end).await?,
            None => ((0, 0), Vec::new()),
        };
        let count = format!("SELECT count() AS rows FROM {table} WHERE partition = {partition}");
        let rows = store.fetch::<CountRow>(&count).await?.pop().map_or(0, |count| count.rows);
        let state = Self {
            table,
            partition,
            incarnation,
            compact_after,
            base,
            rows,
            rows_compacted: entries.len() as u64,
        };
        Ok((state, Loaded { end, entries }))
    }

    /// Stores what changed up to an end. When it returns, everything below is committed. Stored twice it loads to the same, so it
    /// needs no token, and so none can be taken for one that the server has lost the rows of.
    pub(crate) async fn store(
        &mut self,
        store: &Store,
        offset_end: u64,
        entries: Vec<Entry>,
        fence: &Fence,
    ) -> Result<()> {
        let promise = Entry { key: String::new(), value: entries.len().to_string().into_bytes() };
        let all = entries.into_iter().chain(std::iter::once(promise));
        let rows: Vec<StateRow> = all
            .map(|entry| StateRow {
                partition: self.partition,
                incarnation: self.incarnation,
                offset_end,
                key: entry.key,
                value: entry.value,
            })
            .collect();
        // One block but for a memory of a million changed entries; the row that makes it complete comes last.
        for block in rows.chunks(MAX_BLOCK_ROWS) {
            store.insert_fenced(self.table, block, None, fence).await?;
        }
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Whether superseded rows have outgrown the others.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.rows - self.rows_compacted.min(self.rows) > self.compact_after.max(self.rows_compacted)
    }

    /// Writes the newest value of each entry under the end that was stored last, then that this is the base, and removes what
    /// is older.
    ///
    /// Nothing below the base is read any more. So it does not matter when and in which order the server removes it (a part
    /// may lose the row that withdraws an entry before another loses the entry), nor what a former owner's compaction may
    /// still write there. Until the base stands, the copies are repetitions.
    pub(crate) async fn compact(
        &mut self,
        store: &Store,
        offset_end: u64,
        fence: &Fence,
        service: &str,
    ) -> Result<()> {
        let Self { table, partition, incarnation, base, .. } = *self;
        let at =
            format!("{partition} AS partition, {incarnation} AS incarnation, {offset_end} AS offset_end");
        let columns = "partition, incarnation, offset_end, key, value";
        let end = (incarnation, offset_end);
        let copy = format!("SELECT {at}, key, value FROM ({})", newest(table, partition, base, end));
        store.insert_selected(table, columns, &copy, fence).await?;
        point_of([service, ".compact-copied"]).await;
        let mark = format!("SELECT {at}, '{BASE}' AS key, '' AS value");
        store.insert_selected(table, columns, &mark, fence).await?;
        self.base = end;
        store
            .execute(&format!(
                "DELETE FROM {table} \
                 WHERE partition = {partition} AND (incarnation, offset_end) < ({incarnation}, {offset_end})"
            ))
            .await?;
        let count = format!("SELECT count() AS rows FROM {table} WHERE partition = {partition}");
        self.rows = store.fetch::<CountRow>(&count).await?.pop().map_or(0, |count| count.rows);
        self.rows_compacted = self.rows;
        Ok(())
    }
}

/// The base below an end, and the newest value of each entry from there on.
///
/// A former owner's compaction may end meanwhile. It removes what is below its base, part by part and so not all at once, after
/// the base can be seen; a base that is the same before and after says that nothing above it was missing.
async fn entries(
    store: &Store,
    table: &str,
    partition: u32,
    end: (u32, u64),
) -> Result<((u32, u64), Vec<Entry>)> {
    let bases = format!(
        "SELECT incarnation, offset_end FROM {table} WHERE partition = {partition} AND key = '{BASE}' \
         AND (incarnation, offset_end) <= ({}, {}) ORDER BY incarnation DESC, offset_end DESC LIMIT 1",
        end.0, end.1
    );
    let highest = || async {
        let found = store.fetch::<EndRow>(&bases).await?.pop();
        Ok::<_, wardwatch_store::Error>(found.map_or((0, 0), |found| (found.incarnation, found.offset_end)))
    };
    let mut base = highest().await?;
    loop {
        let newest = newest(table, partition, base, end);
        let rows = store.fetch::<EntryRow>(&format!("SELECT key, value FROM ({newest})")).await?;
        match highest().await? {
            now if now == base => {
                let entries = rows.into_iter().map(|row| Entry { key: row.key, value: row.value });
                return Ok((base, entries.collect()));
            }
            // At most up to the end, so this ends.
            now => base = now,
        }
    }
}

/// The query for the newest value of each entry between two positions, both included.
fn newest(table: &str, partition: u32, base: (u32, u64), end: (u32, u64)) -> String {
    format!(
        "SELECT key, argMax(value, (incarnation, offset_end)) AS value FROM {table} \
         WHERE partition = {partition} AND key NOT IN ('', '{BASE}') \
         AND (incarnation, offset_end) >= ({}, {}) AND (incarnation, offset_end) <= ({}, {}) \
         GROUP BY key HAVING notEmpty(value)",
        base.0, base.1, end.0, end.1
    )
}
