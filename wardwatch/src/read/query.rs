//! `wardwatch query SQL`: whatever else one wants to know.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::{Reading, with_database};
use crate::engine::Database;
use crate::table::{ListFormat, plain, print, print_csv, print_json};

/// Ask ClickHouse. Reading only; the views v_devices, v_attributes, v_flows, v_alerts and others are made for it, see docs/queries.md.
///
/// Example: wardwatch query "SELECT protocol, count() FROM v_flows GROUP BY protocol ORDER BY 2 DESC"
#[derive(Args, Debug)]
pub(crate) struct Query {
    /// The statement
    #[arg(value_name = "SQL")]
    sql: String,
    #[command(flatten)]
    reading: Reading,
}

/// Runs the command.
pub(crate) async fn query(arguments: &Query) -> anyhow::Result<()> {
    with_database(&arguments.reading.folder, async |database| match arguments.reading.format {
        ListFormat::Json => print_json(&super::rows(database, &arguments.sql).await?),
        ListFormat::Table => {
            let table = database.store.text(&arguments.sql, "PrettyCompactMonoBlock").await?;
            print(table.trim_end())
        }
        ListFormat::Csv => csv(database, &arguments.sql).await,
    })
    .await
}

/// The columns in the order of the question.
async fn csv(database: &Database, sql: &str) -> anyhow::Result<()> {
    let lines = database.store.text(sql, "JSONCompactEachRowWithNames").await?;
    let cells = |line: &str| -> anyhow::Result<Vec<String>> {
        let row: Vec<Value> =
            serde_json::from_str(line).context("ClickHouse gave a row that is no JSON array")?;
        Ok(row.iter().map(plain).collect())
    };
    let mut rows = lines.lines().map(cells);
    let header = rows.next().transpose()?.unwrap_or_default();
    print_csv(&header, &rows.collect::<anyhow::Result<Vec<_>>>()?)
}
