//! What is known, for people and for scripts: `devices`, `device`, `alerts`, `commands`,
//! `documents`, `components`, `mds2`, `imports`, `query`. All of it is read from the
//! operators' views in ClickHouse.

mod alerts;
mod commands;
mod components;
mod device;
mod devices;
mod documents;
mod imports;
mod mds2;
mod query;

pub(crate) use alerts::{Alerts, alerts, print_alerts};
pub(crate) use commands::{Commands, commands};
pub(crate) use components::{Components, components};
pub(crate) use device::{Device, Page, device, find_device};
pub(crate) use devices::{Devices, devices, print_devices};
pub(crate) use documents::{Documents, documents, find_document};
pub(crate) use imports::{Imports, imports};
pub(crate) use mds2::{Mds2, mds2};
pub(crate) use query::{Query, query};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use crate::engine::Database;
use crate::folder::Folder;
use crate::table::{ListFormat, Row};

/// What all commands that list something take.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    #[command(flatten)]
    folder: Folder,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

/// The columns of `v_devices`, with the lists that belong together made into lists of objects: `factors`, `why`
/// and `gaps`.
const DEVICE: &str = "* EXCEPT ('^(factor|why|gap)_.*'),
    arrayMap((name, points, evidence, explanation, remedy) -> CAST((name, points, evidence, explanation, remedy),
        'Tuple(name String, points UInt32, evidence String, explanation String, remedy String)'),
        factor_names, factor_points, factor_evidence, factor_explanations, factor_remedies) AS factors,
    arrayMap((field, value, statement, evidence, confidence) -> CAST((field, value, statement, evidence, confidence),
        'Tuple(field String, value String, statement String, evidence String, confidence UInt8)'),
        why_fields, why_values, why_statements, why_evidence, why_confidence) AS why,
    arrayMap((field, reason, completed_by) -> CAST((field, reason, completed_by),
        'Tuple(field String, reason String, completed_by String)'),
        gap_fields, gap_reasons, gap_completed_by) AS gaps";

/// The devices for which an SQL condition holds.
pub(crate) async fn device_rows(
    database: &Database,
    condition: &str,
    order: &str,
) -> anyhow::Result<Vec<Row>> {
    rows(database, &format!("SELECT {DEVICE} FROM v_devices WHERE {condition} ORDER BY {order}")).await
}

/// Rows of one query.
pub(crate) async fn rows(database: &Database, sql: &str) -> anyhow::Result<Vec<Row>> {
    let lines = database.store.text(sql, "JSONEachRow").await?;
    lines
        .lines()
        .map(|line| serde_json::from_str(line).context("ClickHouse gave a row that is no JSON"))
        .collect()
}

/// The objects in a field that is a list of them.
pub(crate) fn objects(row: &Row, field: &str) -> Vec<Row> {
    let items = row.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| if let Value::Object(object) = item { Some(object) } else { None })
        .collect()
}

/// Opens the database, lets `work` read, and closes it whatever came of it.
async fn with_database<T>(
    folder: &Folder,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = Database::for_reading(folder).await?;
    let outcome = work(&database).await;
    let closed = database.close().await;
    let value = outcome?;
    closed?;
    Ok(value)
}
