//! Messages as RFC 4861, 4, lays them out, from behind their checksum.

use std::net::Ipv6Addr;

use super::*;
use crate::Address;
use crate::Direction::FromInitiator;
use crate::test_flow::{TestFlow, address};
use proptest::prelude::*;

const MAC: [u8; 6] = [0x00, 0x60, 0x97, 0x07, 0x69, 0xea];
const OWN: &str = "fe80::260:97ff:fe07:69ea";

fn ip(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().expect("a literal").octets()
}

fn option(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, (value.len() as u8 + 2) / 8][..], value].concat()
}

fn from(sender: &str, kind: u8, hop_limit: u8, bytes: &[u8]) -> TestFlow {
    let sender = Address { mac: Some(MAC), ..address(sender, 0) };
    TestFlow::new(&[CANDIDATE])
        .with_initiator(sender)
        .with_carrier(Carrier::Icmpv6 { kind, code: 0, hop_limit })
        .datagram(FromInitiator, bytes)
}

fn solicitation(target: &str) -> Vec<u8> {
    [&[0; 4][..], &ip(target), &option(1, &MAC)].concat()
}

fn advertisement(flags: u8, target: &str, options: &[u8]) -> Vec<u8> {
    [&[flags, 0, 0, 0][..], &ip(target), options].concat()
}

#[test]
fn who_looks_for_a_neighbour_tells_where_it_is_and_nothing_of_the_neighbour() {
    let flow = from(OWN, 135, 255, &solicitation("fe80::1"));
    assert_eq!(
        flow.said(),
        ["sender 00:60:97:07:69:ea fe80::260:97ff:fe07:69ea ip_address fe80::260:97ff:fe07:69ea"]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Icmpv6);
}

#[test]
fn an_address_that_is_still_being_tried_is_nobodys() {
    let flow = from("::", 135, 255, &[&[0; 4][..], &ip("fe80::7")].concat());
    assert!(flow.said().is_empty());
    assert_eq!(flow.conversation.protocol(), Protocol::Icmpv6);
}

#[test]
fn a_neighbour_tells_its_other_addresses_and_whether_it_routes() {
    let flow = from(OWN, 136, 255, &advertisement(0xE0, "fd00::7", &option(2, &MAC)));
    assert_eq!(
        flow.said(),
        [
            "sender 00:60:97:07:69:ea fe80::260:97ff:fe07:69ea ip_address fd00::7",
            "sender 00:60:97:07:69:ea fe80::260:97ff:fe07:69ea role router",
        ]
    );
    // Without the option the frame's address is the neighbour's.
    let bare = from(OWN, 136, 255, &advertisement(0x40, "fd00::7", &[]));
    assert_eq!(bare.said().len(), 1);
}

#[test]
fn a_claim_in_anothers_name_is_about_a_third_device() {
    let flow = from(OWN, 136, 255, &advertisement(0xA0, "fd00::1", &option(2, &[2, 0, 0, 0, 0, 1])));
    assert_eq!(
        flow.said(),
        ["third 02:00:00:00:00:01 fd00::1 ip_address fd00::1", "third 02:00:00:00:00:01 fd00::1 role router",]
    );
}

#[test]
fn a_router_advertises_itself_and_the_name_servers_of_the_site() {
    let mut servers = vec![0, 0, 0, 0, 0x0E, 0x10];
    servers.extend(ip("fd00::53"));
    servers.extend(ip("2001:4860:4860::8888"));
    let body = [&[64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0][..], &option(1, &MAC), &option(25, &servers)].concat();
    let flow = from(OWN, 134, 255, &body);
    assert_eq!(
        flow.said(),
        [
            "sender 00:60:97:07:69:ea fe80::260:97ff:fe07:69ea ip_address fe80::260:97ff:fe07:69ea",
            "sender 00:60:97:07:69:ea fe80::260:97ff:fe07:69ea role router",
            "third fd00::53 role dns-server",
        ]
    );
    assert!(from("fd00::1", 134, 255, &body).said().is_empty());
}

#[test]
fn a_redirect_names_a_better_router_unless_it_names_the_neighbour_itself() {
    let to_router =
        [&[0; 4][..], &ip("fe80::2"), &ip("2001:db8::9"), &option(2, &[2, 0, 0, 0, 0, 2])].concat();
    assert_eq!(from(OWN, 137, 255, &to_router).said()[1..], ["third 02:00:00:00:00:02 fe80::2 role router"]);
    let to_neighbour = [&[0; 4][..], &ip("fd00::9"), &ip("fd00::9")].concat();
    assert_eq!(from(OWN, 137, 255, &to_neighbour).values(Attribute::Role), ["router"]);
}

#[test]
fn what_a_router_has_passed_on_is_not_believed() {
    let flow = from(OWN, 135, 254, &solicitation("fe80::1"));
    assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn the_querier_of_a_network_asks_from_its_own_link() {
    let query = [&[0x27, 0x10, 0, 0][..], &ip("::"), &[2, 125, 0, 0]].concat();
    assert_eq!(from(OWN, 130, 1, &query).values(Attribute::Role), ["multicast-querier"]);
    assert!(from("fd00::7", 130, 1, &query).said().is_empty());
    assert!(from(OWN, 130, 64, &query).said().is_empty());
    assert!(from(OWN, 143, 1, &query).said().is_empty());
}

#[test]
fn pings_bad_options_and_short_messages_are_not_read() {
    let no_length = [&solicitation("fe80::1")[..20], &[1, 0, 0, 0, 0, 0, 0, 0]].concat();
    for (kind, bytes) in
        [(128, &[0; 32][..]), (135, &no_length), (136, &[0; 12]), (135, &solicitation("ff02::1"))]
    {
        assert_eq!(from(OWN, kind, 255, bytes).conversation.protocol(), Protocol::Unspecified, "{kind}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), kind in 128_u8..150, hop_limit in prop::sample::select(vec![1_u8, 255])) {
        prop_assert!(from(OWN, kind, hop_limit, &bytes).said().len() <= 2 + 8);
    }
}
