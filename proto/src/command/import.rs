//! What a part of another system's table may hold.

use prost::Message as _;

use super::{LONGEST_ID, Malformed, ensure};
use crate::attribute::{accept, is_imported, is_table};
use crate::name::{is_name, protocols};
use crate::v1::{Attribute, ImportTable, ImportedRow, Protocol};

/// The largest part of a table, in octets: half of what a message may have.
pub const LARGEST_PART: usize = 512 * 1024;
/// The most parts of one table.
pub const MOST_PARTS: u32 = 256;
/// The most values of one row.
pub const MOST_VALUES: usize = 64;

/// Attributes of which one is enough to look for a device.
const IDENTIFYING: &[Attribute] = &[
    Attribute::MacAddress,
    Attribute::SerialNumber,
    Attribute::AssetTag,
    Attribute::HostName,
    Attribute::IpAddress,
];

/// The systems whose tables can be imported, in the order of the contract.
pub fn table_kinds() -> impl Iterator<Item = Protocol> {
    protocols().filter(|protocol| is_table(*protocol))
}

/// What a table may say beside what only other systems know. Not among it: what is a finding, and fingerprints.
const IMPORTABLE: &[Attribute] = &[
    Attribute::MacAddress,
    Attribute::IpAddress,
    Attribute::HostName,
    Attribute::Domain,
    Attribute::Manufacturer,
    Attribute::Model,
    Attribute::ModelNumber,
    Attribute::PartNumber,
    Attribute::SerialNumber,
    Attribute::AssetTag,
    Attribute::UdiDi,
    Attribute::HardwareVersion,
    Attribute::FirmwareVersion,
    Attribute::SoftwareName,
    Attribute::SoftwareVersion,
    Attribute::OperatingSystem,
    Attribute::OperatingSystemVersion,
    Attribute::Institution,
    Attribute::Department,
    Attribute::Location,
    Attribute::Description,
    Attribute::LinkVlan,
];

/// Whether another system's table may say this.
pub fn is_importable(attribute: Attribute) -> bool {
    is_imported(attribute) || IMPORTABLE.contains(&attribute)
}

/// Whether a spreadsheet that opens a table with this value would compute something: it begins like a formula. A number with
/// a sign is none.
pub fn is_formula(value: &str) -> bool {
    let mut characters = value.trim_start().chars();
    match characters.next() {
        Some('=' | '@') => true,
        Some('+' | '-') => {
            characters.next().is_some_and(|next| next.is_alphabetic() || "+-=@(".contains(next))
        }
        _ => false,
    }
}

/// Whether these attributes are enough to look for a device.
pub fn speaks_for_a_device(said: &[Attribute]) -> bool {
    let has = |attribute: &Attribute| said.contains(attribute);
    IDENTIFYING.iter().any(has) || has(&Attribute::Model) && has(&Attribute::Location)
}

/// Whether a part stays within its bounds; gives its note.
pub(super) fn check(table: &ImportTable) -> Result<&String, Malformed> {
    ensure(is_name(&table.import), Malformed::BadSubject)?;
    let is_version = !table.version.is_empty()
        && table.version.len() <= LONGEST_ID
        && table.version.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_numbered = (1..=MOST_PARTS).contains(&table.parts) && table.part < table.parts;
    ensure(is_table(table.source()) && is_version && is_numbered, Malformed::BadTable)?;
    ensure(table.encoded_len() <= LARGEST_PART, Malformed::PartTooLarge)?;
    let mut before = 0;
    for row in &table.rows {
        ensure(row.line > before && is_sound(row), Malformed::BadRow { line: row.line })?;
        before = row.line;
    }
    Ok(&table.note)
}

