//! A CSV file (RFC 4180) into rows that can be sent. A row that cannot be used is told by its line and a reason; so is a cell,
//! whose row goes in without it.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use csv::ByteRecord;
use serde_json::{Value, json};
use wardwatch_proto::command::{MOST_VALUES, speaks_for_a_device};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, ImportedRow, ImportedValue};

use super::cell::{self, Reading};
use super::mapping::{Columns, Encoding, Mapping};
use super::{Import, Kind};

/// The largest file, in octets.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The longest row, in octets; one that a lost quote made of many is longer.
const LONGEST_ROW: usize = 64 * 1024;
/// Columns of a table.
const MOST_COLUMNS: usize = 512;
/// Problems that are told; beyond, the table is another than the mapping says.
const MOST_PROBLEMS: usize = 10_000;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) rows: Vec<ImportedRow>,
    pub(super) problems: Vec<Problem>,
    /// Heading and attribute of the columns that are used.
    pub(super) columns: Vec<(String, String)>,
    /// Headings of the columns that are not.
    pub(super) left_out: Vec<String>,
}

/// What was left out, and why.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) line: u64,
    /// The heading; empty for a whole row.
    pub(super) column: String,
    pub(super) is_row: bool,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn as_json(&self) -> Value {
        let left_out = if self.is_row { "row" } else { "cell" };
        json!({ "line": self.line, "column": self.column, "left_out": left_out, "reason": self.reason })
    }
}

/// Reads the table that is to be imported for a site.
pub(super) fn read(kind: Kind, arguments: &Import, mapping: &Mapping, site: &str) -> anyhow::Result<Read> {
    let bytes = content(&arguments.file)?;
    let reading = Reading { dates: mapping.dates, users: arguments.hash_users.then_some(site) };
    let read = rows(&bytes, kind, mapping, reading);
    read.with_context(|| format!("the table {} cannot be used", arguments.file.display()))
}

fn content(path: &Path) -> anyhow::Result<Vec<u8>> {
    let problem = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(problem)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(problem)?;
    anyhow::ensure!(bytes.len() as u64 <= LARGEST, "{} has more than {LARGEST} octets", path.display());
    Ok(bytes)
}

fn rows(bytes: &[u8], kind: Kind, mapping: &Mapping, reading: Reading<'_>) -> anyhow::Result<Read> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    anyhow::ensure!(!is_wide, "it is UTF-16; save it as UTF-8");
    let delimiter = mapping.delimiter.map_or_else(|| guessed_delimiter(bytes), |delimiter| delimiter as u8);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut record = ByteRecord::new();
    anyhow::ensure!(reader.read_byte_record(&mut record)?, "it is empty");
    // Some spreadsheets say the delimiter in a line of its own.
    if record.get(0).is_some_and(|first| first.starts_with(b"sep=")) {
        anyhow::ensure!(reader.read_byte_record(&mut record)?, "it has no headings");
    }
    let columns = columns(&record, kind, mapping)?;
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut read = Read::default();
    for (heading, attribute) in &columns.all {
        match attribute {
            Some(Attribute::LastUser) if reading.users.is_none() => read.left_out.push(heading.clone()),
            Some(attribute) => read.columns.push((heading.clone(), attribute.name().to_owned())),
            None => read.left_out.push(heading.clone()),
        }
    }
    while reader.read_byte_record(&mut record)? {
        let line = lines.at(record.position().map_or(0, csv::Position::byte) as usize);
        if let Err(reason) = row(&record, line, &columns, mapping.encoding, reading, &mut read) {
            read.problems.push(Problem { line, column: String::new(), is_row: true, reason });
        }
        anyhow::ensure!(
            read.problems.len() <= MOST_PROBLEMS,
            "line {line}: more than {MOST_PROBLEMS} problems, the first in line {}: {}; is the mapping of this table?",
            read.problems.first().map_or(0, |problem| problem.line),
            read.problems.first().map_or("", |problem| problem.reason.as_str())
        );
    }
    Ok(read)
}

