//! What other systems' tables say, and which devices their rows are about.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wardwatch_inventory::{Conclusions, Inventory, NotImported, RowRecord, Settings};
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{Attribute, Fact, ImportTable, ImportedRow, ImportedValue, Protocol};

use crate::ward::{DAY, KNOWLEDGE, NEW_YEAR, Site, attributes, flow, says, tells_of};

const END: &str = "a1@10.0.0.1";
const MAC: &str = "02:00:00:00:00:a1";

pub(crate) type Row<'a> = (u32, &'a [(Attribute, &'a str)]);

fn part(version: &str, part: u32, parts: u32, rows: &[Row<'_>]) -> ImportTable {
    let value = |(attribute, value): &(Attribute, &str)| ImportedValue {
        attribute: (*attribute).into(),
        value: (*value).into(),
    };
    let row =
        |(line, values): &Row<'_>| ImportedRow { line: *line, values: values.iter().map(value).collect() };
    ImportTable {
        import: "cmms".into(),
        source: Protocol::Cmms.into(),
        version: version.into(),
        part,
        parts,
        rows: rows.iter().map(row).collect(),
        note: String::new(),
    }
}

pub(crate) fn table(version: &str, rows: &[Row<'_>]) -> ImportTable {
    part(version, 0, 1, rows)
}

/// `line state by device`, and each difference as `field imported/observed`.
fn rows(conclusions: &Conclusions, site: &Site) -> Vec<String> {
    let names: BTreeMap<String, String> =
        site.records().into_iter().map(|record| (record.id.clone(), record.name)).collect();
    let line = |row: &RowRecord| {
        let device = names.get(&row.device).map(String::as_str).unwrap_or_default();
        let differs: Vec<String> = row
            .differences
            .iter()
            .map(|difference| format!("{} {}/{}", difference.field, difference.imported, difference.observed))
            .collect();
        [&row.line.to_string(), row.state.as_str(), row.matched_by.as_str(), device, &differs.join("; ")]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    conclusions.rows.iter().map(line).collect()
}

fn scanner() -> Vec<Fact> {
    vec![
        flow(END, "a2@10.0.0.2", Protocol::Dicom),
        says(END, Attribute::Manufacturer, "GE MEDICAL SYSTEMS", Protocol::Dicom),
        says(END, Attribute::Model, "X1", Protocol::Dicom),
        says(END, Attribute::SerialNumber, "SN-42", Protocol::Dicom),
        says(END, Attribute::Location, "Room 1", Protocol::Hl7),
        says(END, Attribute::HostName, "ct-1.north.example", Protocol::Dhcp),
    ]
}

#[test]
fn what_a_row_says_is_not_told_again_after_a_restart() {
    let mut site = Site::new();
    site.hears(scanner());
    let row: Row<'_> = (
        2,
        &[(Attribute::IpAddress, "10.0.0.1"), (Attribute::MacAddress, MAC), (Attribute::AssetTag, "A-1")],
    );
    site.imports(&table("v-1", &[row])).expect("a table");
    let mut twin = Site::new();
    for entry in site.inventory.take_changed_state() {
        twin.inventory.restore(&entry.key, &entry.value).expect("an entry of ours");
    }
    // A new maker or model is a reason to look at the row again.
    let news = || [says(END, Attribute::Model, "X2", Protocol::Hl7)];
    let (ours, theirs) = (site.hears(news()), twin.hears(news()));
    let told = |conclusions: &Conclusions| -> Vec<String> {
        let of_table = conclusions.attributes.iter().filter(|record| record.protocol == "cmms");
        of_table.map(|record| format!("{} {}", record.attribute, record.value)).collect()
    };
    assert_eq!(told(&ours), Vec::<String>::new());
    assert_eq!(told(&theirs), Vec::<String>::new());
    assert_eq!(ours.attributes, theirs.attributes);
}

#[test]
fn a_row_goes_with_its_device_when_a_person_joins_it_with_another() {
    let mut site = Site::new();
    site.hears(scanner());
    let row: Row<'_> = (2, &[(Attribute::MacAddress, "02:00:00:00:00:a2"), (Attribute::Model, "X2")]);
    let said = site.imports(&table("v-1", &[row])).expect("a table");
    assert_eq!(rows(&said, &site), ["2 matched mac_address X2"], "named by its model");
    let (one, two) = (site.device("a1"), site.device("a2"));
    let said = site.rules(&one, &two, Verdict::Same).expect("two devices");
    assert_eq!(rows(&said, &site), ["2 matched mac_address ct-1.north.example model X2/X1"]);
}

#[test]
fn what_a_row_says_is_its_devices_and_where_they_differ_is_told() {
    let mut site = Site::new();
    site.hears(scanner());
    let before = site.device("a1");
    let row: Row<'_> = (
        2,
        &[
            (Attribute::MacAddress, MAC),
            (Attribute::Model, "X2"),
            (Attribute::Location, "Ward 3"),
            (Attribute::CostCentre, "4711"),
            (Attribute::AssetTag, "A-77"),
        ],
    );
    let said = site.imports(&table("v-1", &[row])).expect("a table");
    let record = site.device("a1");
    assert_eq!(
        rows(&said, &site),
        ["2 matched mac_address ct-1.north.example model X2/X1; location Ward 3/Room 1"]
    );
    assert_eq!(said.rows[0].author, "j.doe");
    assert_eq!((record.location.as_str(), record.model.as_str()), ("Ward 3", "X1"), "whoever knows best");
    assert_eq!((record.detail("cost_centre"), record.detail("asset_tag")), ("4711", "A-77"));
    let why = record.why.iter().find(|why| why.field == "location").expect("a reason");
    assert_eq!(
        (why.statement.as_str(), why.evidence.as_str(), why.confidence),
        ("the imported table \"cmms\" says so", "location Ward 3 (cmms)", 95)
    );
    assert!(attributes(&said, &record).iter().any(|line| line.starts_with("cost_centre 4711 cmms")));
    assert!(record.visibility > before.visibility);
    assert!(!record.protocols.contains(&"cmms".to_owned()), "nobody speaks it");

    let gone = site.withdraws_import("cmms").expect("a table");
    assert_eq!(rows(&gone, &site), ["2 withdrawn"]);
    assert_eq!(site.device("a1"), before, "as if it had never been");
    let withdrawn = gone.attributes.iter().filter(|record| record.protocol == "cmms" && record.count == 0);
    assert_eq!(withdrawn.count(), 5);
    assert_eq!(site.withdraws_import("cmms").expect_err("nothing is left"), NotImported::UnknownTable);
}

#[test]
fn a_device_is_found_by_serial_number_or_tag_and_never_by_two() {
    let mut site = Site::new();
    let said = site
        .imports(&table(
            "v-1",
            &[
                (2, &[(Attribute::SerialNumber, "sn 42"), (Attribute::Manufacturer, "GE Healthcare")]),
                (3, &[(Attribute::SerialNumber, "SN-42"), (Attribute::Model, "Infusomat")]),
                (4, &[(Attribute::SerialNumber, "P-7")]),
                (5, &[(Attribute::AssetTag, "A-77")]),
            ],
        ))
        .expect("a table");
    assert!(site.records().is_empty(), "a row makes no device");
    assert_eq!(rows(&said, &site), ["2 not-seen", "3 not-seen", "4 not-seen", "5 not-seen"]);

    let said = site.hears(scanner());
    assert_eq!(
        rows(&said, &site),
        ["2 matched serial_number ct-1.north.example", "3 not-seen"],
        "another model"
    );
    let pump =
        |attribute, value| tells_of("a3@10.0.0.3", "serial=Acme|P1|P-7", attribute, value, Protocol::Hl7);
    let said = site.hears([pump(Attribute::Model, "P1"), pump(Attribute::SerialNumber, "P-7")]);
    assert_eq!(rows(&said, &site), ["4 matched serial_number P1 P-7"], "of which a gateway tells");

    let said = site.hears([says("a4@10.0.0.4", Attribute::AssetTag, "A-77", Protocol::Lldp)]);
    assert_eq!(rows(&said, &site), ["5 matched asset_tag 10.0.0.4"]);
    let said = site.hears([says("a5@10.0.0.5", Attribute::AssetTag, "a77", Protocol::Lldp)]);
    assert_eq!(rows(&said, &site), ["5 ambiguous asset_tag"]);
    assert_eq!(said.rows[0].device, "");
}

#[test]
fn a_guess_is_told_and_not_believed() {
    let mut site = Site::new();
    site.hears(scanner());
    let said = site
        .imports(&table(
            "v-1",
            &[
                (2, &[(Attribute::HostName, "CT-1"), (Attribute::CostCentre, "1")]),
                (3, &[(Attribute::IpAddress, "10.0.0.1"), (Attribute::CostCentre, "2")]),
                (
                    4,
                    &[
                        (Attribute::Model, "X1"),
                        (Attribute::Location, "room 1"),
                        (Attribute::CostCentre, "3"),
                    ],
                ),
                (5, &[(Attribute::IpAddress, "10.0.0.9")]),
            ],
        ))
        .expect("a table");
    assert_eq!(
        rows(&said, &site),
        [
            "2 guessed host_name ct-1.north.example",
            "3 guessed ip_address ct-1.north.example",
            "4 guessed location ct-1.north.example",
            "5 not-seen"
        ]
    );
    assert!(said.rows.iter().all(|row| row.confidence < 30));
    assert_eq!(site.device("a1").detail("cost_centre"), "");
}

#[test]
fn a_newer_table_replaces_the_earlier_one_when_it_is_whole_and_can_be_taken_back() {
    let mut site = Site::new();
    site.hears(scanner());
    let centre = |version, centre, line| {
        table(version, &[(line, &[(Attribute::MacAddress, MAC), (Attribute::CostCentre, centre)])])
    };
    site.imports(&centre("v-1", "1", 2)).expect("a table");
    let first = part("v-2", 0, 2, &[(2, &[(Attribute::MacAddress, MAC), (Attribute::CostCentre, "2")])]);
    let second = part("v-2", 1, 2, &[(3, &[(Attribute::SerialNumber, "other-1")])]);
    assert!(site.imports(&second).expect("a part").rows.is_empty());
    assert_eq!(site.device("a1").detail("cost_centre"), "1");
    assert_eq!(site.imports(&second).expect_err("twice"), NotImported::AlreadyThere);
    let wrong = ImportTable { parts: 3, part: 2, ..second };
    assert_eq!(site.imports(&wrong).expect_err("another number of parts"), NotImported::OtherTable);
    let said = site.imports(&first).expect("a part");
    assert_eq!(said.rows.len(), 2);
    assert_eq!(site.device("a1").detail("cost_centre"), "2");

    let said = site.imports(&centre("v-3", "3", 9)).expect("a table");
    assert_eq!(rows(&said, &site).len(), 3, "two lines went");
    site.withdraws_import("cmms").expect("a table");
    assert_eq!(site.device("a1").detail("cost_centre"), "2", "the one before");
    site.withdraws_import("cmms").expect("a table");
    assert_eq!(site.device("a1").detail("cost_centre"), "", "the first is no longer kept");
}

#[test]
fn rows_and_tables_are_bounded() {
    let mut site = Site::with(Settings { imported_rows: 3, endpoints: 2, ..Settings::default() });
    let line = |line| -> Row<'static> { (line, &[(Attribute::MacAddress, MAC)]) };
    site.imports(&table("v-1", &[line(2), line(3), line(4)])).expect("as many as are kept");
    assert_eq!(site.imports(&table("v-2", &[line(2)])).expect_err("one more"), NotImported::TooManyRows);
    site.hears(scanner());
    assert_eq!(site.inventory.counters().endpoints_full, 2, "rows take no room from what is seen");
    for n in 0..63 {
        let other = ImportTable { import: format!("t-{n}"), ..table("v-1", &[]) };
        site.imports(&other).expect("an empty table");
    }
    let other = ImportTable { import: "last".into(), ..table("v-1", &[]) };
    assert_eq!(site.imports(&other).expect_err("one more"), NotImported::TooManyTables);
}

#[test]
fn what_half_the_table_says_is_no_mark_of_one_device() {
    let mut site = Site::new();
    site.hears(scanner());
    let all: Vec<Row<'_>> =
        (2..1002).map(|line| -> Row<'_> { (line, &[(Attribute::SerialNumber, "SN-42")]) }).collect();
    let said = site.imports(&table("v-1", &all)).expect("a table");
    assert!(said.rows.iter().all(|row| row.state == "ambiguous"));
    let few = table("v-2", all.get(..3).expect("three"));
    let said = site.imports(&few).expect("a table");
    assert_eq!(said.rows.iter().filter(|row| row.state == "matched").count(), 3);
}

/// Facts and rows that meet in many ways.
fn world() -> Vec<Fact> {
    let mut facts = scanner();
    facts.extend([
        flow("a3@10.0.0.3", "a4@10.0.0.4", Protocol::Hl7),
        says("a3@10.0.0.3", Attribute::SerialNumber, "S-1", Protocol::Bacnet),
        says("a3@10.0.0.3", Attribute::Model, "M1", Protocol::Bacnet),
        says("a4@10.0.0.4", Attribute::SerialNumber, "S-1", Protocol::Bacnet),
        says("a4@10.0.0.4", Attribute::Model, "M2", Protocol::Bacnet),
        says("a4@10.0.0.4", Attribute::AssetTag, "A-4", Protocol::Lldp),
        says("10.0.9.9", Attribute::HostName, "far-away", Protocol::Dhcp),
        tells_of("a3@10.0.0.3", "serial=Acme|P1|P-7", Attribute::SerialNumber, "P-7", Protocol::Hl7),
        tells_of("a4@10.0.0.4", "serial=Acme|X1|SN-42", Attribute::SerialNumber, "SN-42", Protocol::Hl7),
    ]);
    facts
}

const TABLE: &[Row<'_>] = &[
    (2, &[(Attribute::MacAddress, MAC), (Attribute::Location, "Ward 3")]),
    (3, &[(Attribute::SerialNumber, "S-1"), (Attribute::CostCentre, "3")]),
    (4, &[(Attribute::SerialNumber, "S-1"), (Attribute::Model, "M2"), (Attribute::Building, "B4")]),
    (5, &[(Attribute::AssetTag, "A-4"), (Attribute::Room, "5")]),
    (6, &[(Attribute::SerialNumber, "P-7"), (Attribute::Room, "6")]),
    (7, &[(Attribute::SerialNumber, "SN-42"), (Attribute::Floor, "7")]),
    (8, &[(Attribute::HostName, "far-away"), (Attribute::Floor, "8")]),
    (9, &[(Attribute::IpAddress, "10.0.0.3"), (Attribute::Floor, "9")]),
];

struct Told {
    inventory: Inventory,
    rows: BTreeMap<u32, RowRecord>,
    store: BTreeMap<String, Vec<u8>>,
}

impl Told {
    fn new() -> Self {
        let inventory = Inventory::new("north", KNOWLEDGE.clone(), Settings::default());
        Self { inventory, rows: BTreeMap::new(), store: BTreeMap::new() }
    }

    fn moment(offset: usize) -> wardwatch_inventory::LogMoment {
        wardwatch_inventory::LogMoment { incarnation: 1, partition: 3, offset: offset as u64, log_time: 0 }
    }

    fn note(&mut self, conclusions: Conclusions) {
        self.rows.extend(conclusions.rows.into_iter().map(|row| (row.line, row)));
        let changed = self.inventory.take_changed_state();
        self.store.extend(changed.into_iter().map(|entry| (entry.key, entry.value)));
    }

    fn restart(&mut self) {
        self.inventory = Inventory::new("north", KNOWLEDGE.clone(), Settings::default());
        for (key, value) in &self.store {
            self.inventory.restore(key, value).expect("an entry of ours");
        }
    }
}

/// Everything once more, in a later hour, so that nothing is left to refresh.
fn again() -> Vec<Fact> {
    ["a1@10.0.0.1", "a2@10.0.0.2", "a3@10.0.0.3", "a4@10.0.0.4", "10.0.9.9"]
        .map(|end| crate::ward::flow_at(NEW_YEAR + 41 * DAY, end, "203.0.113.200", Protocol::Unspecified))
        .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_rows_and_facts_does_not_matter_nor_does_a_restart(
        order in Just((0..=world().len()).collect::<Vec<_>>()).prop_shuffle(),
        restart in 0..16_usize,
    ) {
        let facts = world();
        let mut told = Told::new();
        for (offset, which) in order.iter().enumerate() {
            if offset == restart {
                told.restart();
            }
            let conclusions = match facts.get(*which) {
                Some(fact) => told.inventory.apply("s1", [fact.clone()], Told::moment(offset)),
                None => told
                    .inventory
                    .import(&table("v-1", TABLE), "j.doe", NEW_YEAR, Told::moment(offset))
                    .expect("a table"),
            };
            told.note(conclusions);
        }
        let conclusions = told.inventory.apply("s1", again(), Told::moment(99));
        told.note(conclusions);

        let mut plain = Told::new();
        let conclusions = plain.inventory.apply("s1", facts, Told::moment(0));
        plain.note(conclusions);
        let conclusions = plain
            .inventory
            .import(&table("v-1", TABLE), "j.doe", NEW_YEAR, Told::moment(1))
            .expect("a table");
        plain.note(conclusions);
        let conclusions = plain.inventory.apply("s1", again(), Told::moment(99));
        plain.note(conclusions);
        let records = |told: &Told| told.inventory.devices().map(|device| device.record().clone()).collect::<Vec<_>>();
        prop_assert_eq!(records(&told), records(&plain));
        prop_assert_eq!(&told.rows, &plain.rows);
        prop_assert!(told.rows.values().any(|row| row.state == "matched"));

        told.restart();
        let conclusions =
            told.inventory.withdraw_import("cmms", NEW_YEAR, Told::moment(100)).expect("a table");
        told.note(conclusions);
        let mut without = Told::new();
        without.inventory.apply("s1", world(), Told::moment(0));
        without.inventory.apply("s1", again(), Told::moment(99));
        prop_assert_eq!(records(&told), records(&without));
        prop_assert!(told.rows.values().all(|row| row.state == "withdrawn"));
        prop_assert!(told.store.iter().all(|(key, value)| !key.starts_with("import/") || value.is_empty()));
    }
}
