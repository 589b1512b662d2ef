//! `wardwatch devices`: the inventory, a line a device.

mod columns;
mod filter;

use clap::Args;

use super::{Reading, device_rows, rows, with_database};
use crate::engine::Database;
use crate::table::{
    Column, ListFormat, Row, joined, moment, print, print_cells, print_csv, print_json, print_list, text,
};
use columns::Columns;
use filter::Filter;

/// List the devices: what each is, where it is, how risky.
///
/// The id in the first column, or a part of it from its beginning, names a device to `wardwatch device`. Values of filters
/// are compared without regard to capital letters.
///
/// Examples:
/// wardwatch devices --category medical --missing serial_number
/// wardwatch devices --columns name,type,serial_number,room --format csv > devices.csv
#[derive(Args, Debug)]
pub(crate) struct Devices {
    #[command(flatten)]
    filter: Filter,
    /// These columns, such as name,type,serial_number,room; `--columns help` lists all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// In the order of this column [default: the riskiest first]
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// With --sort: the highest first
    #[arg(long, requires = "sort")]
    reverse: bool,
    /// At most so many devices
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    reading: Reading,
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

/// What CSV has when nobody says which columns: one value a column, and whole ids.
const FOR_CSV: &[&str] = &[
    "site",
    "device",
    "name",
    "category",
    "type",
    "manufacturer",
    "model",
    "serial_number",
    "host_names",
    "ips",
    "macs",
    "location",
    "score",
    "visibility",
    "first_seen",
    "last_seen",
];

const RISKIEST_FIRST: &str = "score DESC, category = '', category, type, name, device";

/// Runs the command.
pub(crate) async fn devices(arguments: &Devices) -> anyhow::Result<()> {
    with_database(&arguments.reading.folder, async |database| list(database, arguments).await).await
}

async fn list(database: &Database, arguments: &Devices) -> anyhow::Result<()> {
    let columns = Columns::read(database).await?;
    if arguments.columns == ["help"] {
        return print(&columns.all().collect::<Vec<_>>().join("\n"));
    }
    let missing = arguments.filter.missing.iter().map(|name| columns.field(name));
    let missing = missing.collect::<anyhow::Result<Vec<&str>>>()?;
    let order = match &arguments.sort {
        None => RISKIEST_FIRST.to_owned(),
        Some(name) => {
            let direction = if arguments.reverse { "DESC" } else { "ASC" };
            format!("{} {direction}, site, device", columns.sql(name, "--sort")?)
        }
    };
    let limit = arguments.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    let (condition, order) = (arguments.filter.condition(&missing), format!("{order}{limit}"));
    let format = arguments.reading.format;
    let names: Vec<String> = match (arguments.columns.is_empty(), format) {
        (false, _) => arguments.columns.clone(),
        (true, ListFormat::Csv) => FOR_CSV.iter().map(|name| (*name).to_owned()).collect(),
        (true, ListFormat::Table | ListFormat::Json) => {
            return print_list(COLUMNS, &device_rows(database, &condition, &order).await?, format);
        }
    };
    let chosen = columns.chosen(&names)?;
    // Under names of their own: one that is asked for may be that of another column.
    let selected: Vec<_> =
        chosen.iter().enumerate().map(|(at, (_, sql))| format!("{sql} AS chosen_{at}")).collect();
    let sql = format!("SELECT {} FROM v_devices WHERE {condition} ORDER BY {order}", selected.join(", "));
    let rows = rows(database, &sql).await?;
    match format {
        ListFormat::Json => print_json(&rows.iter().map(|row| renamed(row, &names)).collect::<Vec<_>>()),
        ListFormat::Table => print_cells(&names, cells(&rows, &names)),
        ListFormat::Csv => print_csv(&names, &cells(&rows, &names)),
    }
}

fn cells(rows: &[Row], names: &[String]) -> Vec<Vec<String>> {
    let cell = |row: &Row, at: usize, name: &str| {
        let of = format!("chosen_{at}");
        if name.ends_with("_seen") { moment(row, &of) } else { text(row, &of) }
    };
    rows.iter().map(|row| names.iter().enumerate().map(|(at, name)| cell(row, at, name)).collect()).collect()
}

/// The row under the names that were asked for.
fn renamed(row: &Row, names: &[String]) -> Row {
    let value = |at: usize| row.get(&format!("chosen_{at}")).cloned().unwrap_or_default();
    names.iter().enumerate().map(|(at, name)| (name.clone(), value(at))).collect()
}

/// Prints the devices for which an SQL condition holds, the riskiest first.
pub(crate) async fn print_devices(
    database: &Database,
    condition: &str,
    format: ListFormat,
) -> anyhow::Result<()> {
    print_list(COLUMNS, &device_rows(database, condition, RISKIEST_FIRST).await?, format)
}
