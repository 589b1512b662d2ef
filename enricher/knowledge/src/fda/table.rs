//! The table as the FDA gives it out (`foiclass.txt`): lines of cells with `|` between them, the first with the headings.
//!
//! Only four columns are read, by their headings, so that others may come and go: `PRODUCTCODE`, `DEVICENAME`, `DEVICECLASS`,
//! `REGULATIONNUMBER`. Octets that are not ASCII are of Windows' code page 1252; what that does not have becomes `?`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Value;

use super::{LONGEST_NAME, Product, is_code, is_regulation};
use crate::clinical::FdaClass;

/// The largest table that is read, in octets; that of today has less than 2 MB.
pub const LARGEST_TABLE: usize = 32 * 1024 * 1024;
/// Lines that are told to be wrong.
const MOST_REFUSED: usize = 1000;

/// A table that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// By product code.
    pub products: BTreeMap<String, Product>,
    /// Lines that cannot be used, as `line 7: reason`.
    pub refused: Vec<String>,
}

/// A file that is no such table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    /// A heading is missing.
    #[error("its first line has no column {0}: this is not the FDA's product classification (foiclass.txt)")]
    NoColumn(&'static str),
    /// No line can be used, or hardly any.
    #[error("{0}; too many lines are wrong for the FDA's product classification")]
    Unsound(String),
    /// It is larger than is read.
    #[error("it has more than {LARGEST_TABLE} octets")]
    TooLarge,
}

/// Where the columns stand.
struct Columns {
    code: usize,
    name: usize,
    class: usize,
    regulation: usize,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it is no such table.
    pub fn read(octets: &[u8]) -> Result<Self, NoTable> {
        if octets.len() > LARGEST_TABLE {
            return Err(NoTable::TooLarge);
        }
        let mut lines = octets.split(|octet| *octet == b'\n').map(text);
        let columns = Columns::of(&lines.next().unwrap_or_default())?;
        let mut table = Self::default();
        for (number, line) in (2..).zip(lines) {
            if line.is_empty() {
                continue;
            }
            let entered = columns.product(&line).and_then(|(code, product)| {
                match table.products.get(&code) {
                    Some(other) if *other != product => {
                        return Err(format!("product code {code} stood before, with different content"));
                    }
                    _ => table.products.insert(code, product),
                };
                Ok(())
            });
            if let Err(reason) = entered {
                table.refused.push(format!("line {number}: {reason}"));
            }
            if table.refused.len() > MOST_REFUSED {
                return Err(NoTable::Unsound(table.refused.swap_remove(0)));
            }
        }
        if table.products.is_empty() {
            return Err(NoTable::Unsound(
                table.refused.pop().unwrap_or_else(|| "it has no lines".to_owned()),
            ));
        }
        Ok(table)
    }

    /// The table as a pack of this version.
    pub fn pack(&self, version: &str) -> String {
        let mut pack = String::from(
            "# The FDA's product classification, as `wardwatch knowledge import-fda` read it: class, regulation, name.\n",
        );
        let _ = writeln!(pack, "version = {}\n\n[fda_products]", Value::from(version));
        for (code, product) in &self.products {
            let cells = [product.class.name(), &product.regulation, &product.name].map(Value::from);
            let _ = writeln!(pack, "{code} = {}", Value::from(cells.to_vec()));
        }
        pack
    }
}

impl Columns {
    fn of(headings: &str) -> Result<Self, NoTable> {
        let headings: Vec<&str> = headings.split('|').map(str::trim).collect();
        let place = |wanted: &'static str| {
            headings
                .iter()
                .position(|heading| heading.eq_ignore_ascii_case(wanted))
                .ok_or(NoTable::NoColumn(wanted))
        };
        Ok(Self {
            code: place("PRODUCTCODE")?,
            name: place("DEVICENAME")?,
            class: place("DEVICECLASS")?,
            regulation: place("REGULATIONNUMBER")?,
        })
    }

    fn product(&self, line: &str) -> Result<(String, Product), String> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().ok_or("it has fewer cells than there are headings");
        let code = cell(self.code)?;
        if !is_code(code) {
            return Err(format!("{code:?} is no product code of three capital letters"));
        }
        let class = match cell(self.class)? {
            "1" => FdaClass::One,
            "2" => FdaClass::Two,
            "3" => FdaClass::Three,
            // Unclassified, not classified, and humanitarian use (21 CFR 814.100), which has no class of its own.
            "U" | "u" | "N" | "n" | "F" | "f" => FdaClass::Unclassified,
            other => return Err(format!("{other:?} is no class of devices")),
        };
        let regulation = cell(self.regulation)?;
        if !is_regulation(regulation) {
            return Err(format!("{regulation:?} is no section such as 892.1750"));
        }
        let name = cell(self.name)?;
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(format!(
                "its name is empty, longer than {LONGEST_NAME} octets, or has control characters"
            ));
        }
        Ok((code.to_owned(), Product { class, regulation: regulation.to_owned(), name: name.to_owned() }))
    }
}

