//! What signatures conclude, and beside what it stands.

use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::ward::{NEW_YEAR, Site, arp, observation, says};

/// An interface registered to Philips Patient Monitoring (IEEE registry: 00-09-FB).
const MAC: &str = "00:09:fb:01:02:03";

#[test]
fn a_banner_is_believed_before_a_mac_prefix_and_after_what_the_device_says() {
    let mut site = Site::new();
    let end = format!("{MAC}@10.0.0.7");
    site.hears([arp(MAC, "10.0.0.7")]);
    assert_eq!(site.device("10.0.0.7").manufacturer, "Philips");
    site.hears([says(&end, Attribute::DhcpVendorClass, "AXIS,Network Camera,M3007,5.40.13", Protocol::Dhcp)]);
    let record = site.device("10.0.0.7");
    assert_eq!(
        (record.manufacturer.as_str(), record.model.as_str(), record.firmware_version.as_str()),
        ("Axis", "M3007", "5.40.13")
    );
    assert_eq!(record.device_type, "camera");
    let why = record.why.iter().find(|why| why.field == "model").expect("a reason");
    assert_eq!(why.statement, "it asks for its address as Axis' devices do, with model and version");
    assert_eq!(
        why.evidence,
        "dhcp_vendor_class AXIS,Network Camera,M3007,5.40.13 (dhcp), by signature dhcp-axis"
    );
    // Never surer than the signature, nor than signatures are believed to be.
    assert_eq!(why.confidence, 85);
    let maker = record.why.iter().find(|why| why.field == "manufacturer").expect("a reason");
    assert_eq!((maker.value.as_str(), maker.confidence), ("Axis", 80));

    site.hears([says(&end, Attribute::Model, "P1448", Protocol::Http)]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.model, "P1448", "what it says in words is believed first");
    assert!(
        record.why.iter().any(|why| why.field == "model" && why.value == "M3007"),
        "and the rest is kept"
    );
}

#[test]
fn what_another_says_counts_for_less() {
    let mut site = Site::new();
    let told = observation(
        NEW_YEAR,
        Role::Third,
        "a1@10.0.0.7",
        "",
        Attribute::HttpRealm,
        "AXIS_00408CBF0A12",
        Protocol::Http,
    );
    site.hears([says("a1@10.0.0.7", Attribute::Role, "http-server", Protocol::Http), told]);
    let record = site.device("10.0.0.7");
    let why = record.why.iter().find(|why| why.field == "serial_number").expect("a reason");
    assert_eq!((why.value.as_str(), why.confidence), ("00408CBF0A12", 49));
}

#[test]
fn a_derived_value_is_not_shown_as_one_that_was_said() {
    let mut site = Site::new();
    let told = site.hears([says("a1@10.0.0.7", Attribute::HttpRealm, "AXIS_00408CBF0A12", Protocol::Http)]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.serial_number, "00408CBF0A12");
    assert_eq!(crate::ward::attributes(&told, &record), ["http_realm AXIS_00408CBF0A12 http sender 1*"]);
}