/// Whether every value fits its attribute, in canonical form, and a device can be looked for.
fn is_sound(row: &ImportedRow) -> bool {
    let said: Vec<Attribute> = row.values.iter().map(crate::v1::ImportedValue::attribute).collect();
    let fits = row.values.iter().all(|value| {
        is_importable(value.attribute())
            && !is_formula(&value.value)
            && accept(value.attribute(), &value.value).is_some_and(|fit| fit == value.value)
    });
    row.values.len() <= MOST_VALUES && fits && speaks_for_a_device(&said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::ImportedValue;

    fn row(line: u32, values: &[(Attribute, &str)]) -> ImportedRow {
        let values = values
            .iter()
            .map(|(attribute, value)| ImportedValue {
                attribute: (*attribute).into(),
                value: (*value).into(),
            })
            .collect();
        ImportedRow { line, values }
    }

    fn table(rows: Vec<ImportedRow>) -> ImportTable {
        ImportTable {
            import: "cmms".into(),
            source: Protocol::Cmms.into(),
            version: "v-1".into(),
            part: 0,
            parts: 1,
            rows,
            note: String::new(),
        }
    }

    #[test]
    fn a_table_has_rows_that_name_devices_in_the_order_of_their_lines() {
        let pump = || row(2, &[(Attribute::SerialNumber, "SN-42"), (Attribute::CostCentre, "4711")]);
        assert!(check(&table(vec![pump()])).is_ok());
        let place = row(3, &[(Attribute::Model, "X1"), (Attribute::Location, "Ward 3")]);
        assert!(check(&table(vec![pump(), place])).is_ok());
        assert_eq!(check(&table(vec![pump(), pump()])), Err(Malformed::BadRow { line: 2 }), "a line twice");
        for bad in [
            row(2, &[(Attribute::Location, "Ward 3")]),
            row(2, &[(Attribute::SerialNumber, "=cmd|' /C calc'!A0")]),
            row(2, &[(Attribute::SerialNumber, "SN-42"), (Attribute::Location, "+SUM(A1)")]),
            row(2, &[(Attribute::MacAddress, "00-09-FB-01-02-03")]),
            row(2, &[(Attribute::SerialNumber, "SN-42"), (Attribute::Unspecified, "x")]),
            row(2, &[(Attribute::SerialNumber, "SN-42"), (Attribute::WeakProtocol, "smb1")]),
        ] {
            assert_eq!(check(&table(vec![bad])), Err(Malformed::BadRow { line: 2 }));
        }
        let many = row(2, &[(Attribute::SerialNumber, "SN-42"); MOST_VALUES + 1]);
        assert_eq!(check(&table(vec![many])), Err(Malformed::BadRow { line: 2 }));
    }

    #[test]
    fn a_table_says_of_which_system_and_which_part_it_is() {
        let whole = || table(Vec::new());
        for bad in [
            ImportTable { source: Protocol::Dicom.into(), ..whole() },
            ImportTable { part: 1, ..whole() },
            ImportTable { parts: 0, ..whole() },
            ImportTable { parts: MOST_PARTS + 1, ..whole() },
            ImportTable { version: String::new(), ..whole() },
        ] {
            assert_eq!(check(&bad), Err(Malformed::BadTable));
        }
        assert_eq!(check(&ImportTable { import: String::new(), ..whole() }), Err(Malformed::BadSubject));
        let long = row(2, &[(Attribute::SerialNumber, "SN-42")]);
        let rows = (1..40_000).map(|line| ImportedRow { line, ..long.clone() }).collect();
        assert_eq!(check(&table(rows)), Err(Malformed::PartTooLarge));
        assert_eq!(table_kinds().count(), 7);
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_a_formula_and_a_number_is_none() {
        for formula in ["=1+1", "@SUM(A1)", "+SUM(A1)", " =cmd|' /C calc'!A0", "-cmd", "+(1)", "--x"] {
            assert!(is_formula(formula), "{formula}");
        }
        for plain in ["-0000200", "+49 30 1", "Ward 3", "", "-", "3-4", "A=B"] {
            assert!(!is_formula(plain), "{plain}");
        }
    }
}
