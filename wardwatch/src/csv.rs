//! Rows as CSV (RFC 4180), for spreadsheets as well.
//!
//! Names and models come off the wire, where anybody may put `=HYPERLINK(...)` into a host name; a spreadsheet would run it.
//! So, as OWASP has it under "CSV Injection", a cell that begins with what starts a formula (`=`, `+`, `-`, `@`, a tab, a
//! carriage return, a line feed, or the full-width forms of the signs) gets an apostrophe before it, and every cell stands in
//! quotation marks, so that none ends early. A program that reads the file takes that apostrophe off again.

use anyhow::Context as _;
use csv::{QuoteStyle, WriterBuilder};

/// What a formula begins with.
const STARTS_FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A header and rows as the text of a CSV file, without the last line break.
pub(crate) fn text(header: &[String], rows: &[Vec<String>]) -> anyhow::Result<String> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        writer.write_record(row.iter().map(|cell| harmless(cell))).context("cannot write CSV")?;
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    let text = String::from_utf8(bytes).context("cannot write CSV")?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    let prefix = if cell.starts_with(STARTS_FORMULA) { "'" } else { "" };
    format!("{prefix}{cell}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &[&str]) -> Vec<String> {
        text.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for plain in ["", "ct-1", "a=b", "10.0.0.7", "'quoted"] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn a_reader_gets_the_cells_back() {
        let rows = [cells(&["a \"b\", c", "two\nlines"]), cells(&["=cmd|' /C calc'!A0", ""])];
        let text = text(&cells(&["name", "note"]), &rows).expect("text");
        assert!(text.starts_with("\"name\",\"note\"\n"), "{text}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.expect("a record").iter().map(ToOwned::to_owned).collect())
            .collect();
        assert_eq!(read, [cells(&["a \"b\", c", "two\nlines"]), cells(&["'=cmd|' /C calc'!A0", ""])]);
    }
}
