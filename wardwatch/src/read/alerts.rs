//! `wardwatch alerts`: what is wrong, the worst first.

use clap::Args;

use super::{Reading, rows, with_database};
use crate::engine::Database;
use crate::table::{Column, ListFormat, joined, moment, print_list, text};

/// List the alerts: what happened, to which device, since when, and what to do.
///
/// The id in the first column, or a part of it from its beginning, names an alert to `wardwatch acknowledge`.
#[derive(Args, Debug)]
pub(crate) struct Alerts {
    #[command(flatten)]
    reading: Reading,
}

const COLUMNS: &[Column] = &[
    ("id", |row| text(row, "alert").chars().take(8).collect()),
    ("severity", |row| text(row, "severity")),
    ("alert", |row| text(row, "title")),
    ("device", |row| {
        let name = text(row, "device_name");
        if name.is_empty() { joined(row, &["device_ips", "device_macs"]) } else { name }
    }),
    ("what happened", |row| text(row, "explanation")),
    ("ATT&CK", |row| text(row, "attack_technique")),
    ("status", |row| text(row, "status")),
    ("since", |row| moment(row, "first_seen")),
];

/// Runs the command.
pub(crate) async fn alerts(arguments: &Alerts) -> anyhow::Result<()> {
    with_database(&arguments.reading.folder, async |database| {
        print_alerts(database, "1", arguments.reading.format).await
    })
    .await
}

/// Prints the alerts for which an SQL condition holds, the worst first.
pub(crate) async fn print_alerts(
    database: &Database,
    condition: &str,
    format: ListFormat,
) -> anyhow::Result<()> {
    let worst_first = "indexOf(['critical', 'high', 'medium', 'low', 'informational'], severity)";
    let sql =
        format!("SELECT * FROM v_alerts WHERE {condition} ORDER BY {worst_first}, first_seen, title, alert");
    let rows = rows(database, &sql).await?;
    print_list(COLUMNS, &rows, format)
}
