//! Messages as RFC 1035, 4.1 lays them out.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::Outcome;
use crate::test_flow::{TestFlow, address};
use proptest::prelude::*;

const QUERY: u16 = 0x0100;
const ANSWER: u16 = 0x8180;
const ANNOUNCEMENT: u16 = 0x8400;

const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> =
        labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

fn question(text: &str, kind: u16) -> Vec<u8> {
    [name(text), kind.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [&name(owner)[..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 120], &length, data].concat()
}

fn message(flags: u16, questions: &[Vec<u8>], answers: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34];
    for field in [flags, questions.len() as u16, answers.len() as u16, 0, 0] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(questions.concat());
    bytes.extend(answers.concat());
    bytes
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

fn flow() -> TestFlow {
    TestFlow::new(&[MULTICAST, OVER_UDP])
}

fn multicast_flow() -> TestFlow {
    flow().with_initiator(address("10.0.0.7", 5353)).with_responder(address("224.0.0.251", 5353))
}

#[test]
fn an_answer_makes_its_sender_a_name_server_and_names_devices_of_the_site() {
    let flow =
        flow().datagram(FromInitiator, &message(QUERY, &[question("pump7.ward.example", A)], &[])).datagram(
            FromResponder,
            &message(
                ANSWER,
                &[question("pump7.ward.example", A)],
                &[record("pump7.ward.example", A, &[10, 0, 0, 7])],
            ),
        );
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.2 role dns-server", "third 10.0.0.7 host_name pump7.ward.example"]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Dns);
}

#[test]
fn a_pointer_record_names_the_address_in_its_own_name() {
    let reverse = "7.0.0.10.in-addr.arpa";
    let answer =
        message(ANSWER, &[question(reverse, PTR)], &[record(reverse, PTR, &name("pump7.ward.example"))]);
    let flow = flow().datagram(FromResponder, &answer);
    assert_eq!(flow.said()[1..], ["third 10.0.0.7 host_name pump7.ward.example"]);
}

#[test]
fn compressed_names_are_followed() {
    let mut answer = message(ANSWER, &[question("pump7.ward.example", A)], &[]);
    answer[7] = 1;
    answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 7]);
    assert_eq!(flow().datagram(FromResponder, &answer).values(Attribute::HostName), ["pump7.ward.example"]);
}

#[test]
fn hosts_on_the_internet_are_not_devices() {
    let answer =
        message(ANSWER, &[question("www.example.com", A)], &[record("www.example.com", A, &[8, 8, 8, 8])]);
    assert_eq!(flow().datagram(FromResponder, &answer).said(), ["sender 192.0.2.2 role dns-server"]);
}

#[test]
fn what_is_asked_is_not_stated() {
    let flow = flow().datagram(FromInitiator, &message(QUERY, &[question("john-doe.example", A)], &[]));
    assert!(flow.said().is_empty());
    assert_eq!(flow.conversation.protocol(), Protocol::Dns);
}

#[test]
fn a_name_that_does_not_exist_is_an_answer_and_a_refusal_is_none() {
    let roles = |code: u16| {
        let answer = message(ANSWER | code, &[question("nobody.example", A)], &[]);
        flow().datagram(FromResponder, &answer).said().len()
    };
    // RFC 1035, 4.1.1: 0 no error, 2 server failure, 3 name error, 4 not implemented, 5 refused.
    assert_eq!([0, 2, 3, 4, 5].map(roles), [1, 0, 1, 0, 0]);
}

