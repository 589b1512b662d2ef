//! What the configuration, not the schema, decides about tables: how long rows are kept, and whether an insert waits
//! for the disk.
//!
//! `ALTER TABLE` only where the table differs, so that a start without changes alters nothing.

use clickhouse::Row;
use serde::Deserialize;

use crate::{Result, Store};

/// Every table that rows are inserted into by a service.
const WRITTEN: &[&str] = &[
    "flows",
    "conversations",
    "site_minute",
    "devices",
    "sightings",
    "attributes",
    "changes",
    "commands",
    "device_notes",
    "sensor_boots",
    "import_rows",
    "documents",
    "components",
    "mds2_answers",
    "alerts",
    "alert_events",
    "enricher_state",
    "alerter_state",
    "topic_incarnations",
    "owners",
    "losses",
];

#[derive(Debug, Row, Deserialize)]
struct Table {
    name: String,
    engine_full: String,
}

impl Store {
    pub(crate) async fn apply_upkeep(&self) -> Result<()> {
        let tables: Vec<Table> = self
            .fetch("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
            .await?;
        let engine = |name: &str| {
            tables.iter().find(|table| table.name == name).map_or("", |table| table.engine_full.as_str())
        };
        let retention = &self.settings().retention;
        for (name, days) in [
            ("flows", retention.flows),
            ("conversations", retention.conversations),
            ("site_minute", retention.site_minute),
            ("changes", retention.changes),
            ("alert_events", retention.alert_events),
        ] {
            if let Some(statement) = retention_change(name, engine(name), days) {
                self.execute(&statement).await?;
            }
        }
        for name in WRITTEN {
            if let Some(statement) = fsync_change(name, engine(name), self.settings().fsync) {
                self.execute(&statement).await?;
            }
        }
        Ok(())
    }
}

/// The statement that makes a table keep rows for so many days after `received`.
fn retention_change(table: &str, engine: &str, days: Option<u32>) -> Option<String> {
    let has_any = engine.contains(" TTL ");
    match days {
        Some(days) if !engine.contains(&format!("toIntervalDay({days})")) => {
            Some(format!("ALTER TABLE {table} MODIFY TTL toDateTime(received) + toIntervalDay({days})"))
        }
        None if has_any => Some(format!("ALTER TABLE {table} REMOVE TTL")),
        _ => None,
    }
}

/// The statement that makes inserts into a table wait for the disk, or not.
fn fsync_change(table: &str, engine: &str, wanted: bool) -> Option<String> {
    let is_set = engine.contains("fsync_after_insert = 1") || engine.contains("fsync_after_insert = true");
    (is_set != wanted).then(|| {
        let value = u8::from(wanted);
        format!(
            "ALTER TABLE {table} MODIFY SETTING fsync_after_insert = {value}, fsync_part_directory = {value}"
        )
    })
}
