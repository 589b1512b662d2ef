//! Messages as RFC 8415, 8, 9 and 21, lay them out.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};
use proptest::prelude::*;

const DUID: [u8; 14] = [0, 1, 0, 1, 0x1c, 0x39, 0xcf, 0x88, 8, 0, 0x27, 0xfe, 0x8f, 0x95];
const DUID_TEXT: &str = "000100011c39cf88080027fe8f95";
const SERVER_DUID: [u8; 10] = [0, 3, 0, 1, 8, 0, 0x27, 0xd4, 0x10, 0xbb];

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

fn message(kind: u8, options: &[Vec<u8>]) -> Vec<u8> {
    [&[kind, 0x10, 0x08, 0x74][..], &options.concat()].concat()
}

fn ip(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().expect("a literal").octets()
}

/// An association with one address that is valid for this long.
fn association(address: &str, valid: u32) -> Vec<u8> {
    let address = [&ip(address)[..], &0_u32.to_be_bytes(), &valid.to_be_bytes()].concat();
    option(3, &[&[0; 12][..], &option(5, &address)].concat())
}

fn relayed(kind: u8, hops: u8, peer: &str, message: &[u8], more: &[u8]) -> Vec<u8> {
    [&[kind, hops][..], &ip("fd00::1"), &ip(peer), &option(9, message), more].concat()
}

/// On ports that tell nothing.
fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
        .with_initiator(address("fe80::7", 40_000))
        .with_responder(address("fe80::1", 40_001))
}

fn said(direction: crate::Direction, bytes: &[u8]) -> Vec<String> {
    let flow = flow().datagram(direction, bytes);
    assert_eq!(flow.conversation.protocol(), Protocol::Dhcpv6);
    flow.said()
}

#[test]
fn a_client_tells_its_identifier_its_kind_its_name_and_what_it_asks_for() {
    let class = [&311_u32.to_be_bytes()[..], &[0, 8], b"MSFT 5.0"].concat();
    let solicit = message(
        1,
        &[
            option(1, &DUID),
            option(6, &[0, 17, 0, 23, 0, 24, 1, 0]),
            option(8, &[0, 0]),
            option(16, &class),
            option(39, b"\x00\x06Pump-7\x04ward\x00"),
            option(112, b"https://pumps.example/p7"),
        ],
    );
    assert_eq!(
        said(FromInitiator, &solicit),
        [
            "sender fe80::7 role dhcp-client",
            &format!("sender fe80::7 dhcp_duid {DUID_TEXT}"),
            "sender fe80::7 dhcpv6_option_list 17,23,24,256",
            "sender fe80::7 enterprise_number 311",
            "sender fe80::7 dhcp_vendor_class MSFT 5.0",
            "sender fe80::7 mud_url https://pumps.example/p7",
            "sender fe80::7 host_name pump-7.ward",
        ]
    );
}

#[test]
fn a_reply_binds_the_address_and_names_the_servers() {
    let servers = [ip("fd00::53"), ip("2001:4860:4860::8888")].concat();
    let reply = message(
        7,
        &[option(1, &DUID), option(2, &SERVER_DUID), association("fd00::7", 7200), option(23, &servers)],
    );
    assert_eq!(
        said(FromResponder, &reply),
        [
            "sender fe80::1 role dhcp-server",
            "sender fe80::1 dhcp_duid 00030001080027d410bb",
            "third fd00::53 role dns-server",
            "peer fe80::7 ip_address fd00::7",
        ]
    );
}

#[test]
fn offers_refusals_and_addresses_that_are_taken_back_bind_nothing() {
    let identifiers = [option(1, &DUID), option(2, &SERVER_DUID)].concat();
    for (kind, more) in [
        (2, association("fd00::7", 7200)),
        (7, association("fd00::7", 0)),
        (7, [association("fd00::7", 7200), option(13, &[0, 4])].concat()),
    ] {
        let bytes = message(kind, &[identifiers.clone(), more]);
        assert!(flow().datagram(FromResponder, &bytes).values(Attribute::IpAddress).is_empty());
    }
    // A client that asks has nothing yet; one that renews has it.
    for (kind, count) in [(3, 0), (5, 1), (8, 0), (9, 0)] {
        let bytes = message(kind, &[identifiers.clone(), association("fd00::7", 7200)]);
        let flow = flow().datagram(FromInitiator, &bytes);
        assert_eq!(flow.values(Attribute::IpAddress).len(), count, "{kind}");
    }
}