#[test]
fn what_only_resembles_dns_is_not_taken_for_it() {
    let good = message(QUERY, &[question("pump7.ward.example", A)], &[]);
    let trailing = [&good[..], &[0]].concat();
    let short = good[..good.len() - 1].to_vec();
    let netbios = message(QUERY, &[question("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0x21)], &[]);
    let empty = message(QUERY, &[], &[]);
    for bytes in [trailing, short, netbios, empty, vec![0; 40], vec![0xFF; 40]] {
        let flow = flow().datagram(FromInitiator, &bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:x?}");
    }
}

#[test]
fn hosts_that_answer_for_themselves_are_no_name_servers() {
    let answer = message(0x8000, &[question("pump7", A)], &[record("pump7", A, &[10, 0, 0, 7])]);
    let flow = flow().with_responder(address("10.0.0.7", link_local::PORT)).datagram(FromResponder, &answer);
    assert!(flow.said().is_empty());
    assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn over_tcp_a_length_stands_before_each_message() {
    let query = framed(&message(QUERY, &[question("pump7.ward.example", A)], &[]));
    let answer = framed(&message(
        ANSWER,
        &[question("pump7.ward.example", A)],
        &[record("pump7.ward.example", A, &[10, 0, 0, 7])],
    ));
    let twice = [&answer[..], &answer].concat();
    for cut in 0..twice.len() {
        let (first, second) = twice.split_at(cut);
        let flow = TestFlow::new(&[OVER_TCP]).ask(&query).answer(first).answer(second);
        assert_eq!(flow.said().len(), 4, "cut at {cut}");
    }
}

#[test]
fn octets_behind_a_query_over_tcp_do_not_end_the_flow() {
    let query = [message(QUERY, &[question("ward.example", 252)], &[]), b"MS".to_vec()].concat();
    let answer =
        message(ANSWER, &[question("ward.example", 252)], &[record("pump7.ward.example", A, &[10, 0, 0, 7])]);
    let flow = TestFlow::new(&[OVER_TCP]).ask(&framed(&query)).answer(&framed(&answer));
    assert_eq!(flow.values(Attribute::HostName), ["pump7.ward.example"]);
}

#[test]
fn a_flow_of_other_messages_is_given_up() {
    let query = framed(&message(QUERY, &[question("ward.example", A)], &[]));
    let flow = TestFlow::new(&[OVER_TCP]).ask(&query).ask(&framed(&[7; 20]).repeat(5));
    assert_eq!(flow.conversation.outcome(), Outcome::Broken("no DNS message behind the length"));
}

#[test]
fn a_device_announces_its_name_and_services_but_not_their_instances() {
    let announcement = message(
        ANNOUNCEMENT,
        &[],
        &[
            record("_ipp._tcp.local", PTR, &name("Jane's Printer._ipp._tcp.local")),
            record("_services._dns-sd._udp.local", PTR, &name("_http._tcp.local")),
            record("_universal._sub._ipp._tcp.local", PTR, &name("Jane's Printer._ipp._tcp.local")),
            record("printer-3.local", A, &[10, 0, 0, 7]),
        ],
    );
    let flow = multicast_flow().datagram(FromInitiator, &announcement);
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.7 host_name printer-3.local",
            "sender 10.0.0.7 service_type _http._tcp",
            "sender 10.0.0.7 service_type _ipp._tcp",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Mdns);
}

#[test]
fn well_known_keys_of_text_records_identify_the_device() {
    let strings = [
        "txtvers=1",
        "ty=Acme Laser 9",
        "product=(Acme Laser 9)",
        "USB_MFG=Acme",
        "note=Ward 3 north",
        "fv=2.4.1",
        "serialNumber=A42",
        "owner=Jane Doe",
    ];
    let text: Vec<u8> =
        strings.iter().flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect();
    let announcement = message(ANNOUNCEMENT, &[], &[record("Jane._ipp._tcp.local", TXT, &text)]);
    let flow = multicast_flow().datagram(FromInitiator, &announcement);
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.7 model Acme Laser 9",
            "sender 10.0.0.7 model Acme Laser 9",
            "sender 10.0.0.7 manufacturer Acme",
            "sender 10.0.0.7 location Ward 3 north",
            "sender 10.0.0.7 firmware_version 2.4.1",
            "sender 10.0.0.7 serial_number A42",
        ]
    );
}

#[test]
fn what_is_announced_for_others_is_not_the_senders() {
    let announcement = message(
        ANNOUNCEMENT,
        &[],
        &[
            record("_ipp._tcp.local", PTR, &name("Jane's Printer._ipp._tcp.local")),
            record("printer-3.local", A, &[10, 0, 0, 99]),
        ],
    );
    assert!(multicast_flow().datagram(FromInitiator, &announcement).said().is_empty());
}

#[test]
fn what_a_query_knows_already_is_not_the_askers() {
    let known = record("_ipp._tcp.local", PTR, &name("Jane's Printer._ipp._tcp.local"));
    let query = message(0, &[question("_ipp._tcp.local", PTR)], &[known]);
    let flow = multicast_flow().datagram(FromInitiator, &query);
    assert!(flow.said().is_empty());
    assert_eq!(flow.conversation.protocol(), Protocol::Mdns);
}

fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(A), Just(PTR), Just(TXT), Just(28), Just(33), any::<u16>()];
    (kind, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(kind, data)| record("x._ipp._tcp.local", kind, &data))
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_a_bounded_number_of_things(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        records in prop::collection::vec(any_record(), 0..20),
        flags in prop_oneof![Just(ANSWER), Just(ANNOUNCEMENT), any::<u16>()],
        cut in any::<prop::sample::Index>(),
    ) {
        let like = message(flags, &[question("pump7.ward.example", A)], &records);
        let mut swapped = like.clone();
        if let Some(byte) = swapped.get_mut(cut.index(like.len())) {
            *byte = 0xC0;
        }
        for bytes in [&bytes, &like, &swapped] {
            let count = flow().datagram(FromResponder, bytes).said().len()
                + multicast_flow().datagram(FromInitiator, bytes).said().len();
            prop_assert!(count <= 1 + 4 * 32);
            let stream = framed(bytes);
            let (first, second) = stream.split_at(cut.index(stream.len()));
            TestFlow::new(&[OVER_TCP]).ask(first).ask(second).answer(second);
        }
    }
}
