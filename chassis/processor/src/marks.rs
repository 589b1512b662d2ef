//! How far the append-only tables have been written, so that a replay does not write the same rows again.
//!
//! The outputs of a range are written before the memory that names it. A crash between the two leaves rows that the
//! replay would write again; current-state tables do not mind, append-only tables do. Since the rows of a range are one
//! block, hence all there or not at all, the highest offset that a table holds for a partition says what is there.
//!
//! The hole: a mark is blind to an insert of a former owner that lands after the mark was read. So the inserts of an owner's
//! first range carry the condition that the mark is what it was; what is on the way at the very same moment is left to the
//! token and the plan.

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

impl Marks {
    /// The condition, in SQL, that a table's mark is still what was read.
    pub(crate) fn unmoved(&self, table: &str, incarnation: u32, partition: u32) -> String {
        if is_off(Guard::Mark) {
            return "1".to_owned();
        }
        let rows = format!(
            "FROM {table} WHERE source_partition = {partition} AND source_incarnation = {incarnation} \
             GROUP BY source_partition, source_incarnation"
        );
        match self.0.get(table) {
            Some(mark) => format!("(SELECT max(source_offset) {rows}) = {mark}"),
            None => format!("(SELECT count() FROM (SELECT max(source_offset) {rows})) = 0"),
        }
    }
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
