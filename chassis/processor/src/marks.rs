//! How far the append-only tables have been written, so that a replay does not write the same rows again.
//!
//! The outputs of a range are written before the memory that names it. A crash between the two leaves rows that the
//! replay would write again; current-state tables do not mind, append-only tables do. Since the rows of a range are one
//! block, hence all there or not at all, the highest offset that a table holds for a partition says what is there.
//!
//! The hole: a mark is blind to an insert that lands after the mark was read, a former owner's or one whose answer was lost. So
//! whatever may be a repeat carries the condition that the table holds nothing of it; what is on the way at the very same
//! moment is left to the token and the plan.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardwatch_faults::{Guard, is_off};
use wardwatch_store::{Result, Row, Store};

/// The highest offsets that the append-only tables hold for a partition, by table; none for one that holds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(BTreeMap<&'static str, u64>);

impl Marks {
    /// Reads them; answered by a projection, whatever the tables' size.
    pub(crate) async fn read(
        store: &Store,
        tables: &[&'static str],
        incarnation: u32,
        partition: u32,
    ) -> Result<Self> {
        let mut marks = BTreeMap::new();
        for table in tables {
            if let Some(highest) = highest(store, table, incarnation, partition).await? {
                marks.insert(*table, highest);
            }
        }
        Ok(Self(marks))
    }

    /// Whether a table may lack what came of an offset.
    pub(crate) fn is_new(&self, table: &str, offset: u64) -> bool {
        self.0.get(table).is_none_or(|mark| offset > *mark)
    }
}

/// The condition, in SQL, that a table holds nothing of a partition from an offset on.
pub(crate) fn nothing_from(table: &str, incarnation: u32, partition: u32, offset: u64) -> String {
    if is_off(Guard::Mark) {
        return "1".to_owned();
    }
    format!(
        "(SELECT count() FROM (SELECT max(source_offset) AS mark FROM {table} \
         WHERE source_partition = {partition} AND source_incarnation = {incarnation} \
         GROUP BY source_partition, source_incarnation) WHERE mark >= {offset}) = 0"
    )
}

#[derive(Row, Deserialize)]
struct Highest {
    highest: u64,
}

/// The highest offset that a table holds for a partition.
pub(crate) async fn highest(
    store: &Store,
    table: &str,
    incarnation: u32,
    partition: u32,
) -> Result<Option<u64>> {
    if is_off(Guard::Mark) {
        return Ok(None);
    }
    let query = format!(
        "SELECT max(source_offset) AS highest FROM {table} \
         WHERE source_partition = {partition} AND source_incarnation = {incarnation} \
         GROUP BY source_partition, source_incarnation"
    );
    Ok(store.fetch::<Highest>(&query).await?.pop().map(|row| row.highest))
}
