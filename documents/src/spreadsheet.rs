//! The cells of a spreadsheet (`.xlsx`, ISO/IEC 29500), within bounds: what unpacks to more than is read, or stands far off,
//! is refused before it takes memory.

use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx};

use crate::Error;

/// The most octets that all files in it may unpack to.
pub(crate) const LARGEST_UNPACKED: u64 = 64 * 1024 * 1024;
/// The most files in it.
const MOST_FILES: usize = 2000;
/// Sheets that are read.
pub(crate) const MOST_SHEETS: usize = 16;
/// Cells that are read of all sheets.
const MOST_CELLS: usize = 200_000;
/// Columns that are read: a form has some ten.
const MOST_COLUMNS: u32 = 64;
/// The longest text of a cell that is read, in octets; Excel's own bound is 32,767 characters.
const LONGEST_CELL: usize = 128 * 1024;

/// A row that has something in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, as spreadsheets show it, from 1.
    pub(crate) number: u32,
    /// Columns from 0, and what stands there, without blanks around it; in the order of the columns.
    pub(crate) cells: Vec<(u32, String)>,
}

impl Line {
    /// What stands in a column; empty where nothing does.
    pub(crate) fn at(&self, column: u32) -> &str {
        let found = self.cells.iter().find(|(at, _)| *at == column);
        found.map(|(_, text)| text.as_str()).unwrap_or_default()
    }
}

/// The sheets of a spreadsheet, each with its name and the rows that have something in them.
pub(crate) fn sheets(bytes: &[u8]) -> Result<Vec<(String, Vec<Line>)>, Error> {
    unpacks_within_bounds(bytes)?;
    // The reader is known to give up on some files that are no spreadsheets; that is an error of the file like any other.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    read.unwrap_or_else(|_| Err(malformed("the file", "it is no spreadsheet that can be read")))
}

/// Unpacks everything once, keeping nothing, since what a file says of its size may be wrong.
fn unpacks_within_bounds(bytes: &[u8]) -> Result<(), Error> {
    let wrong = |problem: String| malformed("the file", &format!("it is no spreadsheet (.xlsx): {problem}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
    if archive.len() > MOST_FILES {
        return Err(Error::TooMany { what: "files in it", most: MOST_FILES });
    }
    let mut left = LARGEST_UNPACKED;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| wrong(error.to_string()))?;
        let mut bounded = file.take(left + 1);
        let unpacked = std::io::copy(&mut bounded, &mut std::io::sink());
        let unpacked = unpacked.map_err(|error| wrong(error.to_string()))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            malformed("the file", &format!("it unpacks to more than {LARGEST_UNPACKED} octets"))
        })?;
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<Line>)>, Error> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes))
        .map_err(|error: calamine::XlsxError| malformed("the file", &error.to_string()))?;
    let names: Vec<String> = book.sheet_names().into_iter().take(MOST_SHEETS).collect();
    let mut left = MOST_CELLS;
    let mut sheets = Vec::new();
    for name in names {
        let place = || format!("sheet {name:?}");
        // A chart is a sheet too, and has no cells.
        let Ok(mut reader) = book.worksheet_cells_reader(&name) else { continue };
        let mut lines: Vec<Line> = Vec::new();
        while let Some(cell) = reader.next_cell().map_err(|error| malformed(&place(), &error.to_string()))? {
            let (row, column) = cell.get_position();
            let text = text(cell.get_value());
            let text = text.trim();
            if text.is_empty() || column >= MOST_COLUMNS {
                continue;
            }
            left = left.checked_sub(1).ok_or(Error::TooMany { what: "cells", most: MOST_CELLS })?;
            if text.len() > LONGEST_CELL {
                let problem = format!("column {} has more than {LONGEST_CELL} octets", column + 1);
                return Err(malformed(&format!("sheet {name:?}, row {}", u64::from(row) + 1), &problem));
            }
            let number = row.saturating_add(1);
            if lines.last().is_none_or(|line| line.number != number) {
                lines.push(Line { number, cells: Vec::new() });
            }
            if let Some(line) = lines.last_mut() {
                line.cells.push((column, text.to_owned()));
            }
        }
        sheets.push((name, lines));
    }
    Ok(sheets)
}

fn malformed(place: &str, problem: &str) -> Error {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect();
    Error::Malformed { place: short(place), problem: short(problem) }
}

/// What a cell shows, more or less: a date as 2024-05-31, a number without a fraction where it has none.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "Yes".into(),
        DataRef::Bool(false) => "No".into(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(at) => at.as_f64().to_string(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}