#[test]
fn behind_a_relay_the_client_is_the_one_that_the_relay_names() {
    let solicit = message(1, &[option(1, &DUID), option(6, &[0, 23])]);
    let mac = option(79, &[0, 1, 8, 0, 0x27, 0xfe, 0x8f, 0x95]);
    let inner = relayed(12, 0, "fe80::99", &solicit, &mac);
    let third = "third 08:00:27:fe:8f:95 fe80::99";
    let expected = [
        "sender fe80::7 role dhcp-relay".to_owned(),
        format!("{third} role dhcp-client"),
        format!("{third} dhcp_duid {DUID_TEXT}"),
        format!("{third} dhcpv6_option_list 23"),
    ];
    assert_eq!(said(FromInitiator, &inner), expected);
    // And behind a second one.
    assert_eq!(said(FromInitiator, &relayed(12, 1, "fd00::1", &inner, &[])), expected);
}

#[test]
fn a_client_whose_address_was_lost_on_the_way_is_known_by_its_identifier() {
    let serial = [&4491_u32.to_be_bytes()[..], &option(4, b"DRG7908-53"), &option(10, b"Cisco")].concat();
    let request = message(3, &[option(17, &serial), option(1, &DUID), option(2, &SERVER_DUID)]);
    let third = format!("third fe80::7 duid={DUID_TEXT}");
    assert_eq!(
        said(FromInitiator, &relayed(12, 1, "fd00::1", &request, &[])),
        [
            "sender fe80::7 role dhcp-relay".to_owned(),
            format!("{third} role dhcp-client"),
            format!("{third} dhcp_duid {DUID_TEXT}"),
            format!("{third} serial_number DRG7908-53"),
            format!("{third} manufacturer Cisco"),
        ]
    );
}

#[test]
fn a_reply_through_a_relay_is_about_the_client_and_says_nothing_of_the_server() {
    let reply = message(7, &[option(1, &DUID), option(2, &SERVER_DUID), association("fd00::7", 7200)]);
    assert_eq!(
        said(FromResponder, &relayed(13, 0, "fe80::99", &reply, &[])),
        ["peer fe80::7 role dhcp-relay", "third fe80::99 ip_address fd00::7"]
    );
}

#[test]
fn without_an_identifier_it_is_believed_on_its_port_only() {
    let bytes = message(11, &[option(6, &[0, 23]), option(8, &[0, 0])]);
    assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
    let flow = flow().with_initiator(address("fe80::7", 546)).datagram(FromInitiator, &bytes);
    assert_eq!(flow.values(Attribute::Dhcpv6OptionList), ["23"]);
}

#[test]
fn what_does_not_fill_the_datagram_or_has_no_valid_identifier_is_something_else() {
    let whole = message(1, &[option(1, &DUID)]);
    let longer = [&whole[..], &[0]].concat();
    let with_server = message(1, &[option(1, &DUID), option(2, &SERVER_DUID)]);
    let no_hardware = message(1, &[option(1, &[0, 1, 0, 1, 1])]);
    for bytes in [
        longer,
        whole[..10].to_vec(),
        with_server,
        no_hardware,
        message(14, &[option(1, &DUID)]),
        message(1, &[]),
    ] {
        assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
    }
}

#[test]
fn relays_without_end_are_left() {
    let mut bytes = message(1, &[option(1, &DUID)]);
    for hops in 0..12 {
        bytes = relayed(12, hops, "fe80::99", &bytes, &[]);
    }
    assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_a_bounded_number_of_things(
        bytes in any::<Vec<u8>>(),
        kind in 0_u8..15,
        options in prop::collection::vec((0_u16..120, prop::collection::vec(any::<u8>(), 0..40)), 0..12),
        cut in 0_usize..400,
    ) {
        let mut all = vec![option(1, &DUID)];
        all.extend(options.iter().map(|(code, value)| option(*code, value)));
        let like = message(kind, &all);
        let relayed = relayed(12, 0, "fe80::9", &like, &[]);
        for bytes in [bytes.as_slice(), &like[..cut.min(like.len())], &like, &relayed] {
            let flow = flow().with_initiator(address("fe80::7", 546)).datagram(FromInitiator, bytes);
            prop_assert!(flow.said().len() <= 16 + 10 * all.len());
        }
    }
}
