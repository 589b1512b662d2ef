//! Rows as people read them, or as JSON.

use std::io::Write as _;

use anyhow::Context as _;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::{Map, Value};

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON array of objects.
    Json,
}

/// A row as ClickHouse gave it.
pub(crate) type Row = Map<String, Value>;

/// A column of a table: what it is called, and what of a row stands in it.
pub(crate) type Column = (&'static str, fn(&Row) -> String);

/// Prints rows as one JSON array.
pub(crate) fn print_json(rows: &[Row]) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(rows).context("cannot write JSON")?)
}

/// Prints rows as a table with these columns.
pub(crate) fn print_table(columns: &[Column], rows: &[Row]) -> anyhow::Result<()> {
    let mut table = plain_table(columns.iter().map(|(name, _)| *name));
    for row in rows {
        table.add_row(columns.iter().map(|(_, cell)| cell(row)));
    }
    print(&table.to_string())
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

/// To standard output; a reader that has gone away, such as `head`, is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// A field as text; empty where there is none.
pub(crate) fn text(row: &Row, field: &str) -> String {
    match row.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
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
