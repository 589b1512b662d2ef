//! `wardwatch devices`: the inventory, a line a device.

use clap::Args;
use wardwatch_store::quote;

use super::{Reading, device_rows, with_database};
use crate::engine::Database;
use crate::table::{Column, Format, joined, moment, print_json, print_table, text};

/// List the devices: what each is, where it is, how risky.
///
/// The id in the first column, or a part of it from its beginning, names a device to `wardwatch device`.
#[derive(Args, Debug)]
pub(crate) struct Devices {
    #[command(flatten)]
    reading: Reading,
    /// Only devices of this category: medical, building, iot, it, network
    #[arg(long)]
    category: Option<String>,
    /// Only devices of this site
    #[arg(long)]
    site: Option<String>,
}

const COLUMNS: &[Column] = &[
    ("id", |row| text(row, "device").chars().take(8).collect()),
    ("name", |row| text(row, "name")),
    ("what", |row| {
        let kind = joined(row, &["category", "type"]);
        if kind.is_empty() { "unknown".to_owned() } else { kind }
    }),
    ("manufacturer, model", |row| joined(row, &["manufacturer", "model"])),
    ("serial", |row| text(row, "serial_number")),
    ("addresses", |row| joined(row, &["ips", "macs"])),
    ("score", |row| text(row, "score")),
    ("last seen", |row| moment(row, "last_seen")),
];

/// Runs the command.
pub(crate) async fn devices(arguments: &Devices) -> anyhow::Result<()> {
    let mut conditions = vec!["1".to_owned()];
    conditions.extend(arguments.category.iter().map(|category| format!("category = {}", quote(category))));
    conditions.extend(arguments.site.iter().map(|site| format!("site = {}", quote(site))));
    let condition = conditions.join(" AND ");
    with_database(&arguments.reading.folder, async |database| {
        print_devices(database, &condition, arguments.reading.format).await
    })
    .await
}

/// Prints the devices for which an SQL condition holds, the riskiest first.
pub(crate) async fn print_devices(
    database: &Database,
    condition: &str,
    format: Format,
) -> anyhow::Result<()> {
    let riskiest_first = "score DESC, category = '', category, type, name, device";
    let rows = device_rows(database, condition, riskiest_first).await?;
    match format {
        Format::Table => print_table(COLUMNS, &rows),
        Format::Json => print_json(&rows),
    }
}
