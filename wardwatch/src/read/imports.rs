//! `wardwatch imports`: the tables of other systems, what came of their rows, and where they and what is observed differ.

use clap::{Args, Subcommand};
use wardwatch_store::quote;

use super::{Reading, rows, with_database};
use crate::decide::{self, Undo};
use crate::table::{Column, moment, print_list, text};

/// List the imported tables: who imported them and when, how many rows, and how many found their device.
///
/// Without a command the tables are listed. Rows that did not find a device, devices that no CMMS has, and fields that
/// differ are shown by `wardwatch imports differences`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Imports {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    of: Of,
}

#[derive(Args, Debug)]
struct Of {
    #[command(flatten)]
    reading: Reading,
    /// Only those of this site
    #[arg(long)]
    site: Option<String>,
    /// Only the table of this name
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show where tables and what is observed differ, both ways: rows that were never seen, devices that no CMMS has, fields
    /// that differ
    Differences {
        #[command(flatten)]
        of: Of,
    },
    Undo(Undo),
}

const TABLES: &[Column] = &[
    ("site", |row| text(row, "site")),
    ("import", |row| text(row, "import")),
    ("of", |row| text(row, "source")),
    ("when", |row| moment(row, "imported_at")),
    ("who", |row| text(row, "author")),
    ("rows", |row| text(row, "rows")),
    ("matched", |row| text(row, "matched")),
    ("guessed", |row| text(row, "guessed")),
    ("ambiguous", |row| text(row, "ambiguous")),
    ("not seen", |row| text(row, "not_seen")),
    ("differing", |row| text(row, "differing")),
];

const DIFFERENCES: &[Column] = &[
    ("import", |row| text(row, "import")),
    ("what", |row| text(row, "kind")),
    ("line", |row| Some(text(row, "line")).filter(|line| line != "0").unwrap_or_default()),
    ("device", |row| text(row, "device_name")),
    ("field", |row| text(row, "field")),
    ("imported", |row| text(row, "imported").chars().take(80).collect()),
    ("observed", |row| text(row, "observed")),
];

/// Runs the command.
pub(crate) async fn imports(arguments: &Imports) -> anyhow::Result<()> {
    match &arguments.what {
        Some(What::Undo(undo)) => decide::undo(undo).await,
        Some(What::Differences { of }) => {
            let sql = format!(
                "SELECT d.site AS site, d.import AS import, d.kind AS kind, d.line AS line, d.device AS device,
                    v.name AS device_name, d.field AS field, d.imported_value AS imported, d.observed_value AS observed
                FROM (SELECT * FROM v_import_differences WHERE {}) AS d
                LEFT JOIN (SELECT site, device, name FROM v_devices) AS v ON v.site = d.site AND v.device = d.device
                ORDER BY site, import, kind, line, device, field",
                condition(of)
            );
            show(of, &sql, DIFFERENCES).await
        }
        None => {
            let of = &arguments.of;
            let sql = format!(
                "SELECT site, import, of_source AS source, imported_by AS author, at AS imported_at, rows, matched, guessed,
                    ambiguous, not_seen, differing
                FROM v_imports WHERE {} ORDER BY site, import",
                condition(of)
            );
            show(of, &sql, TABLES).await
        }
    }
}

fn condition(of: &Of) -> String {
    let site = of.site.as_ref().map(|site| format!("site = {}", quote(site)));
    let name = of.name.as_ref().map(|name| format!("import = {}", quote(name)));
    let both: Vec<String> = site.into_iter().chain(name).collect();
    if both.is_empty() { "1".to_owned() } else { both.join(" AND ") }
}

async fn show(of: &Of, sql: &str, columns: &[Column]) -> anyhow::Result<()> {
    with_database(&of.reading.folder, async |database| {
        let rows = rows(database, sql).await?;
        print_list(columns, &rows, of.reading.format)
    })
    .await
}
