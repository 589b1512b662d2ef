//! Several interfaces, one device; and one serial number, several devices.

use wardwatch_inventory::DeviceRecord;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Fact, Protocol};

use crate::ward::{NEW_YEAR, SECOND, Site, arp_at, events, flow_at, observation};

const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// At a minute of New Year's Day a pump says its serial number and model.
fn pump(minute: u64, end: &str, serial: &str) -> Vec<Fact> {
    let at = NEW_YEAR + minute * MINUTE;
    let said = |attribute, value| observation(at, Role::Sender, end, "", attribute, value, Protocol::Hl7);
    vec![
        flow_at(at, end, "fe@10.0.0.254", Protocol::Hl7),
        said(Attribute::Manufacturer, "Acme"),
        said(Attribute::Model, "X1"),
        said(Attribute::SerialNumber, serial),
    ]
}

fn named(minute: u64, end: &str, name: &str) -> Fact {
    let at = NEW_YEAR + minute * MINUTE;
    observation(at, Role::Sender, end, "", Attribute::HostName, name, Protocol::Dhcp)
}

/// The devices that say this serial number, by their MAC addresses.
fn by_macs(site: &Site, serial: &str) -> Vec<String> {
    let with_serial = site.records().into_iter().filter(|record| record.serial_number == serial);
    with_serial
        .map(|record| record.macs.iter().map(|mac| mac[15..].to_owned()).collect::<Vec<_>>().join("+"))
        .collect()
}

fn is_conflicting(record: &DeviceRecord, field: &str) -> bool {
    record.gaps.iter().any(|gap| *gap.field == *field && gap.reason == "conflicting")
}

#[test]
fn a_pump_in_a_dock_is_the_pump_that_was_on_the_wireless_network() {
    let mut site = Site::new();
    site.hears(pump(0, "a1@10.0.0.1", "SN-42"));
    site.hears(pump(10, "a1@10.0.0.1", "SN-42"));
    let told = site.hears(pump(30, "a2@10.0.0.2", "SN-42"));
    let pump_again = site.device("a1");
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"]);
    assert_eq!(pump_again.ips, ["10.0.0.1", "10.0.0.2"]);
    let why = pump_again.why.iter().find(|why| why.field == "same_device").expect("a reason");
    assert!(why.statement.contains("never in use together") && why.evidence.contains("SN-42"), "{why:?}");
    assert!(!events(&told).iter().any(|event| event.contains("appeared")), "{:?}", events(&told));
    // Back on the wireless network, it is still the same.
    site.hears(pump(90, "a1@10.0.0.1", "SN-42"));
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"]);
}

#[test]
fn two_interfaces_in_use_together_are_one_device_if_they_agree_twice() {
    let mut site = Site::new();
    for minute in [0, 5, 10] {
        site.hears(pump(minute, "a1@10.0.0.1", "SN-42"));
        site.hears(pump(minute, "a2@10.0.0.2", "SN-42"));
    }
    assert_eq!(by_macs(&site, "SN-42").len(), 2, "a serial number alone may be cloned");
    site.hears([named(10, "a1@10.0.0.1", "pump-42"), named(10, "a2@10.0.0.2", "pump-42")]);
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"]);
}

#[test]
fn a_cloned_serial_number_joins_nobody_and_is_shown_as_a_conflict() {
    let mut site = Site::new();
    site.hears(pump(0, "a1@10.0.0.1", "000001"));
    site.hears(pump(60, "a2@10.0.0.2", "000001"));
    assert_eq!(by_macs(&site, "000001"), ["a1+a2"], "so far it may be one that moved");
    // Then the two say different things of what a device has but one of.
    let uuid = |minute: u64, end: &str, value: &str| {
        let at = NEW_YEAR + minute * MINUTE;
        observation(at, Role::Sender, end, "", Attribute::DeviceUuid, value, Protocol::Upnp)
    };
    site.hears([uuid(120, "a1@10.0.0.1", "11111111-1111-4111-8111-111111111111")]);
    let told = site.hears([uuid(180, "a2@10.0.0.2", "22222222-2222-4222-8222-222222222222")]);
    assert_eq!(by_macs(&site, "000001").len(), 2);
    assert!(
        events(&told).iter().any(|event| event.contains("superseded_by")),
        "the split is told: {:?}",
        events(&told)
    );
    assert!(is_conflicting(&site.device("a1"), "serial_number"));
    assert!(is_conflicting(&site.device("a2"), "serial_number"));
}

#[test]
fn a_serial_number_means_nothing_without_its_maker_or_model() {
    let mut site = Site::new();
    let serial = |minute: u64, end: &str| {
        let at = NEW_YEAR + minute * MINUTE;
        observation(at, Role::Sender, end, "", Attribute::SerialNumber, "1234", Protocol::Http)
    };
    site.hears([serial(0, "a1@10.0.0.1"), serial(60, "a2@10.0.0.2")]);
    assert_eq!(by_macs(&site, "1234").len(), 2);
}

