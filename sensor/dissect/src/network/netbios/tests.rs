//! Names that are claimed, told and announced, in messages written by the standards.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};

const CANDIDATES: &[Candidate] = &[NAME_SERVICE, DATAGRAM_SERVICE];

/// From 10.0.0.7.
fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
        .with_initiator(address("10.0.0.7", 137))
        .with_responder(address("10.0.0.255", 137))
}

fn padded(name: &str, suffix: u8) -> Vec<u8> {
    [format!("{name:<15}").as_bytes(), &[suffix]].concat()
}

fn encoded(name: &str, suffix: u8) -> Vec<u8> {
    let letters =
        padded(name, suffix).into_iter().flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
    [vec![32], letters.collect(), vec![0]].concat()
}

fn header(flags: u16, counts: [u8; 4]) -> Vec<u8> {
    let counts = counts.into_iter().flat_map(|count| [0, count]);
    [&[0x12, 0x34][..], &flags.to_be_bytes()].concat().into_iter().chain(counts).collect()
}

fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8][..], data].concat()
}

fn registration(name: &str, suffix: u8, flags: u8, ip: [u8; 4]) -> Vec<u8> {
    let question = [&encoded(name, suffix)[..], &[0, 0x20, 0, 1, 0xC0, 12]].concat();
    [header(0x2910, [1, 0, 0, 1]), question, record(0x20, &[&[flags, 0][..], &ip].concat())].concat()
}

fn answer(flags: u16, name: &str, suffix: u8, ip: [u8; 4]) -> Vec<u8> {
    [header(flags, [0, 1, 0, 0]), encoded(name, suffix), record(0x20, &[&[0, 0][..], &ip].concat())].concat()
}

fn status(names: &[(&str, u8, u16)]) -> Vec<u8> {
    let entries = names
        .iter()
        .flat_map(|(name, suffix, flags)| [&padded(name, *suffix)[..], &flags.to_be_bytes()].concat());
    let unit: &[u8] = &[0, 9, 0xFB, 1, 2, 3];
    let data = [vec![names.len() as u8], entries.collect(), unit.to_vec(), vec![0; 40]].concat();
    [header(0x8400, [0, 1, 0, 0]), encoded("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0), record(0x21, &data)].concat()
}

fn datagram(source: [u8; 4], from: &[u8], to: &[u8], data: &[u8]) -> Vec<u8> {
    let rest = [from, to, data].concat();
    [&[0x11, 0x0E, 0, 1][..], &source, &[0, 138], &(rest.len() as u16).to_be_bytes(), &[0, 0], &rest].concat()
}

/// A transaction of SMB that writes into the browsers' mailslot.
fn mailslot(message: &[u8]) -> Vec<u8> {
    let name = b"\\MAILSLOT\\BROWSE\0";
    let smb = [&b"\xFFSMB\x25"[..], &[0; 27]].concat();
    let count = (message.len() as u16).to_le_bytes();
    let offset = (32 + 1 + 34 + 2 + name.len() as u16).to_le_bytes();
    let words = [&[0, 0][..], &count, &[0; 14], &[0; 4], &count, &offset, &[3, 0, 1, 0, 0, 0, 2, 0]].concat();
    [&smb[..], &[17], &words, &[0, 0], name, message].concat()
}

fn announcement(kind: u8, name: &str, types: u32) -> Vec<u8> {
    let name: Vec<u8> = name.bytes().chain(std::iter::repeat(0)).take(16).collect();
    [&[kind, 3][..], &[0, 0, 0, 0], &name, &[6, 1], &types.to_le_bytes(), &[15, 1, 0x55, 0xAA], b"Dr Doe's\0"]
        .concat()
}

#[test]
fn a_host_registers_its_name_and_its_group() {
    let own = [10, 0, 0, 7];
    let flow = flow()
        .datagram(FromInitiator, &registration("PACS-01", 0x00, 0x60, own))
        .datagram(FromInitiator, &registration("PACS-01", 0x20, 0x60, own))
        .datagram(FromInitiator, &registration("RADIOLOGY", 0x00, 0xE0, own))
        .datagram(FromInitiator, &registration("JDOE", 0x03, 0x60, own));
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.7 host_name pacs-01",
            "sender 10.0.0.7 host_name pacs-01",
            "sender 10.0.0.7 domain RADIOLOGY"
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::NetbiosNs);
}

#[test]
fn a_name_for_another_address_is_not_the_senders() {
    let flow = flow().datagram(FromInitiator, &registration("PACS-01", 0x00, 0x60, [10, 0, 0, 8]));
    assert!(flow.said().is_empty());
}

#[test]
fn an_owner_answers_for_itself_and_a_server_for_others() {
    let answered = |flags, ip| flow().datagram(FromInitiator, &answer(flags, "PACS-01", 0, ip)).said();
    assert_eq!(answered(0x8500, [10, 0, 0, 7]), ["sender 10.0.0.7 host_name pacs-01"]);
    assert_eq!(
        answered(0x8580, [10, 0, 0, 9]),
        ["sender 10.0.0.7 role wins-server", "third 10.0.0.9 host_name pacs-01"]
    );
    // Somebody answers for another and is no server.
    assert!(answered(0x8500, [10, 0, 0, 9]).is_empty());
}

#[test]
fn a_host_tells_all_its_names_but_those_of_users() {
    let names = [
        ("PACS-01", 0x00, 0x0400),
        ("RADIOLOGY", 0x00, 0x8400),
        ("JDOE", 0x03, 0x0400),
        ("OLD", 0x00, 0x0C00 & !0x0400),
        ("RADIOLOGY", 0x1C, 0x8400),
        ("INet~Services", 0x1C, 0x8400),
        ("\x01\x02__MSBROWSE__\x02", 0x01, 0x8400),
    ];
    assert_eq!(
        flow().datagram(FromInitiator, &status(&names)).said(),
        [
            "sender 10.0.0.7 host_name pacs-01",
            "sender 10.0.0.7 domain RADIOLOGY",
            "sender 10.0.0.7 domain RADIOLOGY",
            "sender 10.0.0.7 role domain-controller",
            "sender 10.0.0.7 role master-browser",
            "sender 10.0.0.7 mac_address 00:09:fb:01:02:03",
        ]
    );
}

#[test]
fn octets_behind_a_status_do_not_matter() {
    let longer = [status(&[("PACS-01", 0x00, 0x0400)]), vec![0; 18]].concat();
    assert_eq!(flow().datagram(FromInitiator, &longer).values(Attribute::HostName), ["pacs-01"]);
}

#[test]
fn a_name_may_fill_all_sixteen_octets_of_an_announcement() {
    let announced = mailslot(&announcement(1, "RADIOLOGY-PACS-1", 0x1000));
    let sent = datagram([10, 0, 0, 7], &encoded("RADIOLOGY-PACS-", 0), &encoded("WARD", 0x1D), &announced);
    assert_eq!(flow().datagram(FromInitiator, &sent).values(Attribute::HostName), ["radiology-pacs-1"]);
}

#[test]
fn who_is_asked_for_need_not_exist() {
    let query = [header(0x0110, [1, 0, 0, 0]), encoded("PACS-01", 0), vec![0, 0x20, 0, 1]].concat();
    let flow = flow().datagram(FromInitiator, &query);
    assert_eq!(flow.conversation.protocol(), Protocol::NetbiosNs);
    assert!(flow.said().is_empty());
}

#[test]
fn an_announcement_tells_host_domain_system_and_roles_and_never_the_comment() {
    let announced = mailslot(&announcement(1, "PACS-01", 0x0004_1207));
    let sent = datagram([10, 0, 0, 7], &encoded("PACS-01", 0), &encoded("RADIOLOGY", 0x1D), &announced);
    let flow = flow().datagram(FromInitiator, &sent);
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.7 host_name pacs-01",
            "sender 10.0.0.7 host_name pacs-01",
            "sender 10.0.0.7 domain RADIOLOGY",
            "sender 10.0.0.7 operating_system Windows",
            "sender 10.0.0.7 operating_system_version 6.1",
            "sender 10.0.0.7 role sql-server",
            "sender 10.0.0.7 role print-server",
            "sender 10.0.0.7 role master-browser",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::NetbiosDgm);
}

