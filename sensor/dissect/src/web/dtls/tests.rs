//! Handshakes as RFC 6347 lays them out; the hello is that of JA4's example, with the letters of DTLS.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::super::tls::tests::{self as tls, SELF_SIGNED};
use super::*;
use crate::test_flow::TestFlow;
use crate::{Outcome, UDP};

/// A record of epoch 0, or of another.
fn record(kind: u8, epoch: u8, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u16).to_be_bytes();
    [&[kind, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 0][..], &length, contents].concat()
}

/// Fragments of this size of a message of TLS, type and length included.
fn fragments(message: &[u8], number: u8, size: usize) -> Vec<Vec<u8>> {
    let (header, body) = message.split_at(4);
    let pieces = body.chunks(size).enumerate();
    pieces
        .map(|(place, data)| {
            let three = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
            let place = [three(place * size), three(data.len())].concat();
            record(HANDSHAKE, 0, &[header, &[0, number], &place, data].concat())
        })
        .collect()
}

/// The hello with a cookie of two octets.
fn client_hello() -> Vec<u8> {
    let hello = tls::client_hello("pacs.example");
    let mut body = hello[4..].to_vec();
    body.splice(0..2, [0xFE, 0xFD]);
    body.splice(35..35, [2, 7, 7]);
    [&[CLIENT_HELLO, 0][..], &(body.len() as u16).to_be_bytes(), &body].concat()
}

fn ask(flow: TestFlow, datagrams: &[Vec<u8>]) -> TestFlow {
    datagrams.iter().fold(flow, |flow, datagram| flow.datagram(Direction::FromInitiator, datagram))
}

fn answer(flow: TestFlow, datagrams: &[Vec<u8>]) -> TestFlow {
    datagrams.iter().fold(flow, |flow, datagram| flow.datagram(Direction::FromResponder, datagram))
}

#[test]
fn the_hellos_and_the_certificate_are_read_as_in_tls() {
    let flow = ask(TestFlow::new(UDP), &fragments(&client_hello(), 0, 2000));
    let flow = answer(flow, &fragments(&tls::server_hello([0xFE, 0xFD], None), 0, 2000));
    let flow = answer(flow, &fragments(&tls::certificate(SELF_SIGNED), 1, 300));
    assert_eq!(flow.conversation.protocol(), Protocol::Dtls);
    // The example's offer of versions is of TLS; the hashes are those of the example.
    assert_eq!(
        flow.said().get(..5).unwrap_or_default(),
        [
            "sender 192.0.2.1 role dtls-client",
            "sender 192.0.2.1 tls_ja4 d12d1516h2_8daaf6152771_e5627efa2ab1",
            "peer 192.0.2.2 tls_server_name pacs.example",
            "sender 192.0.2.2 role dtls-server",
            "sender 192.0.2.2 tls_version dtls1.2",
        ]
    );
    assert_eq!(flow.values(Attribute::CertificateSha256).len(), 1);
}

#[test]
fn fragments_come_in_any_order_and_again() {
    let mut pieces = fragments(&client_hello(), 0, 50);
    pieces.reverse();
    let flow = ask(TestFlow::new(UDP), &pieces);
    let flow = ask(flow, &fragments(&client_hello(), 1, 2000));
    assert_eq!(flow.values(Attribute::TlsJa4), ["d12d1516h2_8daaf6152771_e5627efa2ab1"]);
}

#[test]
fn the_first_version_is_not_to_be_chosen_any_more() {
    let hello = fragments(&tls::server_hello([0xFE, 0xFF], None), 0, 2000);
    let flow = answer(TestFlow::new(UDP), &hello);
    assert_eq!(flow.values(Attribute::TlsVersion), ["dtls1.0"]);
    assert_eq!(flow.values(Attribute::WeakProtocol), ["dtls1.0"]);
}

#[test]
fn when_both_sides_encrypt_there_is_nothing_more_to_learn() {
    let encrypted = [record(23, 1, &[9; 40])];
    let flow = answer(ask(TestFlow::new(UDP), &encrypted), &encrypted);
    assert_eq!(flow.conversation.protocol(), Protocol::Dtls);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    assert!(flow.said().is_empty());
}

#[test]
fn a_handshake_behind_messages_of_stun_is_found() {
    // RFC 8489, 5: a binding request without attributes.
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
    let flow = ask(TestFlow::new(&[CANDIDATE]), std::slice::from_ref(&stun))
        .datagram(Direction::FromResponder, &stun);
    assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    assert_eq!(ask(flow, &[client_hello_datagram()]).values(Attribute::Role), ["dtls-client"]);
}

#[test]
fn a_datagram_that_does_not_end_with_a_record_is_something_else() {
    let mut datagram = record(23, 1, &[9; 40]);
    datagram.pop();
    let flow = ask(TestFlow::new(&[CANDIDATE]), &[datagram]);
    assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut broken = fragments(&client_hello(), 0, 2000).concat();
        let place = at.index(broken.len());
        broken[place] = octet;
        let hostile = record(HANDSHAKE, 0, &bytes);
        let flow = ask(TestFlow::new(&[CANDIDATE]), &[client_hello_datagram(), broken, bytes, hostile]);
        prop_assert!(flow.values(Attribute::CertificateSha256).is_empty());
    }
}

fn client_hello_datagram() -> Vec<u8> {
    fragments(&client_hello(), 0, 2000).concat()
}