fn columns(record: &ByteRecord, kind: Kind, mapping: &Mapping) -> anyhow::Result<Columns> {
    anyhow::ensure!(record.len() <= MOST_COLUMNS, "it has {} columns; {MOST_COLUMNS} are read", record.len());
    anyhow::ensure!(
        record.as_slice().len() <= LONGEST_ROW,
        "its line of headings is longer than {LONGEST_ROW} octets"
    );
    let headings: Vec<String> = record
        .iter()
        .map(|heading| decoded(heading, mapping.encoding).map(|text| plain(&text)))
        .collect::<Result<_, _>>()
        .map_err(|reason| anyhow::anyhow!("its headings: {reason}"))?;
    mapping.columns(kind, &headings)
}

/// A heading as it can be shown on a terminal.
fn plain(heading: &str) -> String {
    heading.trim().chars().map(|c| if c.is_control() { '?' } else { c }).take(64).collect()
}

/// Takes a row in, or says why not.
fn row(
    record: &ByteRecord,
    line: u64,
    columns: &Columns,
    encoding: Encoding,
    reading: Reading<'_>,
    read: &mut Read,
) -> Result<(), String> {
    if record.iter().all(<[u8]>::is_empty) {
        return Ok(());
    }
    if record.as_slice().len() > LONGEST_ROW {
        return Err(format!("it is longer than {LONGEST_ROW} octets; is a quote missing?"));
    }
    if record.len() != columns.all.len() {
        return Err(format!("it has {} cells, and there are {} headings", record.len(), columns.all.len()));
    }
    let number = u32::try_from(line).map_err(|_| "its line has too large a number".to_owned())?;
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for ((heading, attribute), cell) in columns.all.iter().zip(record) {
        let Some(attribute) = *attribute else { continue };
        match decoded(cell, encoding).and_then(|text| cell::values(attribute, &text, reading)) {
            Ok(all) => values
                .extend(all.into_iter().map(|value| ImportedValue { attribute: attribute.into(), value })),
            Err(reason) => {
                problems.push(Problem { line, column: heading.clone(), is_row: false, reason });
            }
        }
    }
    // A value that stands in two columns is said once.
    let mut said: Vec<ImportedValue> = Vec::new();
    for value in values {
        if !said.contains(&value) {
            said.push(value);
        }
    }
    let attributes: Vec<Attribute> = said.iter().map(ImportedValue::attribute).collect();
    read.problems.extend(problems);
    if !speaks_for_a_device(&attributes) {
        return Err("nothing in it names a device: a MAC or IP address, serial number, asset tag, host name, or model \
                    and location"
            .to_owned());
    }
    if said.len() > MOST_VALUES {
        return Err(format!("it has {} values; {MOST_VALUES} are kept", said.len()));
    }
    read.rows.push(ImportedRow { line: number, values: said });
    Ok(())
}

fn decoded(bytes: &[u8], encoding: Encoding) -> Result<String, String> {
    match encoding {
        Encoding::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Encoding::Utf8 => std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| "it is not UTF-8; does `encoding = \"latin-1\"` in the mapping fit?".to_owned()),
    }
}

/// The lines in which records begin. The reader's own count is before empty lines and the second half of a line's end.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins here or after line ends from here; asked in the order of the file.
    fn at(&mut self, begin: usize) -> u64 {
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.bytes.get(self.at..begin + ends).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = self.at.max(begin + ends);
        self.line
    }
}

