//! Rows as people read them, as JSON, or as CSV.

use std::io::Write as _;

use anyhow::Context as _;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::{Map, Value};

/// How many columns of text a table has where nobody says how wide the screen is.
const WIDTH: u16 = 100;

/// How one thing is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON array of objects.
    Json,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table for people.
    #[default]
    Table,
    /// One JSON array of objects.
    Json,
    /// CSV with a header; cells that a spreadsheet would run as formulas begin with an apostrophe.
    Csv,
}

/// A row as ClickHouse gave it.
pub(crate) type Row = Map<String, Value>;

/// A column of a table: what it is called, and what of a row stands in it.
pub(crate) type Column = (&'static str, fn(&Row) -> String);

/// Prints rows as one JSON array.
pub(crate) fn print_json(rows: &[Row]) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(rows).context("cannot write JSON")?)
}

/// Prints rows: as JSON whole, else what the columns show of them.
pub(crate) fn print_list(columns: &[Column], rows: &[Row], format: ListFormat) -> anyhow::Result<()> {
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let cells = || rows.iter().map(|row| columns.iter().map(|(_, cell)| cell(row)).collect()).collect();
    match format {
        ListFormat::Json => print_json(rows),
        ListFormat::Table => print_cells(&header, cells()),
        ListFormat::Csv => print_csv(&header, &cells()),
    }
}

/// Prints cells as a table.
pub(crate) fn print_cells(header: &[String], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    let mut table = plain_table(header.iter().map(String::as_str));
    table.add_rows(rows);
    print(&table.to_string())
}

/// Prints cells as CSV.
pub(crate) fn print_csv(header: &[String], rows: &[Vec<String>]) -> anyhow::Result<()> {
    print(&crate::csv::text(header, rows)?)
}

/// A line under the header and none between rows: many rows fit on a screen, and lines can be cut out of it.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// An empty table in the one style that all have.
pub(crate) fn plain_table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// The same, as wide as the screen, or 100 columns where nobody says how wide that is.
pub(crate) fn page_table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = plain_table(header);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table
}

/// To standard output; a reader that has gone away, such as `head`, is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// A field as text; empty where there is none.
pub(crate) fn text(row: &Row, field: &str) -> String {
    row.get(field).map(plain).unwrap_or_default()
}

/// A value as text; a list's are joined by commas.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Several fields as text, those that are not empty, joined by blanks.
pub(crate) fn joined(row: &Row, fields: &[&str]) -> String {
    fields.iter().map(|field| text(row, field)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A moment to the second; nanoseconds are for machines.
pub(crate) fn moment(row: &Row, field: &str) -> String {
    let full = text(row, field);
    full.split_once('.').map_or(full.as_str(), |(seconds, _)| seconds).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).expect("a JSON object")
    }

    #[test]
    fn fields_are_shown_as_people_write_them() {
        let row = row(
            r#"{"ips": ["192.0.2.1", "192.0.2.2"], "score": 30, "model": "", "maker": "Acme", "at": "2026-01-02 03:04:05.678"}"#,
        );
        assert_eq!(text(&row, "ips"), "192.0.2.1, 192.0.2.2");
        assert_eq!(text(&row, "score"), "30");
        assert_eq!(text(&row, "absent"), "");
        assert_eq!(joined(&row, &["maker", "model", "score"]), "Acme 30");
        assert_eq!(moment(&row, "at"), "2026-01-02 03:04:05");
    }
}
