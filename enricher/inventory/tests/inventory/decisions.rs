//! What people decide, against what the evidence says; and knowledge that is loaded later.

use wardwatch_inventory::{Conclusions, DeviceRecord, Undecided};
use wardwatch_proto::v1::{Attribute, Fact, Protocol};

use crate::ward::{Site, arp, attributes, flow, says};

const END: &str = "a1@10.0.0.1";

fn scanner() -> Vec<Fact> {
    vec![
        flow(END, "a2@10.0.0.2", Protocol::Dicom),
        says(END, Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31", Protocol::Dicom),
        says(END, Attribute::DicomModality, "CT", Protocol::Dicom),
        says(END, Attribute::Manufacturer, "GE MEDICAL SYSTEMS", Protocol::Dicom),
        says(END, Attribute::Model, "X1", Protocol::Dicom),
        says(END, Attribute::Location, "Room 1", Protocol::Hl7),
    ]
}

/// `field: before > after`.
fn changes(conclusions: &Conclusions) -> Vec<String> {
    let line = |change: &wardwatch_inventory::Change| {
        format!("{}: {} > {}", change.field, change.before, change.after)
    };
    conclusions.changes.iter().map(line).collect()
}

/// Statement, evidence and confidence of each reason for a field.
fn reasons<'a>(record: &'a DeviceRecord, field: &'a str) -> Vec<(&'a str, &'a str, u32)> {
    let of_field = record.why.iter().filter(|why| why.field == field);
    of_field.map(|why| (why.value.as_str(), why.evidence.as_str(), why.confidence)).collect()
}

#[test]
fn what_a_person_states_wins_over_the_evidence_and_says_who_and_why() {
    let mut site = Site::new();
    site.hears(scanner());
    let said = site.decides(&site.device("a1"), "location", "Room 7").expect("a device of the site");
    assert_eq!(changes(&said), ["location: Room 1 > Room 7"]);
    assert_eq!(said.devices.len(), 1);
    let record = site.device("a1");
    assert_eq!(record.location, "Room 7");
    assert_eq!(
        reasons(&record, "location"),
        [
            ("Room 7", "j.doe, 2025-01-02T00:00:00Z: seen on site", 100),
            ("Room 1", "location Room 1 (hl7)", 90)
        ]
    );
    assert_eq!(attributes(&said, &record), ["location Room 1 hl7 sender 1"], "it is no longer shown");

    let later = site.hears([says(END, Attribute::Location, "Room 2", Protocol::Dicom)]);
    assert!(later.changes.is_empty(), "evidence does not change what was decided");
    assert_eq!(site.device("a1").location, "Room 7");
}

#[test]
fn what_is_withdrawn_leaves_what_the_evidence_says() {
    let mut site = Site::new();
    site.hears(scanner());
    let before = site.device("a1");
    for field in wardwatch_proto::command::FIELDS {
        let value = if *field == "retired_since" { "now" } else { "otherwise" };
        site.decides(&before, field, value).expect("a device of the site");
    }
    let decided = site.device("a1");
    assert_eq!((decided.name.as_str(), decided.device_type.as_str()), ("otherwise", "otherwise"));
    for field in wardwatch_proto::command::FIELDS {
        site.decides(&before, field, "").expect("it was overridden");
    }
    assert_eq!(site.device("a1"), before);
    assert_eq!(site.decides(&before, "model", ""), Err(Undecided::NotOverridden));
}

#[test]
fn what_cannot_be_decided_has_a_reason_and_changes_nothing() {
    let mut site = Site::new();
    site.hears(scanner());
    let known = site.device("a1");
    let nobody = DeviceRecord { id: "3f0c6a4e-8f8b-5f0e-9a53-2d1c7f1b0a99".into(), ..known.clone() };
    let no_id = DeviceRecord { id: "ct-1".into(), ..known.clone() };
    assert_eq!(site.decides(&nobody, "model", "X2"), Err(Undecided::UnknownDevice));
    assert_eq!(site.decides(&no_id, "model", "X2"), Err(Undecided::UnknownDevice));
    assert_eq!(site.decides(&known, "score", "0"), Err(Undecided::UnknownField));
    site.inventory.take_changed_state();
    assert_eq!(site.decides(&known, "model", ""), Err(Undecided::NotOverridden));
    assert!(site.inventory.take_changed_state().is_empty());
    assert_eq!(site.device("a1"), known);
}