/// What stands most often in the first line.
fn guessed_delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"sep=")).unwrap_or_default();
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    let candidates = [b'\t', b';', b','];
    candidates.into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::super::Tables;
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        tables: Tables,
    }

    fn read_with(kind: &str, mapping: &str, bytes: &[u8]) -> anyhow::Result<Read> {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, map) = (folder.path().join("t.csv"), folder.path().join("m.toml"));
        std::fs::write(&file, bytes).expect("a file");
        std::fs::write(&map, mapping).expect("a file");
        let (file, map) = (file.display().to_string(), map.display().to_string());
        let line = Line::try_parse_from(["import", kind, &file, "--mapping", &map]).expect("arguments");
        let (kind, import) = line.tables.of();
        let mapping = Mapping::read(import.mapping.as_deref().expect("a path")).expect("sound");
        read(kind, import, &mapping, "north")
    }

    /// `line attribute=value attribute=value`.
    fn lines(read: &Read) -> Vec<String> {
        let one = |row: &ImportedRow| {
            let values =
                row.values.iter().map(|value| format!(" {}={}", value.attribute().name(), value.value));
            format!("{}{}", row.line, values.collect::<String>())
        };
        read.rows.iter().map(one).collect()
    }

    /// `line column: reason`.
    fn problems(read: &Read) -> Vec<String> {
        let one = |problem: &Problem| {
            let reason: String = problem.reason.chars().take(30).collect();
            format!("{} {}: {reason}", problem.line, problem.column)
        };
        read.problems.iter().map(one).collect()
    }

    #[test]
    fn good_rows_go_in_and_bad_ones_are_told_by_line() {
        let table = "\u{feff}Asset No,Serial Number,Location,Remarks\r\n\
            A-1,SN-1,\"Ward 3, room 7\",\r\n\
            ,,Ward 3,nothing names it\r\n\
            \r\n\
            A-2,SN-2\r\n\
            A-3,=cmd|' /C calc'!A0,Ward\u{7}4,x\r\n";
        let read = read_with("cmms", "", table.as_bytes()).expect("a table");
        assert_eq!(
            lines(&read),
            ["2 asset_tag=A-1 serial_number=SN-1 location=Ward 3, room 7", "6 asset_tag=A-3"]
        );
        assert_eq!(
            problems(&read),
            [
                "3 : nothing in it names a device: ",
                "5 : it has 2 cells, and there are ",
                "6 Serial Number: it begins like a formula, whic",
                "6 Location: it has control characters"
            ]
        );
        assert_eq!(read.left_out, ["Remarks"]);
    }

    #[test]
    fn delimiters_encodings_and_dates_are_as_the_mapping_says() {
        let mapping = "encoding = \"latin-1\"\ndates = \"dd.mm.yyyy\"\n[columns]\n\"Nr\" = \"asset_tag\"\n\"Haus\" = \"building\"";
        let table = b"sep=;\nNr;Haus;Last PM\nA-1;Geb\xe4ude 3;3.2.2026\n";
        let read = read_with("cmms", mapping, table).expect("a table");
        assert_eq!(lines(&read), ["3 asset_tag=A-1 building=Gebäude 3 last_maintenance=2026-02-03"]);
        let read = read_with("cmms", "", b"Asset No\tLocation\nA-1\tGeb\xe4ude\n").expect("a table");
        assert_eq!(problems(&read), ["2 Location: it is not UTF-8; does `encodin"]);
    }

    #[test]
    fn what_is_no_table_is_an_error_and_does_not_eat_memory() {
        let wrong = |bytes: &[u8]| format!("{:#}", read_with("cmms", "", bytes).expect_err("no table"));
        assert!(wrong(b"").contains("it is empty"));
        assert!(wrong(b"\xff\xfeA\0").contains("UTF-16"));
        assert!(wrong(b"one,two\n1,2\n").contains("none of the headings is known: one, two"));
        assert!(wrong(&b"a,".repeat(1000)).contains("columns"));
        let many = [b"Asset No\n".as_slice(), &b"=x\n".repeat(20_000)].concat();
        assert!(wrong(&many).contains("problems, the first in line 2"));
        let unclosed = [b"Asset No\n\"A-1\n".as_slice(), &b"A-2\n".repeat(50_000)].concat();
        let read = read_with("cmms", "", &unclosed).expect("one bad row");
        assert_eq!(problems(&read), ["2 : it is longer than 65536 octets"]);
    }

    #[test]
    fn columns_of_users_are_left_out_unless_asked_for() {
        let read = read_with("edr", "", b"Hostname,Last User\nct-1,NORTH\\j.doe\n").expect("a table");
        assert_eq!(lines(&read), ["2 host_name=ct-1"]);
        assert_eq!(read.left_out, ["Last User"]);
    }
}
