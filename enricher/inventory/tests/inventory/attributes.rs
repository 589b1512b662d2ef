//! What a device shows, and why.

use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::ward::{DAY, NEW_YEAR, Site, arp, attributes, events, flow, observation, says};

/// An interface registered to Philips Patient Monitoring (IEEE registry: 00-09-FB).
const MONITOR: &str = "00:09:fb:01:02:03";

#[test]
fn a_maker_by_mac_prefix_is_a_guess_and_labelled_so() {
    let mut site = Site::new();
    site.hears([arp(MONITOR, "10.0.0.7")]);
    let record = site.device("10.0.0.7");
    assert_eq!((record.manufacturer.as_str(), record.mac_manufacturer.as_str()), ("Philips", "Philips"));
    let why = record.why.iter().find(|why| why.field == "manufacturer").expect("a reason");
    assert!(why.confidence < 30 && why.statement.contains("guess"), "{why:?}");
    assert_eq!(
        (record.category.as_str(), record.device_type.as_str(), record.model.as_str()),
        ("medical", "", "")
    );
    assert!(record.confidence < 30);
}

#[test]
fn a_role_or_number_of_one_maker_names_the_maker() {
    let mut site = Site::new();
    site.hears([says("a1@10.0.0.7", Attribute::Role, "intellivue-monitor", Protocol::Intellivue)]);
    let record = site.device("10.0.0.7");
    assert_eq!((record.manufacturer.as_str(), record.device_type.as_str()), ("Philips", "patient monitor"));
    let why = record.why.iter().find(|why| why.field == "manufacturer").expect("a reason");
    assert_eq!(why.statement, "its role is this maker's");

    site.hears([says("a2@10.0.0.8", Attribute::CipVendorId, "1", Protocol::EthernetIp)]);
    assert_eq!(site.device("10.0.0.8").manufacturer, "Rockwell Automation");
    // What it says in words is believed before what its number means.
    site.hears([says("a2@10.0.0.8", Attribute::Manufacturer, "WAGO", Protocol::EthernetIp)]);
    assert_eq!(site.device("10.0.0.8").manufacturer, "WAGO");
}

#[test]
fn what_a_device_says_beats_a_banner_and_that_beats_a_mac_prefix() {
    let mut site = Site::new();
    let end = format!("{MONITOR}@10.0.0.7");
    site.hears([says(&end, Attribute::Manufacturer, "Moxa", Protocol::Http)]);
    assert_eq!(site.device("10.0.0.7").manufacturer, "Moxa");
    let told = site.hears([says(&end, Attribute::Manufacturer, "G.E. Medical Systems", Protocol::Dicom)]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.manufacturer, "GE HealthCare");
    let reasons: Vec<_> =
        record.why.iter().filter(|why| why.field == "manufacturer").map(|why| why.value.as_str()).collect();
    assert_eq!(
        reasons,
        ["GE HealthCare", "Moxa", "Philips"],
        "conflicts stay visible, the believed one first"
    );
    assert!(events(&told).contains(&"changed 10.0.0.7 manufacturer: Moxa > GE HealthCare".to_owned()));
    assert_eq!(
        attributes(&told, &record),
        ["manufacturer G.E. Medical Systems dicom sender 1*", "manufacturer Moxa http sender 1"],
        "what is no longer shown is written again"
    );
}

#[test]
fn a_new_version_takes_over_and_the_old_one_stays_on_record() {
    let mut site = Site::new();
    let version = |at, value| {
        observation(at, Role::Sender, "a1@10.0.0.1", "", Attribute::SoftwareVersion, value, Protocol::Dicom)
    };
    site.hears([version(NEW_YEAR, "VB15A")]);
    let told = site.hears([version(NEW_YEAR + DAY, "VB19A")]);
    assert_eq!(site.device("a1").software_version, "VB19A");
    assert_eq!(told.changes.len(), 1);
    assert_eq!((told.changes[0].before.as_str(), told.changes[0].after.as_str()), ("VB15A", "VB19A"));
    assert_eq!(told.changes[0].at, NEW_YEAR + DAY);
    let late = site.hears([version(NEW_YEAR, "VB15A")]);
    assert_eq!(site.device("a1").software_version, "VB19A", "a late report changes nothing");
    assert!(late.changes.is_empty());
}

#[test]
fn a_modality_is_known_by_what_it_asks_for() {
    let mut site = Site::new();
    let end = "a1@10.0.0.1";
    site.hears([
        flow(end, "a2@10.0.0.2", Protocol::Dicom),
        says(end, Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31", Protocol::Dicom),
        says(end, Attribute::DicomSopClass, "1.2.840.10008.5.1.4.1.1.2", Protocol::Dicom),
        says(end, Attribute::DicomModality, "CT", Protocol::Dicom),
        says(end, Attribute::StationName, "CT01", Protocol::Dicom),
        says(end, Attribute::DicomImplementationUid, "1.2.276.0.7230010.3.0.3.6.7", Protocol::Dicom),
    ]);
    let record = site.device("CT01");
    assert_eq!(
        (record.category.as_str(), record.subcategory.as_str(), record.device_type.as_str()),
        ("medical", "imaging", "CT scanner")
    );
    assert!(record.confidence > 90);
    assert_eq!(
        (record.manufacturer.as_str(), record.software_name.as_str()),
        ("", "DCMTK"),
        "a toolkit is no maker"
    );
    assert!(
        record
            .why
            .iter()
            .any(|why| why.statement == "proposes the modality worklist, so it is an imaging modality")
    );
    assert_eq!(record.protocols, ["dicom"]);
    assert!(record.knowledge.starts_with("20"));
}

#[test]
fn a_building_controller_has_its_makers_name_by_vendor_identifier() {
    let mut site = Site::new();
    let end = "a1@10.0.0.1";
    site.hears([
        flow(end, "a2@10.0.0.2", Protocol::Bacnet),
        says(end, Attribute::Role, "bacnet-device", Protocol::Bacnet),
        says(end, Attribute::BacnetVendorId, "5", Protocol::Bacnet),
        says(end, Attribute::BacnetInstance, "1234", Protocol::Bacnet),
        says(end, Attribute::BacnetObjectName, "AHU-3", Protocol::Bacnet),
    ]);
    let record = site.device("AHU-3");
    assert_eq!(
        (record.manufacturer.as_str(), record.category.as_str(), record.device_type.as_str()),
        ("Johnson Controls", "building", "building controller")
    );
}

#[test]
fn the_same_words_from_two_sensors_are_counted_apart_and_resolved_together() {
    let mut site = Site::new();
    let model = || says("a1@10.0.0.1", Attribute::Model, "X1", Protocol::Dicom);
    let first = site.hears_from("s1", [model(), model()]);
    let second = site.hears_from("s2", [model()]);
    let record = site.device("a1");
    assert_eq!(attributes(&first, &record), ["model X1 dicom sender 2*"]);
    assert_eq!(attributes(&second, &record), ["model X1 dicom sender 1*"]);
    assert_eq!(record.sensors, ["s1", "s2"]);
}