#[test]
fn knowledge_that_comes_later_judges_anew_which_devices_are_one() {
    let mut site = Site::new();
    let said = |minute: u64, end: &str, attribute: Attribute, value: &str| {
        observation(NEW_YEAR + minute * MINUTE, Role::Sender, end, "", attribute, value, Protocol::Hl7)
    };
    for (minute, end, maker) in [(0, "a1@10.0.0.1", "Acme North"), (60, "a2@10.0.0.2", "Acme South")] {
        site.hears([
            said(minute, end, Attribute::Manufacturer, maker),
            said(minute, end, Attribute::SerialNumber, "SN-42"),
        ]);
    }
    assert_eq!(by_macs(&site, "SN-42").len(), 2, "two makers may give the same number");
    let one_maker = r#"version = "1"
        [[manufacturer]]
        name = "Acme"
        spellings = ["Acme North", "Acme South"]"#;
    let told = site.learns(one_maker);
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"], "{:?}", events(&told));
    site.learns("version = \"2\"");
    assert_eq!(by_macs(&site, "SN-42").len(), 2);
}

#[test]
fn many_behind_one_address_make_it_none_of_them() {
    let mut site = Site::new();
    // Address translation: three pumps speak from one address. One of them is seen behind it, too.
    for minute in [0, 1, 2, 3] {
        site.hears(pump(minute, "aa@10.0.0.9", "SN-1"));
        site.hears(pump(minute, "aa@10.0.0.9", "SN-2"));
        site.hears(pump(minute, "aa@10.0.0.9", "SN-3"));
    }
    site.hears(pump(200, "a1@10.0.0.1", "SN-1"));
    assert_eq!(site.device("a1").macs.len(), 1);
    assert_eq!(site.device("aa").macs.len(), 1);
}

#[test]
fn a_device_behind_a_router_keeps_its_record_over_a_change_of_address() {
    let mut site = Site::new();
    site.hears(pump(0, "10.0.0.1", "SN-42"));
    site.hears(pump(200, "10.0.0.2", "SN-42"));
    let records: Vec<_> =
        site.records().into_iter().filter(|record| record.serial_number == "SN-42").collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].ips, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn what_a_person_rules_wins_until_it_is_withdrawn() {
    let mut site = Site::new();
    site.hears([arp_at(NEW_YEAR, "a1", "10.0.0.1"), arp_at(NEW_YEAR, "a2", "10.0.0.2")]);
    let (one, two) = (site.device("a1"), site.device("a2"));
    site.rules(&one, &two, Verdict::Same).expect("two devices");
    let joined = site.device("a1");
    assert_eq!(joined.macs.len(), 2);
    let why = joined.why.iter().find(|why| why.field == "same_device").expect("a reason");
    assert!(why.statement == "a person decided so" && why.evidence.contains("j.doe"), "{why:?}");
    site.rules(&one, &two, Verdict::Unspecified).expect("it was ruled");
    assert_eq!(site.device("a1").macs.len(), 1);

    site.hears(pump(0, "a1@10.0.0.1", "SN-42"));
    site.hears(pump(200, "a2@10.0.0.2", "SN-42"));
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"]);
    site.rules(&one, &two, Verdict::Apart).expect("two devices");
    assert_eq!(by_macs(&site, "SN-42").len(), 2);
    site.rules(&one, &two, Verdict::Unspecified).expect("it was ruled");
    assert_eq!(by_macs(&site, "SN-42"), ["a1+a2"]);
}

#[test]
fn a_ruling_outlasts_that_all_evidence_of_a_device_was_elsewhere() {
    let mut site = Site::new();
    site.hears([
        arp_at(NEW_YEAR, "a1", "10.0.0.1"),
        flow_at(NEW_YEAR, "10.0.2.5", "10.0.0.1", Protocol::Dicom),
    ]);
    site.rules(&site.device("a1"), &site.device("10.0.2.5"), Verdict::Same).expect("two devices");
    assert_eq!(site.device("a1").ips, ["10.0.0.1", "10.0.2.5"]);
    // The address is seen in an interface's frames and is taken for that interface's, until it turns out to be a router.
    let behind =
        |address: u8| flow_at(NEW_YEAR, &format!("fe@10.0.2.{address}"), "a1@10.0.0.1", Protocol::Dicom);
    site.hears([behind(5)]);
    assert_eq!(site.device("a1").ips, ["10.0.0.1"]);
    site.hears((6..20).map(behind));
    assert_eq!(site.device("a1").ips, ["10.0.0.1", "10.0.2.5"]);
}

#[test]
fn a_ruling_about_what_is_not_known_is_refused() {
    let mut site = Site::new();
    site.hears([arp_at(NEW_YEAR + HOUR, "a1", "10.0.0.1")]);
    let one = site.device("a1");
    let other = DeviceRecord { id: "0b7c3a52-6f0c-5c40-9c6c-1d2b5a1b7e10".into(), ..DeviceRecord::default() };
    assert_eq!(site.rules(&one, &other, Verdict::Same).expect_err("unknown").word(), "unknown-device");
    assert_eq!(site.rules(&one, &one, Verdict::Same).expect_err("one").word(), "same-device");
}
