//! `wardwatch commands`: what people decided, the newest first, and what came of it.

use clap::Args;
use wardwatch_store::quote;

use super::{Reading, rows, with_database};
use crate::table::{Column, joined, moment, print_list, text};

/// List what people decided: who, when, about what, and what came of it.
#[derive(Args, Debug)]
pub(crate) struct Commands {
    #[command(flatten)]
    reading: Reading,
    /// Only those of this site
    #[arg(long)]
    site: Option<String>,
}

const COLUMNS: &[Column] = &[
    ("when", |row| moment(row, "at")),
    ("who", |row| text(row, "author")),
    ("what", |row| text(row, "action").replace('_', " ")),
    ("about", |row| text(row, "subject")),
    ("detail", |row| text(row, "detail").chars().take(60).collect()),
    ("note", |row| text(row, "note")),
    ("outcome", |row| joined(row, &["outcome", "reason"])),
];

/// Runs the command.
pub(crate) async fn commands(arguments: &Commands) -> anyhow::Result<()> {
    let condition =
        arguments.site.as_ref().map_or_else(|| "1".to_owned(), |site| format!("site = {}", quote(site)));
    let sql = format!("SELECT * FROM v_commands WHERE {condition} ORDER BY at DESC, id");
    with_database(&arguments.reading.folder, async |database| {
        let rows = rows(database, &sql).await?;
        print_list(COLUMNS, &rows, arguments.reading.format)
    })
    .await
}
