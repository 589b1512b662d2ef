//! `wardwatch query SQL`: whatever else one wants to know.

use clap::Args;

use super::{Reading, with_database};
use crate::table::{Format, print, print_json};

/// Ask ClickHouse. Reading only; the views v_devices, v_attributes, v_flows, v_alerts and v_commands are made for it.
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
        Format::Json => print_json(&super::rows(database, &arguments.sql).await?),
        Format::Table => {
            let table = database.store.text(&arguments.sql, "PrettyCompactMonoBlock").await?;
            print(table.trim_end())
        }
    })
    .await
}
