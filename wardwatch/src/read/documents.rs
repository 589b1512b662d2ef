//! `wardwatch documents`: what manufacturers say of their products, as it was brought in.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;
use wardwatch_store::quote;

use super::{Reading, rows, with_database};
use crate::decide::{self, Deciding};
use crate::engine::Database;
use crate::table::{Column, ListFormat, Row, joined, moment, print, print_list, text};

/// List the SBOMs and MDS2 forms that were brought in, show one, or take one away.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Documents {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    reading: Reading,
    /// Instead, list the models on the network that have none, and of what
    #[arg(long)]
    missing: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show everything that a document says
    Show {
        /// The document's id or the beginning of it
        #[arg(value_name = "ID")]
        document: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Take a document away from what it is attached to; importing the file again brings it back
    Undo {
        /// The document's id or the beginning of it
        #[arg(value_name = "ID")]
        document: String,
        #[command(flatten)]
        deciding: Deciding,
    },
}

const COLUMNS: &[Column] = &[
    ("id", |row| text(row, "document").chars().take(8).collect()),
    ("kind", |row| text(row, "kind")),
    ("format", |row| text(row, "format")),
    ("of", |row| joined(row, &["manufacturer", "model", "model_version"])),
    ("title", |row| joined(row, &["title", "date"])),
    ("entries", |row| {
        let whole = text(row, "parts_held") == text(row, "parts");
        format!("{}{}", text(row, "entries"), if whole { "" } else { ", not all here" })
    }),
    ("left out", |row| text(row, "left_out")),
    ("devices", |row| text(row, "devices")),
    ("site", |row| text(row, "site")),
    ("brought by", |row| format!("{} {}", text(row, "author"), moment(row, "at"))),
];

const MISSING: &[Column] = &[
    ("manufacturer", |row| text(row, "manufacturer")),
    ("model", |row| text(row, "model")),
    ("versions", |row| text(row, "versions")),
    ("devices", |row| text(row, "devices")),
    ("lacks", |row| text(row, "lacks")),
];

const COMPONENTS: &[Column] = &[
    ("component", |row| {
        let depth = text(row, "depth").parse().unwrap_or(0);
        format!("{}{}", "  ".repeat(depth), text(row, "name"))
    }),
    ("version", |row| text(row, "release")),
    ("kind", |row| text(row, "kind")),
    ("supplier", |row| text(row, "supplier")),
    ("licence", |row| text(row, "licence")),
    ("cpe or purl", |row| {
        let cpe = text(row, "cpe");
        if cpe.is_empty() { text(row, "purl") } else { cpe }
    }),
];

const ANSWERS: &[Column] = &[
    ("id", |row| text(row, "question")),
    ("question", |row| text(row, "text")),
    ("answer", |row| text(row, "answer")),
    ("note", |row| text(row, "note")),
];

/// Runs the command.
pub(crate) async fn documents(arguments: &Documents) -> anyhow::Result<()> {
    match &arguments.what {
        Some(What::Undo { document, deciding }) => decide::withdraw(deciding, document).await,
        Some(What::Show { document, reading }) => {
            with_database(&reading.folder, async |database| show(database, document, reading.format).await)
                .await
        }
        None => {
            let (columns, sql) = if arguments.missing {
                let sql = "SELECT * FROM v_model_documents WHERE notEmpty(lacks) ORDER BY devices DESC, manufacturer, model";
                (MISSING, sql)
            } else {
                let sql = "SELECT d.*, u.devices AS devices FROM v_documents AS d LEFT JOIN
                    (SELECT document_site, document, count() AS devices FROM v_device_documents GROUP BY ALL) AS u
                    ON u.document_site = d.site AND u.document = d.document
                    ORDER BY d.manufacturer, d.model, d.model_version, d.kind, d.document";
                (COLUMNS, sql)
            };
            with_database(&arguments.reading.folder, async |database| {
                let rows = rows(database, sql).await?;
                print_list(columns, &rows, arguments.reading.format)
            })
            .await
        }
    }
}

/// The document of this id, or of one that begins like this, among those for which more conditions hold (`AND ...`).
pub(crate) async fn find_document(database: &Database, wanted: &str, more: &str) -> anyhow::Result<Row> {
    let id = quote(wanted);
    let sql = format!(
        "SELECT * FROM v_documents WHERE startsWith(document, lower({id})) {more} ORDER BY document, site LIMIT 10"
    );
    let mut found = rows(database, &sql).await?;
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().map(|row| joined(row, &["document", "site"])).collect();
        anyhow::bail!("several documents begin with {wanted}: {}", ids.join(", "));
    }
    found.pop().with_context(|| {
        format!("no document has the id {wanted}; `wardwatch documents` lists them, the id first")
    })
}

async fn show(database: &Database, wanted: &str, format: ListFormat) -> anyhow::Result<()> {
    let mut document = find_document(database, wanted, "").await?;
    let of = format!(
        "site = {} AND document = {} ORDER BY entry",
        quote(&text(&document, "site")),
        quote(&text(&document, "document"))
    );
    let (view, columns, list) = if text(&document, "kind") == "sbom" {
        ("v_components", COMPONENTS, "components")
    } else {
        ("v_mds2", ANSWERS, "answers")
    };
    let repeated = "EXCEPT (site, document, manufacturer, model, model_version)";
    let entries = rows(database, &format!("SELECT * {repeated} FROM {view} WHERE {of}")).await?;
    match format {
        ListFormat::Json => {
            document.insert(list.into(), Value::Array(entries.into_iter().map(Value::Object).collect()));
            print(&serde_json::to_string_pretty(&document).context("cannot write JSON")?)
        }
        ListFormat::Csv => print_list(columns, &entries, format),
        ListFormat::Table => {
            let product = joined(&document, &["manufacturer", "model", "model_version"]);
            print(&format!(
                "{} of {product}: {}",
                text(&document, "format"),
                joined(&document, &["title", "date"])
            ))?;
            print_list(columns, &entries, format)
        }
    }
}
