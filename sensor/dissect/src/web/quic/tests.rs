//! Initial packets as RFC 9001 protects them: one of its samples, and others made with its keys, which `keys` checks.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::super::tls::tests as tls;
use super::*;
use crate::test_flow::TestFlow;
use crate::{Outcome, UDP};

/// The identifier in the samples of RFC 9001 and RFC 9369.
const IDENTIFIER: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const JA4: &str = "q13d1516h2_8daaf6152771_e5627efa2ab1";

/// RFC 9001, A.3: the server's first packet.
const SAMPLE_OF_SERVER: &str = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c697975\
54780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795\
d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee";

fn octets(digits: &str) -> Vec<u8> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn number_of(version: Version) -> u32 {
    match version {
        Version::Draft29 => 0xFF00_001D,
        Version::One => 1,
        Version::Two => 0x6B33_43CF,
    }
}

/// An Initial packet, the number of which has two octets, to this identifier.
fn initial(version: Version, to: &[u8], keys: &Keys, number: u8, frames: &[u8]) -> Vec<u8> {
    let form = if version == Version::Two { 0xD1 } else { 0xC1 };
    let mut header = vec![form];
    header.extend(number_of(version).to_be_bytes());
    header.push(to.len() as u8);
    header.extend(to);
    // No identifier of the sender, no token.
    header.extend([0, 0]);
    header.extend((0x4000 | (2 + frames.len() + 16) as u16).to_be_bytes());
    let number_at = header.len();
    header.extend([0, number]);
    keys.seal(&header, number_at, frames)
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let number = |number: usize| (0x4000 | number as u16).to_be_bytes();
    [&[6][..], &number(offset), &number(data.len()), data].concat()
}

/// The client's first flight in datagrams: its hello cut after these octets, the second part first, filled up.
fn first_flight(version: Version, identifier: &[u8], cut: usize) -> Vec<Vec<u8>> {
    let secrets = Secrets::of(version, identifier).expect("keys");
    let hello = tls::client_hello("pacs.example");
    let (first, second) = hello.split_at(cut);
    [crypto(cut, second), crypto(0, first)]
        .into_iter()
        .enumerate()
        .map(|(number, mut frames)| {
            frames.resize(1160, 0);
            initial(version, identifier, &secrets.client, number as u8, &frames)
        })
        .collect()
}

fn ask(flow: TestFlow, datagrams: &[Vec<u8>]) -> TestFlow {
    datagrams.iter().fold(flow, |flow, datagram| flow.datagram(Direction::FromInitiator, datagram))
}

#[test]
fn a_hello_in_two_packets_out_of_order_is_read_in_every_version() {
    for version in [Version::Draft29, Version::One, Version::Two] {
        let flow = ask(TestFlow::new(UDP), &first_flight(version, &IDENTIFIER, 100));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role quic-client".to_owned(),
                format!("sender 192.0.2.1 tls_ja4 {JA4}"),
                "peer 192.0.2.2 tls_server_name pacs.example".to_owned(),
            ],
            "{version:?}"
        );
        assert_eq!(flow.conversation.protocol(), Protocol::Quic);
    }
}

#[test]
fn two_packets_in_one_datagram_are_both_read() {
    let datagram = first_flight(Version::One, &IDENTIFIER, 120).concat();
    assert_eq!(ask(TestFlow::new(UDP), &[datagram]).values(Attribute::TlsJa4), [JA4]);
}

#[test]
fn the_servers_packet_of_the_rfc_ends_what_there_is_to_learn() {
    let flow = ask(TestFlow::new(UDP), &first_flight(Version::One, &IDENTIFIER, 100));
    let flow = flow.datagram(Direction::FromResponder, &octets(SAMPLE_OF_SERVER));
    assert_eq!(
        flow.said().get(3..).unwrap_or_default(),
        ["sender 192.0.2.2 role quic-server", "sender 192.0.2.2 tls_version tls1.3"]
    );
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn a_server_may_answer_in_the_other_version() {
    let secrets = Secrets::of(Version::Two, &IDENTIFIER).expect("keys");
    let hello = crypto(0, &tls::server_hello([3, 3], Some([3, 4])));
    let answer = initial(Version::Two, b"", &secrets.server, 0, &hello);
    let flow = ask(TestFlow::new(UDP), &first_flight(Version::One, &IDENTIFIER, 100));
    let flow = flow.datagram(Direction::FromResponder, &answer);
    assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.3"]);
}

#[test]
fn after_a_retry_the_keys_are_made_of_the_new_identifier() {
    let [second, _] = first_flight(Version::One, &IDENTIFIER, 100).try_into().expect("two");
    let retry = [&[0xF0, 0, 0, 0, 1, 0, 4, 9, 9, 9, 9][..], &[5; 30]].concat();
    let flow = ask(TestFlow::new(UDP), &[second]).datagram(Direction::FromResponder, &retry);
    assert!(flow.said().is_empty());
    let flow = ask(flow, &first_flight(Version::One, &[9, 9, 9, 9], 100));
    assert_eq!(flow.values(Attribute::TlsJa4), [JA4]);
}

#[test]
fn a_flow_that_is_joined_later_is_recognised_and_says_nothing() {
    let flow = TestFlow::new(UDP).datagram(Direction::FromResponder, &octets(SAMPLE_OF_SERVER));
    assert_eq!(flow.conversation.protocol(), Protocol::Quic);
    assert!(flow.said().is_empty());
}

#[test]
fn versions_are_agreed_upon_before_a_hello_that_can_be_read() {
    let asked = [&[0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 0, 0][..], &[1; 40]].concat();
    let told = octets("80000000000000000000016b3343cf");
    let flow = ask(TestFlow::new(&[CANDIDATE]), &[asked]).datagram(Direction::FromResponder, &told);
    assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    let flow = ask(flow, &first_flight(Version::One, &IDENTIFIER, 100));
    assert_eq!(flow.values(Attribute::TlsJa4), [JA4]);
}

#[test]
fn a_packet_that_was_changed_does_not_open() {
    let [_, mut first] = first_flight(Version::One, &IDENTIFIER, 120).try_into().expect("two");
    let last = first.len() - 1;
    first[last] ^= 1;
    assert!(ask(TestFlow::new(UDP), &[first]).said().is_empty());
}

#[test]
fn what_ends_elsewhere_than_its_lengths_say_is_something_else() {
    let mut cut = octets(SAMPLE_OF_SERVER);
    cut.pop();
    let longer = [octets(SAMPLE_OF_SERVER), vec![0]].concat();
    for datagram in [cut, longer, octets("c000000001"), octets("40")] {
        let flow = ask(TestFlow::new(&[CANDIDATE]), &[datagram]);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        frames in proptest::collection::vec(any::<u8>(), 20..300),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut broken = first_flight(Version::One, &IDENTIFIER, 100).concat();
        let place = at.index(broken.len());
        broken[place] = octet;
        let secrets = Secrets::of(Version::One, &IDENTIFIER).expect("keys");
        let hostile = initial(Version::One, &IDENTIFIER, &secrets.client, 0, &frames);
        let flow = ask(TestFlow::new(&[CANDIDATE]), &[hostile, broken, bytes]);
        prop_assert!(flow.values(Attribute::TlsJa4).iter().all(|value| *value == JA4));
    }
}
