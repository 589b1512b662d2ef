//! How a device hangs on the network, how it came to its addresses, and whether it talks to the internet.

use wardwatch_inventory::{DeviceRecord, Why};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Fact, ImportTable, Protocol};

use crate::imports::{Row, table};
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

fn mac(octet: u8) -> String {
    format!("02:00:00:00:00:{octet:02x}")
}

fn of_wlc(rows: &[Row<'_>]) -> ImportTable {
    ImportTable { import: "wlc".into(), source: Protocol::WlanController.into(), ..table("v-1", rows) }
}

/// A port and who is at it, by the last octets of their MAC addresses; lines from 2.
fn of_switch(version: &str, ports: &[(&str, u8)]) -> ImportTable {
    let macs: Vec<String> = ports.iter().map(|(_, octet)| mac(*octet)).collect();
    let values: Vec<[(Attribute, &str); 3]> = ports
        .iter()
        .zip(&macs)
        .map(|((port, _), mac)| {
            [
                (Attribute::MacAddress, mac.as_str()),
                (Attribute::SwitchName, "sw-1"),
                (Attribute::SwitchPort, *port),
            ]
        })
        .collect();
    let rows: Vec<Row<'_>> = (2..).zip(&values).map(|(line, values)| (line, values.as_slice())).collect();
    ImportTable { import: "core".into(), source: Protocol::SwitchTable.into(), ..table(version, &rows) }
}

#[test]
fn a_controllers_row_says_that_its_client_is_wireless_and_where() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7"), arp("a2", "10.0.0.8")]);
    let (client, bare) = (mac(0xa1), mac(0xa2));
    let said = [
        (Attribute::MacAddress, client.as_str()),
        (Attribute::Ssid, "Ward WLAN"),
        (Attribute::AccessPointName, "ap-3-12"),
    ];
    site.imports(&of_wlc(&[(7, &said), (8, &[(Attribute::MacAddress, bare.as_str())])])).expect("a table");
    let record = site.device("10.0.0.7");
    assert_eq!(
        ["connection_type", "ssid", "access_point"].map(|field| record.detail(field)),
        ["wireless", "Ward WLAN", "ap-3-12"]
    );
    let why = reason(&record, "connection_type");
    assert_eq!(why.statement, "line 7 of the imported table \"wlc\" has it in a wireless network");
    assert_eq!(why.evidence, "ssid Ward WLAN, access_point_name ap-3-12 (wlan_controller)");
    assert_eq!(why.confidence, 75);
    assert_eq!(site.device("10.0.0.8").detail("connection_type"), "", "a row that says nothing of it");
    site.withdraws_import("wlc").expect("a table");
    assert_eq!(site.device("10.0.0.7").detail("connection_type"), "");
}

#[test]
fn an_access_point_in_its_controllers_table_is_no_client() {
    let mut site = Site::new();
    site.hears([says("a3@10.0.0.9", Attribute::Role, "access-point", Protocol::Lldp), arp("a3", "10.0.0.9")]);
    assert_eq!(site.device("10.0.0.9").category, "network");
    let own = mac(0xa3);
    let said = [(Attribute::MacAddress, own.as_str()), (Attribute::AccessPointName, "ap-3-12")];
    site.imports(&of_wlc(&[(2, &said)])).expect("a table");
    assert_eq!(site.device("10.0.0.9").detail("connection_type"), "");
}

#[test]
fn a_switchs_row_says_wired_where_the_port_is_not_one_to_many() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.1"), arp("a2", "10.0.0.2"), arp("a3", "10.0.0.3")]);
    site.imports(&of_switch("v-1", &[("gi1/0/5", 0xa1), ("gi1/0/48", 0xa2), ("gi1/0/48", 0xa3)]))
        .expect("a table");
    let record = site.device("10.0.0.1");
    assert_eq!(
        ["connection_type", "switch", "switch_port"].map(|field| record.detail(field)),
        ["wired", "sw-1", "gi1/0/5"]
    );
    let why = reason(&record, "connection_type");
    assert!(why.statement.starts_with("line 2 of the imported table \"core\" has it at a port"), "{why:?}");
    assert_eq!(why.evidence, "switch_name sw-1, switch_port gi1/0/5 (switch_table)");
    assert_eq!(
        site.device("10.0.0.2").detail("connection_type"),
        "wired",
        "a telephone and what is behind it"
    );
    let behind: Vec<(&str, u8)> = [0xa2, 0xa3, 0xa4].map(|octet| ("gi1/0/48", octet)).into();
    site.imports(&of_switch("v-2", &behind)).expect("a table");
    let (uplink, gone) = (site.device("10.0.0.2"), site.device("10.0.0.1"));
    assert_eq!(uplink.detail("connection_type"), "", "an access point may hang there");
    assert_eq!(uplink.detail("switch_port"), "gi1/0/48", "that it is behind this port is true");
    assert_eq!(gone.detail("connection_type"), "", "the newer table has it no more");
}

#[test]
fn the_network_is_believed_before_tables_and_the_controller_before_the_switch() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7"), arp("a2", "10.0.0.8")]);
    site.imports(&of_switch("v-1", &[("gi1/0/1", 0xa1), ("gi1/0/2", 0xa2)])).expect("a table");
    let (one, two) = (mac(0xa1), mac(0xa2));
    let rows: [Row<'_>; 2] = [
        (2, &[(Attribute::MacAddress, one.as_str()), (Attribute::Ssid, "Guests")]),
        (3, &[(Attribute::MacAddress, two.as_str()), (Attribute::Ssid, "Guests")]),
    ];
    site.imports(&of_wlc(&rows)).expect("a table");
    assert_eq!(site.device("10.0.0.7").detail("connection_type"), "wireless");
    site.hears(accounting("a1@10.0.0.7", "10.0.0.7", "wireless-802.11"));
    site.hears([hearsay("a1@10.0.0.7", Attribute::WlanName, "Ward WLAN", Protocol::Radius)]);
    site.hears([says("a2@10.0.0.8", Attribute::LinkPort, "eth0", Protocol::Lldp)]);
    let (heard, cabled) = (site.device("10.0.0.7"), site.device("10.0.0.8"));
    assert_eq!((heard.detail("connection_type"), heard.detail("ssid")), ("wireless", "Ward WLAN"));
    assert_eq!(heard.details.iter().filter(|detail| detail.field == "ssid").count(), 1);
    let rivals: Vec<_> = heard.why.iter().filter(|why| why.field == "ssid").map(|why| &why.value).collect();
    assert_eq!(rivals, ["Ward WLAN", "Guests"]);
    assert_eq!(reason(&heard, "connection_type").confidence, 90);
    assert_eq!(cabled.detail("connection_type"), "wired", "it names its port itself");
}