/// A line without its end. Octets from 160 on are those of ISO/IEC 8859-1; of the rest only what names have is kept.
fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Ok(text) = std::str::from_utf8(line) {
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    let readable = |octet: &u8| match octet {
        0x91 | 0x92 => '\'',
        0x93 | 0x94 => '"',
        0x96 | 0x97 => '-',
        0x99 => '\u{2122}',
        0x80..=0x9f => '?',
        octet => char::from(*octet),
    };
    line.iter().map(readable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Knowledge;

    const HEADINGS: &str = "REVIEW_PANEL|PRODUCTCODE|DEVICENAME|DEVICECLASS|REGULATIONNUMBER|DEFINITION";

    fn read(lines: &[&str]) -> Result<Table, NoTable> {
        Table::read([&[HEADINGS], lines].concat().join("\r\n").as_bytes())
    }

    #[test]
    fn a_table_becomes_a_pack_that_can_be_loaded() {
        let table = read(&[
            "RA|JAK|System, \"X-Ray\", Tomography|2|892.1750|",
            "CV|QZX|Valve|f||",
            "AN|BSZ|Gas-Machine|U|868.5160|",
            "",
        ])
        .expect("a sound table");
        assert!(table.refused.is_empty());
        let knowledge = Knowledge::builtin().expect("the built-in pack is sound");
        let ours = knowledge.over("fda", &table.pack("2025-11")).expect("a sound pack");
        assert!(ours.version().ends_with("+fda@2025-11"));
        for (code, product) in &table.products {
            assert_eq!(ours.fda_product(code), Some(product), "{code}");
        }
        assert_eq!(ours.fda_product("QZX").map(|product| product.class), Some(FdaClass::Unclassified));
    }

    #[test]
    fn what_cannot_be_used_is_told_by_line_and_reason_and_the_rest_goes_in() {
        let table = read(&[
            "RA|JAK|System|2|892.1750|",
            "RA|J4K|System|2|892.1750|",
            "RA|JAL|System|7|892.1750|",
            "RA|JAM|System|2|chapter 3|",
            "RA|JAN||2|892.1750|",
            "RA|JAK|Another|2|892.1750|",
            "RA|JAO",
        ])
        .expect("one line is sound");
        let expected = [
            ("line 3", "product code"),
            ("line 4", "class"),
            ("line 5", "section"),
            ("line 6", "name"),
            ("line 7", "stood before"),
            ("line 8", "fewer cells"),
        ];
        assert_eq!(table.refused.len(), expected.len());
        for (said, (line, reason)) in table.refused.iter().zip(expected) {
            assert!(said.starts_with(line) && said.contains(reason), "{said}");
        }
    }

    #[test]
    fn another_file_is_refused_with_what_is_missing() {
        assert_eq!(Table::read(b"Asset No;MAC\n1;2"), Err(NoTable::NoColumn("PRODUCTCODE")));
        assert_eq!(Table::read(b""), Err(NoTable::NoColumn("PRODUCTCODE")));
        assert!(matches!(read(&[]), Err(NoTable::Unsound(_))));
        assert!(matches!(read(&["x|y|z|1|2|3"]), Err(NoTable::Unsound(_))));
        let wrong = vec!["x|y|z|1|2|3"; MOST_REFUSED + 2];
        assert!(matches!(read(&wrong), Err(NoTable::Unsound(reason)) if reason.starts_with("line 2")));
    }

    #[test]
    fn names_with_octets_of_windows_are_read() {
        let line = [HEADINGS.as_bytes(), b"\nRA|JAK|M\xfcller\x92s system|2|892.1750|"].concat();
        let table = Table::read(&line).expect("a sound table");
        assert_eq!(table.products.get("JAK").map(|product| product.name.as_str()), Some("Müller's system"));
    }
}
