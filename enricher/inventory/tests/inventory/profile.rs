//! The whole profile: every field is known, or absent with a reason.

use wardwatch_inventory::DeviceRecord;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::ward::{KNOWLEDGE, NEW_YEAR, SECOND, Site, arp, observation, says, tells_of};

fn gap<'a>(record: &'a DeviceRecord, field: &str) -> Option<&'a str> {
    record.gaps.iter().find(|gap| *gap.field == *field).map(|gap| gap.reason)
}

#[test]
fn every_field_is_known_or_absent_with_a_reason() {
    let mut site = Site::new();
    site.hears([
        arp("a1", "10.0.0.7"),
        says("a1@10.0.0.7", Attribute::Role, "intellivue-monitor", Protocol::Intellivue),
        says("a1@10.0.0.7", Attribute::OperatingSystem, "Linux", Protocol::Http),
    ]);
    let record = site.device("10.0.0.7");
    for field in KNOWLEDGE.profile() {
        let is_known = !wardwatch_inventory::profile_field(&record, &field.name).is_empty();
        assert_eq!(is_known, gap(&record, &field.name).is_none(), "{}", field.name);
    }
    assert_eq!(record.detail("operating_system"), "Linux");
    assert_eq!(gap(&record, "serial_number"), Some("not-seen"));
    let serial = record.gaps.iter().find(|gap| &*gap.field == "serial_number").expect("it is not known");
    assert!(serial.completed_by.contains("clinical"), "{serial:?}");
}

#[test]
fn what_cannot_be_is_not_missed() {
    let mut site = Site::new();
    site.hears([says("a2@10.0.0.8", Attribute::BacnetInstance, "1234", Protocol::Bacnet)]);
    let controller = site.device("10.0.0.8");
    assert_eq!(controller.category, "building");
    assert_eq!(gap(&controller, "udi_di"), Some("not-applicable"));
    assert_eq!(gap(&controller, "fda_class"), Some("not-applicable"));
    assert_eq!(gap(&controller, "model"), Some("not-seen"));
}

#[test]
fn a_nested_device_has_no_place_of_its_own_on_the_network() {
    let mut site = Site::new();
    site.hears([tells_of("a1@10.0.0.7", "serial=Acme|X1|42", Attribute::SerialNumber, "42", Protocol::Hl7)]);
    let nested = site.records().into_iter().find(|record| !record.parent.is_empty());
    let pump = nested.expect("the pump behind the gateway");
    assert_eq!(gap(&pump, "switch"), Some("not-applicable"));
}

#[test]
fn visibility_grows_with_what_is_known() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7")]);
    let before = site.device("10.0.0.7").visibility;
    site.hears([
        says("a1@10.0.0.7", Attribute::Manufacturer, "Acme", Protocol::Dicom),
        says("a1@10.0.0.7", Attribute::Model, "X1", Protocol::Dicom),
        says("a1@10.0.0.7", Attribute::SerialNumber, "42", Protocol::Dicom),
    ]);
    let after = site.device("10.0.0.7").visibility;
    assert!(before > 0 && before + 15 < after && after < 100, "{before} to {after}");
}

#[test]
fn sources_that_go_on_disagreeing_are_a_conflict_and_an_update_is_none() {
    let mut site = Site::new();
    let said = |hour: u64, end, attribute, value| {
        let at = NEW_YEAR + hour * 3600 * SECOND + SECOND;
        observation(at, Role::Sender, end, "", attribute, value, Protocol::Dicom)
    };
    let serial = |hour, value| said(hour, "a1@10.0.0.7", Attribute::SerialNumber, value);
    site.hears([serial(1, "42"), serial(2, "43")]);
    assert_eq!(gap(&site.device("10.0.0.7"), "serial_number"), None);
    site.hears([serial(3, "42")]);
    let record = site.device("10.0.0.7");
    assert_eq!((record.serial_number.as_str(), gap(&record, "serial_number")), ("43", Some("conflicting")));
    site.decides(&record, "serial_number", "42").expect("a field that can be overridden");
    assert_eq!(gap(&site.device("10.0.0.7"), "serial_number"), None, "a person has decided");

    let version = |hour, value| said(hour, "a2@10.0.0.8", Attribute::FirmwareVersion, value);
    site.hears([version(1, "1.0"), version(2, "1.1"), version(3, "1.1")]);
    assert_eq!(gap(&site.device("10.0.0.8"), "firmware_version"), None);
}

#[test]
fn a_person_may_say_what_no_traffic_tells() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7")]);
    site.decides(&site.device("10.0.0.7"), "labels", "ward 3, loaned")
        .expect("a field that can be overridden");
    let record = site.device("10.0.0.7");
    assert_eq!(record.detail("labels"), "ward 3, loaned");
    assert!(record.why.iter().any(|why| why.field == "labels" && why.statement == "a person decided so"));
}
