//! Tables of other systems: whole and in parts, one in place of another and taken back, with rows that find their device,
//! find it by a guess, find several, or none.

use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{Attribute, ImportTable, ImportedRow, ImportedValue, Protocol, WithdrawImport};

use super::Hand;
use crate::facts::generated::{SERIAL_NUMBER_OF_TWINS, host_name, ip, mac, serial_number};

/// Line of the file, and what it says.
type Row = (u32, Vec<(Attribute, String)>);

pub(super) fn decide(hand: &mut Hand<'_>) {
    hand.decides(20, whole("cmms", Protocol::Cmms, "v-1", maintained()));
    let [first, second] = revised();
    hand.decides(75, part("cmms", "v-2", (0, 2), first.clone()));
    // The same part again, one that says it is another table's, and one with a value that a spreadsheet would compute.
    hand.decides(90, part("cmms", "v-2", (0, 2), first));
    hand.decides(92, part("cmms", "v-2", (1, 3), second.clone()));
    let formula = row(2, &[(Attribute::MacAddress, &mac(1)), (Attribute::Location, "=1+1")]);
    hand.decides(100, whole("cmms", Protocol::Cmms, "v-3", vec![formula]));
    hand.decides(110, part("cmms", "v-2", (1, 2), second));
    hand.decides(95, whole("nac", Protocol::Nac, "n-1", admitted()));
    hand.decides(105, withdraw("wlan"));
    // The one before stands again.
    hand.decides(145, withdraw("cmms"));
    hand.decides(180, withdraw("nac"));
}

/// A table that is there before any fact of its site, and one that comes in its place when all is known.
pub(super) fn come_first(hand: &mut Hand<'_>) {
    let of = |device: u8, centre: &str| {
        row(u32::from(device) + 1, &[(Attribute::MacAddress, &mac(device)), (Attribute::CostCentre, centre)])
    };
    hand.decides(0, whole("cmms", Protocol::Cmms, "v-1", (1..=8).map(|device| of(device, "4711")).collect()));
    hand.decides(0, withdraw("nac"));
    hand.decides(
        20,
        whole("cmms", Protocol::Cmms, "v-2", (5..=12).map(|device| of(device, "4712")).collect()),
    );
}

fn maintained() -> Vec<Row> {
    let number = serial_number(10).unwrap_or_default();
    let name = host_name(14).unwrap_or_default();
    vec![
        // Otherwise than it says itself, and of a part of another device while that is ruled.
        row(
            2,
            &[
                (Attribute::MacAddress, &mac(1)),
                (Attribute::Manufacturer, "Siemens"),
                (Attribute::Location, "Ward 9"),
                (Attribute::CostCentre, "4711"),
            ],
        ),
        row(3, &[(Attribute::SerialNumber, &number.to_lowercase()), (Attribute::AssetTag, "A-10")]),
        row(4, &[(Attribute::MacAddress, &mac(6)), (Attribute::AssetTag, "A-6")]),
        // Both of them, until they are one.
        row(5, &[(Attribute::SerialNumber, SERIAL_NUMBER_OF_TWINS), (Attribute::AssetTag, "A-31")]),
        row(6, &[(Attribute::HostName, &name), (Attribute::Department, "Radiology")]),
        row(7, &[(Attribute::IpAddress, &ip(33)), (Attribute::Department, "Radiology")]),
        row(8, &[(Attribute::SerialNumber, "never-seen-1"), (Attribute::Model, "X1")]),
        row(9, &[(Attribute::MacAddress, &mac(18)), (Attribute::Ownership, "rented")]),
    ]
}

/// The same some time later, in two parts: a row more, a row less, and rows that say something else.
fn revised() -> [Vec<Row>; 2] {
    let mut rows = maintained();
    rows.retain(|(line, _)| *line != 7);
    if let Some((_, values)) = rows.first_mut() {
        values.push((Attribute::Technician, "day shift".to_owned()));
        values.retain(|(attribute, _)| *attribute != Attribute::Location);
    }
    rows.push(row(12, &[(Attribute::AssetTag, "A-6"), (Attribute::Floor, "3")]));
    let rest = rows.split_off(3);
    [rows, rest]
}

fn admitted() -> Vec<Row> {
    let of = |device: u8| {
        row(
            u32::from(device),
            &[
                (Attribute::MacAddress, &mac(device)),
                (Attribute::NacGroup, "medical"),
                (Attribute::Room, "R 1"),
            ],
        )
    };
    [1, 5, 6, 17, 31, 32, 99].into_iter().map(of).collect()
}

fn row(line: u32, values: &[(Attribute, &str)]) -> Row {
    (line, values.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect())
}

fn whole(import: &str, source: Protocol, version: &str, rows: Vec<Row>) -> Action {
    table(import, source, version, (0, 1), rows)
}

fn part(import: &str, version: &str, part: (u32, u32), rows: Vec<Row>) -> Action {
    table(import, Protocol::Cmms, version, part, rows)
}

/// A part by its number and how many there are.
fn table(import: &str, source: Protocol, version: &str, (part, parts): (u32, u32), rows: Vec<Row>) -> Action {
    let value =
        |(attribute, value): (Attribute, String)| ImportedValue { attribute: attribute.into(), value };
    let row = |(line, values): Row| ImportedRow { line, values: values.into_iter().map(value).collect() };
    Action::ImportTable(ImportTable {
        import: import.to_owned(),
        source: source.into(),
        version: version.to_owned(),
        part,
        parts,
        rows: rows.into_iter().map(row).collect(),
        note: String::new(),
    })
}

fn withdraw(import: &str) -> Action {
    Action::WithdrawImport(WithdrawImport { import: import.to_owned(), note: String::new() })
}