#[test]
fn a_server_on_unix_is_no_windows() {
    let announced = mailslot(&announcement(15, "NAS-01", 0x0000_1802));
    let sent = datagram([10, 0, 0, 7], &encoded("NAS-01", 0), &encoded("WARD", 0x1E), &announced);
    assert!(flow().datagram(FromInitiator, &sent).values(Attribute::OperatingSystem).is_empty());
}

#[test]
fn what_a_relay_sends_is_about_the_source_in_it() {
    let sent = datagram([10, 0, 0, 9], &encoded("PACS-01", 0x20), &encoded("WARD", 0x1E), b"");
    assert_eq!(flow().datagram(FromInitiator, &sent).said(), ["third 10.0.0.9 host_name pacs-01"]);
}

#[test]
fn a_domain_is_announced_by_its_master_browser() {
    let announced = mailslot(&announcement(12, "RADIOLOGY", 0x8000_1000));
    let sent = datagram([10, 0, 0, 7], &encoded("PACS-01", 0), &encoded("X", 1), &announced);
    let flow = flow().datagram(FromInitiator, &sent);
    assert_eq!(flow.values(Attribute::Domain), ["RADIOLOGY"]);
    assert_eq!(flow.values(Attribute::Role), ["master-browser"]);
}

#[test]
fn what_is_cut_is_neither() {
    let sent = datagram([10, 0, 0, 7], &encoded("PACS-01", 0), &encoded("WARD", 0x1D), b"data");
    for whole in [sent, registration("PACS-01", 0, 0x60, [10, 0, 0, 7]), status(&[("PACS-01", 0, 0x0400)])] {
        for length in 0..whole.len() {
            let cut = whole.get(..length).unwrap_or_default();
            assert_eq!(flow().datagram(FromInitiator, cut).conversation.protocol(), Protocol::Unspecified);
        }
    }
}

proptest! {
    #[test]
    fn mutated_messages_neither_panic_nor_name_users(
        which in 0_usize..3, at in any::<prop::sample::Index>(), octet in any::<u8>(),
    ) {
        let announced = mailslot(&announcement(1, "PACS-01", 0x0004_1207));
        let mut messages = [
            registration("JDOE", 0x03, 0x60, [10, 0, 0, 7]),
            datagram([10, 0, 0, 7], &encoded("PACS-01", 0), &encoded("RADIOLOGY", 0x1D), &announced),
            status(&[("PACS-01", 0x00, 0x0400), ("RADIOLOGY", 0x1C, 0x8400)]),
        ];
        let whole = messages[which].clone();
        let bytes = &mut messages[which];
        let at = at.index(bytes.len());
        // The suffix of the user's name stays.
        if which > 0 || !(43..45).contains(&at) {
            bytes[at] = octet;
        }
        let flow = flow().datagram(FromInitiator, &whole).datagram(FromResponder, bytes);
        let said = format!("{:?}", flow.statements);
        prop_assert!(!said.contains("jdoe") && !said.contains("Doe's"), "{said}");
    }

    #[test]
    fn arbitrary_octets_are_neither(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(flow().datagram(FromInitiator, &octets).conversation.protocol(), Protocol::Unspecified);
    }
}
