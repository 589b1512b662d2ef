//! Which device has an address.

use std::collections::BTreeSet;

use ipnet::IpNet;
use wardwatch_inventory::Settings;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Attribute, Fact, Protocol, subject::Role};

use crate::ward::{
    DAY, NEW_YEAR, SECOND, Site, arp, arp_at, attributes, events, flow, flow_at, hearsay, observation, says,
    unanswered,
};

#[test]
fn a_device_is_its_interface_and_an_address_in_its_frames_is_its_own() {
    let mut site = Site::new();
    let told = site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Dicom)]);
    assert_eq!(site.outline(), ["a1 10.0.0.1", "a2 10.0.0.2"]);
    assert_eq!(events(&told).len(), 2, "each appears once");
    assert_eq!(*told.flows[0].initiator_device, *site.device("a1").id);
    assert_eq!(*told.flows[0].responder_device, *site.device("a2").id);
    let again = site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Dicom)]);
    assert!(again.events.is_empty() && again.changes.is_empty());
}

#[test]
fn neighbour_discovery_and_profinet_bind_an_address_and_what_crosses_routers_does_not() {
    let mut site = Site::new();
    site.hears([
        says("a1@fe80::1", Attribute::IpAddress, "fd00::1", Protocol::Icmpv6),
        // A frame of DCP has no address but the one that it tells.
        says("a2", Attribute::IpAddress, "10.0.0.2", Protocol::ProfinetDcp),
    ]);
    assert_eq!(site.device("fd00::1").id, site.device("a1").id);
    assert_eq!(site.device("10.0.0.2").id, site.device("a2").id);
    site.hears([says("a3@10.9.9.9", Attribute::IpAddress, "fd00::3", Protocol::Dhcpv6)]);
    assert!(!site.device("a3").ips.contains(&"fd00::3".to_owned()), "the frame may be a router's");
}

#[test]
fn a_capture_without_ethernet_has_devices_by_address() {
    let mut site = Site::new();
    site.hears([flow("10.0.0.1", "10.0.0.2", Protocol::Dicom)]);
    assert_eq!(site.outline(), ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn groups_addresses_of_nobody_and_internet_hosts_are_no_devices() {
    let mut site = Site::new();
    let told = site.hears([
        flow("a1@0.0.0.0", "broadcast@255.255.255.255", Protocol::Dhcp),
        flow("a1@10.0.0.1", "01:00:5e:00:00:fb@224.0.0.251", Protocol::Mdns),
        flow("none@127.0.0.1", "none@0.0.0.0", Protocol::Http),
        flow("10.0.0.5", "203.0.113.9", Protocol::Tls),
    ]);
    assert_eq!(site.outline(), ["10.0.0.5", "a1 10.0.0.1"]);
    assert_eq!(&*told.flows[3].responder_device, "");
}

#[test]
fn a_scan_of_empty_addresses_finds_no_ghosts() {
    let mut site = Site::new();
    let told = site.hears((1..200).map(|n| unanswered("a1@10.0.0.1", &format!("fe@10.0.1.{n}"))));
    assert_eq!(site.outline(), ["a1 10.0.0.1"]);
    assert!(told.flows.iter().all(|flow| flow.responder_device.is_empty()));
}

#[test]
fn hearsay_waits_until_the_device_is_heard_from() {
    let mut site = Site::new();
    site.hears([
        hearsay("10.0.0.2", Attribute::HostName, "pacs.hospital.example", Protocol::Dns),
        hearsay("10.0.0.3", Attribute::HostName, "gone.hospital.example", Protocol::Dns),
        hearsay("198.51.100.7", Attribute::HostName, "www.example", Protocol::Dns),
    ]);
    assert!(site.outline().is_empty());
    site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Dicom)]);
    assert_eq!(site.device("a2").host_names, ["pacs.hospital.example"]);
    assert_eq!(site.outline().len(), 2);
}

