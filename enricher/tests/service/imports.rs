//! Tables of other systems: their rows find their devices, differ, are replaced and taken back, and stand after a restart.

use crate::rig::{Rig, batch};
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{Attribute, ImportTable, ImportedRow, ImportedValue, Protocol, WithdrawImport};

fn import(version: &str, rows: &[(u32, &[(Attribute, &str)])]) -> Action {
    let value = |(attribute, value): &(Attribute, &str)| ImportedValue {
        attribute: (*attribute).into(),
        value: (*value).into(),
    };
    let rows = rows
        .iter()
        .map(|(line, values)| ImportedRow { line: *line, values: values.iter().map(value).collect() });
    Action::ImportTable(ImportTable {
        import: "cmms".into(),
        source: Protocol::Cmms.into(),
        version: version.into(),
        part: 0,
        parts: 1,
        rows: rows.collect(),
        note: "monthly".into(),
    })
}

fn withdraw(name: &str) -> Action {
    Action::WithdrawImport(WithdrawImport { import: name.into(), note: String::new() })
}

const ROWS: &str = "SELECT concat(toString(number), ' ', state, ' ', matched_by, ' ', imported['cost_centre'], ' ',
    arrayStringConcat(arrayMap((f, i, o) -> concat(f, ' ', i, '/', o), difference_fields, difference_imported,
    difference_observed), ', ')) AS line FROM (SELECT line AS number, * EXCEPT line FROM v_import_rows) ORDER BY number";
const DEVICE: &str =
    "SELECT concat(location, ' ', details['cost_centre']) AS line FROM v_devices WHERE has(ips, '10.1.0.11')";
const MAC: &str = "00:09:fb:00:00:0b";

#[tokio::test]
async fn a_table_finds_devices_before_and_after_it_and_can_be_taken_back() {
    let test = "a_table_finds_devices_before_and_after_it_and_can_be_taken_back";
    let Some(rig) = Rig::new(test).await else { return };
    let table = import(
        "v-1",
        &[
            (
                2,
                &[
                    (Attribute::MacAddress, MAC),
                    (Attribute::Location, "Ward 3"),
                    (Attribute::Manufacturer, "Siemens"),
                ],
            ),
            (3, &[(Attribute::MacAddress, "00:09:fb:00:00:0c"), (Attribute::CostCentre, "12")]),
            (4, &[(Attribute::SerialNumber, "never-seen-1")]),
        ],
    );
    rig.decide("north", "c-1", table).await;
    rig.send(batch("north", 7, 1, 11)).await;
    rig.run_to_the_end().await;
    let first = rig.lines(ROWS).await;
    assert_eq!(first.len(), 3);
    assert!(first[0].starts_with("2 matched mac_address  manufacturer Siemens/Philips"), "{first:?}");
    assert_eq!(first[1..], ["3 not-seen  12 ", "4 not-seen   "]);
    assert_eq!(rig.lines(DEVICE).await, ["Ward 3 "]);

    // After a restart, who comes later is found too.
    rig.send(batch("north", 7, 2, 12)).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(ROWS).await[1], "3 matched mac_address 12 ");
    let differences = "SELECT concat(kind, ' ', toString(number), ' ', field, ' ', imported_value, '/', observed_value) AS line
        FROM (SELECT line AS number, * EXCEPT line FROM v_import_differences) ORDER BY line";
    let differences = rig.lines(differences).await;
    assert!(differences.contains(&"differs 2 manufacturer Siemens/Philips".to_owned()), "{differences:?}");
    assert!(differences.contains(&"not-seen 4  serial_number never-seen-1/".to_owned()), "{differences:?}");
    assert!(differences.iter().any(|line| line.starts_with("not-imported")), "the archive is in no CMMS");
    let tables = "SELECT concat(import, ' ', of_source, ' ', imported_by, ' ', toString(rows), ' ', toString(matched), ' ',
        toString(not_seen), ' ', toString(differing)) AS line FROM v_imports";
    assert_eq!(rig.lines(tables).await, ["cmms cmms j.doe 3 2 1 1"]);

    rig.decide(
        "north",
        "c-2",
        import("v-2", &[(2, &[(Attribute::MacAddress, MAC), (Attribute::CostCentre, "2")])]),
    )
    .await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(ROWS).await, ["2 matched mac_address 2 "]);
    assert_eq!(rig.lines(DEVICE).await, [" 2"]);
    rig.decide("north", "c-3", withdraw("cmms")).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(DEVICE).await, ["Ward 3 "]);
    assert_eq!(rig.lines(ROWS).await.len(), 3);
    rig.decide("north", "c-4", withdraw("cmms")).await;
    rig.decide("north", "c-5", withdraw("cmms")).await;
    rig.decide("south", "c-6", withdraw("cmms")).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(ROWS).await, Vec::<String>::new());
    assert_eq!(rig.lines(DEVICE).await, [" "]);
    let said = "SELECT concat(id, ' ', action, ' ', subject, ' ', detail, ' ', outcome, ' ', reason) AS line
        FROM v_commands ORDER BY id";
    assert_eq!(
        rig.lines(said).await,
        [
            "c-1 import_table cmms part 1 of 1, 3 rows applied ",
            "c-2 import_table cmms part 1 of 1, 1 rows applied ",
            "c-3 withdraw_import cmms withdrawn applied ",
            "c-4 withdraw_import cmms withdrawn applied ",
            "c-5 withdraw_import cmms withdrawn ignored unknown-table",
            "c-6 withdraw_import cmms withdrawn ignored unknown-site",
        ]
    );
}
