//! Rows of other systems' tables as they stand in ClickHouse, see `deploy/clickhouse/0013_imports.sql`.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use wardwatch_inventory::{LogMoment, RowRecord};
use wardwatch_store::version;

use crate::rows::{nanoseconds, percent};

/// A row of `import_rows`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct ImportRow {
    site: String,
    import: String,
    line: u32,
    source: String,
    import_version: String,
    author: String,
    imported_at: i64,
    device: String,
    matched_by: String,
    confidence: u8,
    state: String,
    imported: BTreeMap<String, String>,
    #[serde(rename = "differences.field")]
    difference_fields: Vec<String>,
    #[serde(rename = "differences.imported")]
    difference_imported: Vec<String>,
    #[serde(rename = "differences.observed")]
    difference_observed: Vec<String>,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl ImportRow {
    /// A row as it stands after the message at this place. Of an attribute that it says twice, the values are joined.
    pub(crate) fn new(site: &str, record: RowRecord, at: LogMoment) -> Self {
        let differences = &record.differences;
        let mut imported: BTreeMap<String, String> = BTreeMap::new();
        for (attribute, value) in record.values {
            let known = imported.entry(attribute).or_default();
            if !known.is_empty() {
                known.push_str(", ");
            }
            known.push_str(&value);
        }
        Self {
            site: site.to_owned(),
            line: record.line,
            source: record.source,
            import_version: record.version,
            author: record.author,
            imported_at: nanoseconds(record.imported_at),
            device: record.device,
            matched_by: record.matched_by,
            confidence: percent(record.confidence),
            state: record.state,
            imported,
            difference_fields: differences.iter().map(|difference| difference.field.clone()).collect(),
            difference_imported: differences.iter().map(|difference| difference.imported.clone()).collect(),
            difference_observed: differences.iter().map(|difference| difference.observed.clone()).collect(),
            import: record.import,
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}