#[test]
fn what_a_peer_says_lands_on_the_peer() {
    let mut site = Site::new();
    site.hears([
        flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Http),
        observation(NEW_YEAR, Role::Peer, "a2@10.0.0.2", "", Attribute::HttpHost, "pacs", Protocol::Http),
    ]);
    let told = site.hears([observation(
        NEW_YEAR,
        Role::Peer,
        "a2@10.0.0.2",
        "",
        Attribute::HttpHost,
        "pacs",
        Protocol::Http,
    )]);
    assert_eq!(attributes(&told, &site.device("a2")), ["http_host pacs http peer 2*"]);
    assert!(attributes(&told, &site.device("a1")).is_empty());
}

/// Frames of many addresses under one MAC address.
fn through_router(hosts: std::ops::Range<u8>) -> Vec<wardwatch_proto::v1::Fact> {
    hosts.map(|n| flow("e0@10.9.9.9", &format!("fe@10.0.2.{n}"), Protocol::Http)).collect()
}

#[test]
fn one_mac_with_many_addresses_is_a_router_and_the_addresses_are_devices() {
    let mut site = Site::new();
    site.hears(through_router(1..4));
    assert_eq!(site.outline(), ["e0 10.9.9.9", "fe 10.0.2.1,10.0.2.2,10.0.2.3"], "it may still be one host");
    let router = site.device("fe").id;

    let told = site.hears(through_router(4..9));
    let mut expected: Vec<String> = (1..9).map(|n| format!("10.0.2.{n}")).collect();
    expected.extend(["e0 10.9.9.9".to_owned(), "fe".to_owned()]);
    assert_eq!(site.outline(), expected);
    let split = told.changes.iter().find(|change| change.device == router && change.field == "ips");
    let split = split.expect("the split is told as a change");
    assert_eq!((split.before.as_str(), split.after.as_str()), ("10.0.2.1, 10.0.2.2, 10.0.2.3", ""));
    let record = site.device("fe");
    assert_eq!(
        (record.device_type.as_str(), record.roles.as_slice()),
        ("router", &["router".to_owned()][..])
    );
    let first = told.flows.last().expect("flows");
    assert_eq!(*first.responder_device, *site.device("10.0.2.8").id);
}

#[test]
fn evidence_that_was_wrongly_put_on_a_router_moves_with_its_address() {
    let mut site = Site::new();
    site.hears([says("fe@10.0.2.1", Attribute::Model, "X1", Protocol::Dicom)]);
    assert_eq!(site.device("fe").model, "X1");
    let told = site.hears(through_router(1..9));
    assert_eq!(site.device("fe").model, "");
    let moved = site.device("10.0.2.1");
    assert_eq!(moved.model, "X1");
    assert!(attributes(&told, &moved).contains(&"model X1 dicom sender 1*".to_owned()));
    let withdrawn = told
        .attributes
        .iter()
        .find(|record| *record.device == *site.device("fe").id && &*record.value == "X1");
    assert_eq!(withdrawn.map(|record| (record.count, record.chosen)), Some((0, false)));
}

#[test]
fn a_routers_own_address_is_bound_by_arp() {
    let mut site = Site::new();
    site.hears(through_router(1..9));
    site.hears([arp("fe", "10.0.2.1")]);
    assert_eq!(site.device("fe").ips, ["10.0.2.1"]);
    assert_eq!(site.device("10.0.2.1").macs.len(), 1);
}

#[test]
fn internet_sources_show_a_router_too() {
    let mut site = Site::new();
    site.hears((1..9).map(|n| flow("a1@10.0.0.1", &format!("fe@203.0.113.{n}"), Protocol::Tls)));
    assert_eq!(site.outline(), ["a1 10.0.0.1", "fe"]);
    assert_eq!(site.device("fe").device_type, "router");
}

#[test]
fn a_laptop_with_a_new_address_each_day_is_no_router() {
    let mut site = Site::new();
    for day in 0..30 {
        site.hears([flow_at(
            NEW_YEAR + day * DAY,
            &format!("a1@10.0.0.{}", day + 1),
            "a2@10.0.1.1",
            Protocol::Http,
        )]);
    }
    assert_eq!(site.outline().len(), 2);
    let ips = site.device("a1").ips;
    assert!(ips.contains(&"10.0.0.30".to_owned()) && ips.len() <= 8, "addresses of the last week: {ips:?}");
}

