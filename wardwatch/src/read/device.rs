//! `wardwatch device ID`: everything about one device, and why we believe it.

mod page;
mod profile;

pub(crate) use page::Page;

use anyhow::Context as _;
use clap::Args;
use wardwatch_store::quote;

use super::{device_rows, with_database};
use crate::engine::Database;
use crate::folder::Folder;
use crate::table::{Format, Row, text};

/// Show one device: what it is and why we believe it, what is not known and what would tell it, what its score is made of,
/// its alerts, notes and history, the devices behind it, and every statement about it.
#[derive(Args, Debug)]
pub(crate) struct Device {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "ID")]
    id: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    folder: Folder,
}

/// Runs the command.
pub(crate) async fn device(arguments: &Device) -> anyhow::Result<()> {
    with_database(&arguments.folder, async |database| {
        let page = Page::read(database, find_device(database, &arguments.id, "").await?).await?;
        match arguments.format {
            Format::Table => page.print(),
            Format::Json => page.print_json(),
        }
    })
    .await
}

/// The device of this id, name or address, among those for which more conditions hold (`AND ...`).
pub(crate) async fn find_device(database: &Database, wanted: &str, more: &str) -> anyhow::Result<Row> {
    let wanted_text = quote(wanted);
    let condition = format!(
        "(device = {wanted_text} OR startsWith(device, lower({wanted_text})) OR name = {wanted_text} \
         OR has(ips, {wanted_text}) OR has(macs, lower({wanted_text}))) {more}"
    );
    let found =
        device_rows(database, &condition, &format!("device = {wanted_text} DESC, device LIMIT 10")).await?;
    let is_exact = found.first().is_some_and(|row| text(row, "device") == wanted);
    if found.len() > 1 && !is_exact {
        let ids: Vec<_> =
            found.iter().map(|row| format!("{} ({})", text(row, "device"), text(row, "name"))).collect();
        anyhow::bail!("{wanted} names several devices: {}", ids.join(", "));
    }
    found.into_iter().next().with_context(|| {
        format!("no device has the id, name or address {wanted}; `wardwatch devices` lists them")
    })
}
