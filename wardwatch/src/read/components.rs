//! `wardwatch components`: what devices are made of, or which devices have something in them.

use clap::Args;
use wardwatch_store::quote;

use super::{Reading, find_device, rows, with_database};
use crate::table::{Column, joined, print_list, text};

/// List what a device is made of, or the devices that something is in, as their manufacturers' SBOMs say.
#[derive(Args, Debug)]
pub(crate) struct Components {
    /// The components of this device: its id or the beginning of it, its name, or one of its addresses
    #[arg(long, value_name = "ID", required_unless_present = "name")]
    device: Option<String>,
    /// Components whose name holds this, such as openssl; case does not matter
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

const COLUMNS: &[Column] = &[
    ("device", |row| text(row, "device").chars().take(8).collect()),
    ("name", |row| text(row, "device_name")),
    ("manufacturer, model", |row| joined(row, &["manufacturer", "model"])),
    ("component", |row| text(row, "name")),
    ("version", |row| text(row, "release")),
    ("kind", |row| text(row, "kind")),
    ("supplier", |row| text(row, "supplier")),
    ("licence", |row| text(row, "licence")),
    ("matched by", |row| text(row, "matched_by")),
];

/// Runs the command.
pub(crate) async fn components(arguments: &Components) -> anyhow::Result<()> {
    let Components { device, name, reading } = arguments;
    with_database(&reading.folder, async |database| {
        let mut conditions = Vec::new();
        if let Some(wanted) = device {
            let row = find_device(database, wanted, "").await?;
            conditions.push(format!(
                "site = {} AND device = {}",
                quote(&text(&row, "site")),
                quote(&text(&row, "device"))
            ));
        }
        conditions.extend(
            name.iter().map(|name| format!("positionCaseInsensitiveUTF8(name, {}) > 0", quote(name))),
        );
        let sql = format!(
            "SELECT * FROM v_device_components WHERE {} ORDER BY site, device_name, device, document, entry",
            conditions.join(" AND ")
        );
        let rows = rows(database, &sql).await?;
        print_list(COLUMNS, &rows, reading.format)
    })
    .await
}