#[test]
fn arp_that_comes_later_unites_an_address_with_its_interface() {
    let mut site = Site::new();
    site.hears(through_router(1..9));
    let alone = site.device("10.0.2.5");
    let told = site.hears([arp("b5", "10.0.2.5")]);
    let united = site.device("b5");
    assert_eq!(united.ips, ["10.0.2.5"]);
    let gone =
        told.devices.iter().find(|record| record.id == alone.id).expect("the old record is superseded");
    assert_eq!(gone.superseded_by, united.id);
    assert!(site.records().iter().all(|record| record.id != alone.id));
    assert!(told.changes.iter().any(|change| change.device == alone.id && change.field == "superseded_by"));
}

#[test]
fn two_sensors_on_both_sides_of_a_router_see_one_device() {
    let mut site = Site::new();
    site.hears_from("core", through_router(1..9));
    site.hears_from("ward", [flow("b5@10.0.2.5", "fd@10.9.9.9", Protocol::Http)]);
    let record = site.device("10.0.2.5");
    assert_eq!(record.macs, ["02:00:00:00:00:b5"]);
    assert_eq!(record.sensors, ["core", "ward"]);
}

#[test]
fn dhcp_through_a_relay_names_the_device_behind_the_router() {
    let mut site = Site::new();
    let lease = hearsay("b5@10.0.2.5", Attribute::IpAddress, "10.0.2.5", Protocol::Dhcp);
    let name = hearsay("b5", Attribute::HostName, "pump-5", Protocol::Dhcp);
    site.hears([lease, name]);
    site.hears(through_router(1..9));
    let record = site.device("pump-5");
    assert_eq!(
        (record.macs.as_slice(), record.ips.as_slice()),
        (&["02:00:00:00:00:b5".to_owned()][..], &["10.0.2.5".to_owned()][..])
    );
}

#[test]
fn a_lease_from_yesterdays_spool_does_not_overwrite_todays() {
    let mut site = Site::new();
    site.hears([arp_at(NEW_YEAR + DAY, "a2", "10.0.0.5")]);
    site.hears([arp_at(NEW_YEAR, "a1", "10.0.0.5")]);
    assert_eq!(site.outline(), ["a1", "a2 10.0.0.5"]);
    let told = site.hears([
        flow_at(NEW_YEAR + SECOND, "10.0.0.5", "10.0.0.9", Protocol::Http),
        flow_at(NEW_YEAR + DAY + SECOND, "10.0.0.5", "10.0.0.9", Protocol::Http),
    ]);
    let (first, second) = (site.device("a1").id, site.device("a2").id);
    assert_eq!(*told.flows[0].initiator_device, *first, "each flow has the device that had the address then");
    assert_eq!(*told.flows[1].initiator_device, *second);
}

#[test]
fn an_interface_that_answers_arp_for_many_is_a_router_with_proxy_arp() {
    let mut site = Site::new();
    site.hears((1..100).map(|n| arp("fe", &format!("10.0.3.{n}"))));
    assert_eq!(site.device("fe").device_type, "router");
    assert_eq!(site.outline().len(), 100);
}

#[test]
fn addresses_of_the_link_itself_never_make_a_router() {
    let mut site = Site::new();
    site.hears((1..40).map(|n| flow(&format!("a1@fe80::{n}"), "a2@fe80::ffff", Protocol::Mdns)));
    assert_eq!(site.outline().len(), 2);
}

#[test]
fn a_site_may_name_its_own_public_networks() {
    let own: IpNet = "198.51.100.0/24".parse().expect("a literal");
    let mut site = Site::with(Settings { networks: vec![own], ..Settings::default() });
    site.hears([flow("198.51.100.1", "10.0.0.1", Protocol::Http)]);
    assert_eq!(site.outline(), ["198.51.100.1"]);
}