#[test]
fn a_type_brings_its_category_and_a_category_of_another_kind_leaves_no_type() {
    let mut site = Site::new();
    site.hears(scanner());
    let id = site.device("a1");
    assert_eq!((id.category.as_str(), id.device_type.as_str()), ("medical", "CT scanner"));
    site.decides(&id, "category", "it").expect("a device of the site");
    let record = site.device("a1");
    let kind = |record: &DeviceRecord| {
        [&record.category, &record.subcategory, &record.device_type].map(String::clone)
    };
    assert_eq!(kind(&record), ["it", "", ""]);
    assert_eq!(record.confidence, 100);

    site.decides(&id, "category", "").expect("it was overridden");
    site.decides(&id, "type", "infusion pump").expect("a device of the site");
    let pump = site.device("a1");
    assert_eq!((pump.category.as_str(), pump.device_type.as_str()), ("medical", "infusion pump"));
    assert_ne!(pump.subcategory, "imaging");
    let types: Vec<_> = reasons(&pump, "device_type").iter().map(|(value, ..)| *value).collect();
    assert_eq!(types[0], "infusion pump");
    assert!(types.contains(&"CT scanner"), "what speaks against it can still be seen: {types:?}");
}

/// Eight addresses in one interface's frames: that is a router, and what is behind it are devices of their own.
fn behind_a_router() -> Vec<Fact> {
    (1..9).map(|n| flow("e0@10.9.9.9", &format!("fe@10.0.2.{n}"), Protocol::Http)).collect()
}

#[test]
fn a_decision_goes_with_the_device_that_its_device_turns_out_to_be() {
    let mut site = Site::new();
    site.hears(behind_a_router());
    let hidden = site.device("10.0.2.5");
    site.decides(&hidden, "location", "Room 7").expect("a device of the site");
    // ARP on the far side tells whose address it is.
    let moved = site.hears([arp("b5", "10.0.2.5")]);
    let interface = site.device("b5");
    assert_ne!(interface.id, hidden.id);
    assert_eq!(interface.location, "Room 7");
    assert_eq!(reasons(&interface, "location").len(), 1);
    assert!(moved.devices.iter().any(|record| record.superseded_by == interface.id));

    // By the old id the device is meant that it is part of now; the newest decision stands.
    site.decides(&hidden, "location", "Room 8").expect("it is known by the old id too");
    assert_eq!(site.device("b5").location, "Room 8");
    site.decides(&interface, "location", "").expect("it was overridden");
    assert_eq!(site.device("b5").location, "", "and none is left behind");
}

const PACK: &str = r#"
version = "3"

[[manufacturer]]
name = "Northern Pumps"
makes = "medical"
spellings = ["NP"]

[[rule]]
id = "our-pumps"
type = "infusion pump"
confidence = 90
because = "our pumps are called that"
when = [{ attribute = "model", exact = "X1" }]
example = [{ attribute = "model", value = "X1" }]
"#;

#[test]
fn a_pack_that_is_loaded_concludes_known_devices_anew() {
    let mut site = Site::new();
    let end = "a1@10.0.0.1";
    site.hears([
        flow(end, "a2@10.0.0.2", Protocol::Hl7),
        says(end, Attribute::Manufacturer, "NP", Protocol::Hl7),
        says(end, Attribute::Model, "X1", Protocol::Hl7),
    ]);
    let before = site.device("a1");
    assert_eq!((before.manufacturer.as_str(), before.device_type.as_str()), ("NP", ""));
    let said = site.learns(PACK);
    let record = site.device("a1");
    assert_eq!(
        (record.manufacturer.as_str(), record.device_type.as_str()),
        ("Northern Pumps", "infusion pump")
    );
    assert_eq!(record.knowledge, format!("{}+north@3", before.knowledge));
    assert_eq!(said.devices.len(), site.records().len(), "each device says what it was concluded with");
    let told = changes(&said);
    assert!(told.contains(&"device_type:  > infusion pump".to_owned()), "{told:?}");
    assert!(told.contains(&"manufacturer: NP > Northern Pumps".to_owned()), "{told:?}");
    assert!(said.attributes.is_empty(), "no statement stands otherwise than before");

    let again = site.hears([says(end, Attribute::Model, "X1", Protocol::Hl7)]);
    assert!(again.changes.is_empty());
}

#[test]
fn a_pack_may_say_what_makes_a_third_device_the_same() {
    let key = r#"
        version = "1"
        [[third_key]]
        kind = "machine"
        parts = ["station_name"]
        needs = 1
        same_by = ["station_name"]
    "#;
    let mut site = Site::new();
    site.hears([
        says("a3@10.0.0.3", Attribute::StationName, "CT-7", Protocol::Dicom),
        crate::ward::tells_of("a1@10.0.0.1", "machine=CT-7", Attribute::Location, "Room 7", Protocol::Hl7),
    ]);
    assert_eq!(site.outline().len(), 3);
    let said = site.learns(key);
    assert_eq!(site.outline(), ["a1 10.0.0.1", "a3 10.0.0.3"]);
    assert_eq!(site.device("a3").location, "Room 7");
    assert_eq!(said.devices.len(), 3, "two and the one that is part of another now");
}
