//! Messages in datagrams and in streams.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction::FromInitiator;
use crate::test_flow::{TestFlow, address};

const UDP: &[Candidate] = &[OVER_UDP];
const TCP: &[Candidate] = &[OVER_TCP];

const OLD: &str = "<34>Oct 11 22:14:15 Pump-7 sshd[42]: failed for jdoe";
const NEW: &str =
    "<165>1 2003-10-11T22:14:15.003Z pump-7.ward.example evntslog - ID47 [a@1 user=\"jdoe\"] jdoe";

fn said(datagrams: &[&str]) -> Vec<String> {
    let flow = TestFlow::new(UDP);
    datagrams.iter().fold(flow, |flow, text| flow.datagram(FromInitiator, text.as_bytes())).said()
}

#[test]
fn host_and_application_are_told_and_no_message() {
    assert_eq!(
        said(&[OLD]),
        [
            "sender 192.0.2.1 role syslog-sender",
            "sender 192.0.2.1 host_name pump-7",
            "sender 192.0.2.1 software_name sshd",
        ]
    );
    assert_eq!(
        said(&[NEW]),
        [
            "sender 192.0.2.1 role syslog-sender",
            "sender 192.0.2.1 host_name pump-7.ward.example",
            "sender 192.0.2.1 software_name evntslog",
        ]
    );
}

#[test]
fn who_speaks_for_a_second_host_or_another_address_is_a_relay() {
    let other = "<34>Oct 11 22:14:16 pump-8 sshd[42]: x";
    let lines = said(&[OLD, other, OLD]);
    assert_eq!(lines.iter().filter(|line| line.contains("host_name")).count(), 1);
    assert!(lines.contains(&"sender 192.0.2.1 role syslog-relay".to_owned()));
    let addressed = said(&["<34>Oct 11 22:14:16 10.9.9.9 sshd: x"]);
    assert_eq!(addressed, ["sender 192.0.2.1 role syslog-sender", "sender 192.0.2.1 role syslog-relay"]);
    assert_eq!(
        said(&["<34>Oct 11 22:14:16 192.0.2.1 sshd: x"]).last().map(String::as_str),
        Some("sender 192.0.2.1 software_name sshd")
    );
}

#[test]
fn who_logs_by_hand_does_so_under_the_name_of_the_user() {
    for text in
        ["<13>Oct 11 22:14:15 pump-7 jdoe: hello", "<13>1 2003-10-11T22:14:15.003Z pump-7 jdoe - - - hello"]
    {
        assert_eq!(said(&[text]).len(), 2, "{text}");
    }
}

#[test]
fn a_priority_and_text_are_enough_on_the_port_or_where_there_is_nothing_but_text() {
    // As a firewall and a switch write it, with and without what ends a string.
    for text in [&b"<166>%PIX-6-305011: Built"[..], b"<189>72: Mar  3 19:57:17.371: %LINK-5-CHANGED: up\n\0"]
    {
        let elsewhere = TestFlow::new(UDP).datagram(FromInitiator, text).said();
        assert_eq!(elsewhere.first().map(String::as_str), Some("sender 192.0.2.1 role syslog-sender"));
        assert!(
            elsewhere.get(1).is_some_and(|line| line.contains(" operating_system Cisco ")),
            "{elsewhere:?}"
        );
    }
    for other in [&b"<166>%PIX"[..], b"<166>%PIX-6-305011: \x01Built", b"<166>%PIX-6-305011: \xFF"] {
        let elsewhere = TestFlow::new(UDP).datagram(FromInitiator, other);
        assert_eq!(elsewhere.conversation.protocol(), Protocol::Unspecified, "{other:?}");
    }
    let short = b"<166>%PIX";
    let on_port = TestFlow::new(UDP).with_responder(address("192.0.2.2", 514)).datagram(FromInitiator, short);
    assert_eq!(on_port.said(), ["sender 192.0.2.1 role syslog-sender"]);
}

#[test]
fn streams_are_read_in_both_framings_wherever_they_are_cut() {
    let counted = format!("{} {NEW}{} {NEW}", NEW.len(), NEW.len());
    let lines = format!("{OLD}\n{OLD}\n");
    for stream in [counted, lines] {
        let whole = TestFlow::new(TCP).ask(stream.as_bytes());
        assert_eq!(whole.conversation.protocol(), Protocol::Syslog);
        assert_eq!(whole.values(Attribute::HostName).len(), 2, "{stream}");
        assert_eq!(whole.values(Attribute::Role).first(), Some(&"syslog-server"));
        for size in [1, 7, 50] {
            let cut = stream.as_bytes().chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
            assert_eq!(cut.said(), whole.said());
        }
    }
}

#[test]
fn behind_a_hole_a_message_begins_at_a_line() {
    let mut flow = TestFlow::new(TCP).ask(format!("{OLD}\n<34>Oct").as_bytes());
    flow.conversation.gap(FromInitiator, 100, &mut flow.statements);
    let flow = flow.ask(format!("est of it\n{OLD}\n").as_bytes());
    assert_eq!(flow.values(Attribute::HostName).len(), 2);
}

#[test]
fn other_streams_that_begin_with_numbers_or_brackets_are_not_this_protocol() {
    for other in [
        "220 ftp.example ready\r\n",
        "<?xml version=\"1.0\"?><a>12345678901234567890123456789</a>",
        "1234567890",
    ] {
        let flow = TestFlow::new(TCP).ask(other.as_bytes());
        assert!(flow.said().is_empty() && flow.conversation.protocol() == Protocol::Unspecified, "{other}");
    }
}

proptest! {
    #[test]
    fn arbitrary_octets_do_not_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(TestFlow::new(UDP).datagram(FromInitiator, &octets).said().is_empty());
        TestFlow::new(TCP).ask(format!("{OLD}\n").as_bytes()).ask(&octets);
    }

    #[test]
    fn mutated_messages_never_tell_the_user(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        for text in [OLD, NEW] {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = TestFlow::new(UDP).datagram(FromInitiator, text.as_bytes()).datagram(FromInitiator, &bytes);
            let said = format!("{:?}", flow.statements);
            prop_assert!(!said.contains("jdoe"), "{said}");
        }
    }
}