#[test]
fn arp_makes_a_public_address_the_sites_own() {
    let mut site = Site::new();
    site.hears([arp("a1", "198.51.100.1"), says("a1@198.51.100.1", Attribute::Model, "X1", Protocol::Dicom)]);
    let record = site.device("198.51.100.1");
    assert_eq!((record.macs.len(), record.model.as_str()), (1, "X1"));
}

#[test]
fn an_address_in_two_scopes_is_two_devices() {
    let mut site = Site::new();
    let said = |model| says("10.0.0.7", Attribute::Model, model, Protocol::Dicom);
    site.hears_in("east", [said("X1")]);
    site.hears_in("west", [said("X2")]);
    site.hears([said("X3")]);
    let mut found: Vec<(String, Vec<String>, Vec<String>)> =
        site.records().into_iter().map(|record| (record.model, record.ips, record.scopes)).collect();
    found.sort();
    let at = |scopes: &[&str]| {
        (vec!["10.0.0.7".to_owned()], scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>())
    };
    let expected = [("X1", at(&["east"])), ("X2", at(&["west"])), ("X3", at(&[]))];
    assert_eq!(found, expected.map(|(model, (ips, scopes))| (model.to_owned(), ips, scopes)));
}

/// The same fact from a network within the scope of the sensor.
fn within(network: &str, mut fact: Fact) -> Fact {
    match &mut fact.fact {
        Some(Stated::Flow(flow)) => network.clone_into(&mut flow.network),
        Some(Stated::Observation(said)) => network.clone_into(&mut said.network),
        None => {}
    }
    fact
}

#[test]
fn an_address_in_two_networks_of_one_sensor_is_two_devices_in_one_message() {
    let mut site = Site::new();
    let said = |model| says("10.0.0.7", Attribute::Model, model, Protocol::Dicom);
    let facts = [
        said("X1"),
        within("vxlan-1", said("X2")),
        within("vxlan-2", said("X3")),
        within("vxlan-2", flow("10.0.0.7", "10.0.0.9", Protocol::Dicom)),
    ];
    let told = site.hears_in("campus", facts.clone());
    let mut found: Vec<(String, Vec<String>)> =
        site.records().into_iter().map(|record| (record.model, record.scopes)).collect();
    found.sort();
    let expected =
        [("", "campus/vxlan-2"), ("X1", "campus"), ("X2", "campus/vxlan-1"), ("X3", "campus/vxlan-2")];
    assert_eq!(found, expected.map(|(model, scope)| (model.to_owned(), vec![scope.to_owned()])));
    // The flow is of those in its own network.
    let of = |id: &str| site.records().into_iter().find(|record| record.id == id).map(|record| record.model);
    assert_eq!(of(&told.flows[0].initiator_device).as_deref(), Some("X3"));
    // Without a scope of the sensor's, a network is named by itself.
    let mut site = Site::new();
    site.hears(facts);
    let scopes: BTreeSet<Vec<String>> = site.records().into_iter().map(|record| record.scopes).collect();
    let expected = [vec![], vec!["vxlan-1".to_owned()], vec!["vxlan-2".to_owned()]];
    assert_eq!(scopes, BTreeSet::from(expected));
}

#[test]
fn a_lease_in_one_scope_says_nothing_in_another() {
    let mut site = Site::new();
    site.hears_in("east", [arp("a1", "10.0.0.7")]);
    site.hears_in("west", [flow("10.0.0.7", "10.0.0.8", Protocol::Http)]);
    assert_eq!(site.device("a1").scopes, ["east"]);
    let hidden =
        site.records().into_iter().filter(|record| record.macs.is_empty() && record.ips == ["10.0.0.7"]);
    assert_eq!(hidden.count(), 1);
}

#[test]
fn an_interface_is_one_device_in_whatever_scope_it_is_seen() {
    let mut site = Site::new();
    site.hears_in("east", [arp("a1", "10.0.0.7")]);
    site.hears_in("west", [arp("a1", "10.9.0.7")]);
    let record = site.device("a1");
    assert_eq!(
        (record.ips.len(), record.scopes.as_slice()),
        (2, ["east".to_owned(), "west".to_owned()].as_slice())
    );
}
