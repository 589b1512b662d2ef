//! How a device hangs on the network, how it came to its addresses, and whether it talks to the internet.

use wardwatch_inventory::{DeviceRecord, Why};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Fact, Protocol};

use crate::ward::{DAY, NEW_YEAR, SECOND, Site, arp, arp_at, flow_at, hearsay, observation, says, tells_of};

fn reason<'a>(record: &'a DeviceRecord, field: &str) -> &'a Why {
    let found = record.why.iter().find(|why| why.field == field);
    found.unwrap_or_else(|| panic!("no reason for {field}: {:#?}", record.why))
}

fn seen_on(day: u64, end: &str, peer: &str) -> Fact {
    flow_at(NEW_YEAR + day * DAY, end, peer, Protocol::Http)
}

/// As RADIUS accounting tells of a client that was let in.
fn accounting(end: &str, ip: &str, port_type: &str) -> Vec<Fact> {
    [(Attribute::IpAddress, ip), (Attribute::NasPortType, port_type)]
        .map(|(attribute, value)| hearsay(end, attribute, value, Protocol::Radius))
        .into()
}

#[test]
fn nothing_is_guessed_of_the_medium() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7")]);
    assert_eq!(site.device("10.0.0.7").detail("connection_type"), "");
}

#[test]
fn who_names_its_port_to_its_neighbour_hangs_on_a_cable() {
    let mut site = Site::new();
    site.hears([says("a1@10.0.0.7", Attribute::LinkPort, "eth0", Protocol::Lldp), arp("a1", "10.0.0.7")]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.detail("connection_type"), "wired");
    assert_eq!(reason(&record, "connection_type").evidence, "link_port eth0 (lldp)");
}

#[test]
fn accounting_tells_of_a_clients_medium_and_cell() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7"), arp("a2", "10.0.0.8")]);
    site.hears(accounting("a1@10.0.0.7", "10.0.0.7", "wireless-802.11"));
    site.hears([
        hearsay("a1@10.0.0.7", Attribute::WlanName, "Ward WLAN", Protocol::Radius),
        hearsay("a1@10.0.0.7", Attribute::WlanBssid, "00:10:a4:23:19:c0", Protocol::Radius),
    ]);
    site.hears(accounting("a2@10.0.0.8", "10.0.0.8", "ethernet"));
    let client = site.device("10.0.0.7");
    assert_eq!(client.detail("connection_type"), "wireless");
    assert_eq!((client.detail("ssid"), client.detail("bssid")), ("Ward WLAN", "00:10:a4:23:19:c0"));
    let other = site.device("10.0.0.8");
    assert_eq!((other.detail("connection_type"), other.detail("ssid")), ("wired", ""));
}

#[test]
fn what_an_access_point_offers_is_not_how_it_hangs_itself() {
    let mut site = Site::new();
    let of_nas = [
        (Attribute::Role, "access-point"),
        (Attribute::NasPortType, "wireless-802.11"),
        (Attribute::WlanName, "Ward WLAN"),
    ];
    site.hears(of_nas.map(|(attribute, value)| says("a3@10.0.0.9", attribute, value, Protocol::Radius)));
    let record = site.device("10.0.0.9");
    assert_eq!((record.detail("connection_type"), record.detail("ssid")), ("", ""));
}

#[test]
fn a_nested_device_hangs_behind_its_gateway() {
    let mut site = Site::new();
    site.hears([tells_of("a1@10.0.0.7", "serial=Acme|X1|42", Attribute::SerialNumber, "42", Protocol::Hl7)]);
    let nested = site.records().into_iter().find(|record| !record.parent.is_empty());
    let pump = nested.expect("the pump behind the gateway");
    assert_eq!(pump.detail("connection_type"), "behind a gateway");
}

#[test]
fn who_was_given_an_address_uses_dhcp() {
    let mut site = Site::new();
    let lease = (Attribute::IpAddress, "10.0.0.7", Protocol::Dhcp);
    site.hears([hearsay("a1@10.0.0.7", lease.0, lease.1, lease.2), arp("a1", "10.0.0.7")]);
    site.hears([arp_at(NEW_YEAR + 9 * DAY, "a1", "10.0.0.7")]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.detail("ip_assignment"), "dhcp");
    assert!(reason(&record, "ip_assignment").confidence >= 30);
}

#[test]
fn a_week_without_asking_is_a_guess_at_a_static_address_and_labelled_as_one() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7")]);
    assert_eq!(site.device("10.0.0.7").detail("ip_assignment"), "");
    site.hears([arp_at(NEW_YEAR + 8 * DAY, "a1", "10.0.0.7"), seen_on(8, "a1@10.0.0.7", "10.0.0.8")]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.detail("ip_assignment"), "static");
    let why = reason(&record, "ip_assignment");
    assert!(why.confidence < 30 && why.statement.contains("a guess"), "{why:?}");
    site.hears([hearsay("a1@10.0.0.7", Attribute::IpAddress, "10.0.0.7", Protocol::Dhcp)]);
    assert_eq!(site.device("10.0.0.7").detail("ip_assignment"), "dhcp");
}

#[test]
fn addresses_tell_what_made_them() {
    let mut site = Site::new();
    site.hears([
        arp("a1", "169.254.3.4"),
        observation(
            NEW_YEAR,
            Role::Sender,
            "a2@fd00::ff:fe00:a2",
            "",
            Attribute::IpAddress,
            "fd00::ff:fe00:a2",
            Protocol::Icmpv6,
        ),
    ]);
    assert_eq!(site.device("169.254.3.4").detail("ip_assignment"), "link-local");
    assert_eq!(site.device("fd00::ff:fe00:a2").detail("ip_assignment"), "slaac");
}

#[test]
fn who_talks_to_the_internet_does_and_who_was_watched_for_a_day_does_not() {
    let mut site = Site::new();
    site.hears([seen_on(0, "a1@10.0.0.7", "203.0.113.5"), seen_on(0, "a2@10.0.0.8", "10.0.0.9")]);
    let (out, within) = (site.device("10.0.0.7"), site.device("10.0.0.8"));
    assert_eq!((out.detail("internet"), within.detail("internet")), ("yes", ""));
    assert_eq!(reason(&out, "internet").evidence, "http to an address outside the site");
    site.hears([seen_on(2, "a2@10.0.0.8", "10.0.0.9")]);
    assert_eq!(site.device("10.0.0.8").detail("internet"), "no");
    site.hears([flow_at(NEW_YEAR + 50 * DAY + SECOND, "a1@10.0.0.7", "10.0.0.8", Protocol::Http)]);
    assert_eq!(site.device("10.0.0.7").detail("internet"), "no", "that was long ago");
}

#[test]
fn a_relay_names_the_port() {
    let mut site = Site::new();
    site.hears([
        hearsay("a1@10.0.0.7", Attribute::IpAddress, "10.0.0.7", Protocol::Dhcp),
        hearsay("a1@10.0.0.7", Attribute::AttachedPort, "vlan 20 port 1/5", Protocol::Dhcp),
        arp("a1", "10.0.0.7"),
    ]);
    let record = site.device("10.0.0.7");
    assert_eq!(record.detail("switch_port"), "vlan 20 port 1/5");
    assert!(reason(&record, "switch_port").evidence.contains("dhcp"));
}
