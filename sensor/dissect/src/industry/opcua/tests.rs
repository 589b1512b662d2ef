//! Servers and clients under policy None and under another. Messages are written by the standard; the names in the
//! answer to GetEndpoints are those of a recorded session.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const CANDIDATES: &[Candidate] = &[CANDIDATE];
const NONE: &str = "http://opcfoundation.org/UA/SecurityPolicy#None";
const BASIC256: &str = "http://opcfoundation.org/UA/SecurityPolicy#Basic256";

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&kind[..], &(body.len() as u32 + 8).to_le_bytes(), body].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

const NULL: [u8; 4] = [0xFF; 4];

fn hello() -> Vec<u8> {
    chunk(*b"HELF", &[&[0; 20][..], &string("opc.tcp://plant:4840")].concat())
}

fn acknowledge() -> Vec<u8> {
    chunk(*b"ACKF", &[0; 20])
}

fn open(policy: &str, certificate: &[u8], number: u16) -> Vec<u8> {
    let certificate = if certificate.is_empty() {
        NULL.to_vec()
    } else {
        [&(certificate.len() as u32).to_le_bytes()[..], certificate].concat()
    };
    let [low, high] = number.to_le_bytes();
    let body =
        [&[0, 0, 0, 0][..], &string(policy), &certificate, &NULL, &[1; 8], &[1, 0, low, high], &[0; 30]];
    chunk(*b"OPNF", &body.concat())
}

/// A service's message in chunks of this size.
fn message(number: u16, rest: &[u8], size: usize) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let whole = [&[1, 0, low, high][..], rest].concat();
    let mut pieces = whole.chunks(size).peekable();
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next() {
        let kind = if pieces.peek().is_some() { *b"MSGC" } else { *b"MSGF" };
        bytes.extend(chunk(kind, &[&[7; 16][..], piece].concat()));
    }
    bytes
}

const RESPONSE_HEADER: [u8; 24] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0];

fn request_header() -> Vec<u8> {
    [&[0, 0][..], &[0; 16], &NULL, &[0x10, 0x27, 0, 0], &[0, 0, 0]].concat()
}

fn application(uri: &str, product: &str, name: &str, kind: u8) -> Vec<u8> {
    let name = [&[3][..], &string("en"), &string(name)].concat();
    [&string(uri)[..], &string(product), &name, &[kind, 0, 0, 0], &NULL, &NULL, &NULL].concat()
}

fn endpoint(policy: &str, mode: u8, token: u8) -> Vec<u8> {
    [
        &string("opc.tcp://plant:4840")[..],
        &application(
            "urn:open62541.server.application",
            "http://open62541.org",
            "open62541-based OPC UA Application",
            0,
        ),
        &NULL,
        &[mode, 0, 0, 0],
        &string(policy),
        &[1, 0, 0, 0],
        &string("token"),
        &[token, 0, 0, 0],
        &NULL,
        &NULL,
        &NULL,
        &string("http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"),
        &[1],
    ]
    .concat()
}

fn endpoints(list: &[Vec<u8>]) -> Vec<u8> {
    [&RESPONSE_HEADER[..], &(list.len() as u32).to_le_bytes(), &list.concat()].concat()
}

/// A BuildInfo (OPC 10000-5, 12.4): product's URI, manufacturer, product, version, number and date of the build.
fn build_info() -> Vec<u8> {
    let texts = ["http://acme.example/plant", "Acme Automation", "Acme Plant Server", "2.4.1", "1187"];
    [texts.map(string).concat(), vec![0; 8]].concat()
}

/// A value of an answer: a mask (value and time of the server), a type, the value, the time.
fn value(kind: u8, octets: &[u8]) -> Vec<u8> {
    [&[0x09, kind][..], octets, &[1; 8]].concat()
}

/// An ExtensionObject of this type with a body.
fn structure(kind: u16, body: &[u8]) -> Vec<u8> {
    let [low, high] = kind.to_le_bytes();
    [&[1, 0, low, high, 1][..], &(body.len() as u32).to_le_bytes(), body].concat()
}

/// ReadRequest with this handle for the values of nodes in namespace 0; ReadResponse.
fn read(handle: u32, nodes: &[u16]) -> Vec<u8> {
    let node = |number: &u16| {
        let [low, high] = number.to_le_bytes();
        [&[1, 0, low, high, 13, 0, 0, 0][..], &NULL, &[0, 0], &NULL].concat()
    };
    let mut header = request_header();
    header[10..14].copy_from_slice(&handle.to_le_bytes());
    let nodes_to_read: Vec<u8> = nodes.iter().flat_map(node).collect();
    [&header[..], &[0; 8], &[3, 0, 0, 0], &(nodes.len() as u32).to_le_bytes(), &nodes_to_read].concat()
}

fn answered(handle: u32, values: &[Vec<u8>]) -> Vec<u8> {
    let mut header = RESPONSE_HEADER;
    header[8..12].copy_from_slice(&handle.to_le_bytes());
    [&header[..], &(values.len() as u32).to_le_bytes(), &values.concat(), &NULL].concat()
}

const BUILD: [&str; 4] = [
    "sender 192.0.2.2 opc_ua_product_uri http://acme.example/plant",
    "sender 192.0.2.2 software_vendor Acme Automation",
    "sender 192.0.2.2 software_name Acme Plant Server",
    "sender 192.0.2.2 software_version 2.4.1",
];

#[test]
fn a_server_s_build_is_read_alone_and_within_its_status() {
    let status = [&[2; 20][..], &build_info(), &[0; 5]].concat();
    for (node, kind, body) in [(2260, 340, build_info()), (2256, 864, status)] {
        // Behind it a value of another type: an array of two numbers.
        let values = [value(22, &structure(kind, &body)), value(0x87, &[2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])];
        let flow = flow()
            .ask(&hello())
            .answer(&acknowledge())
            .ask(&message(631, &read(7, &[node, 2255]), 10_000))
            .answer(&message(634, &answered(7, &values), 10_000));
        assert_eq!(flow.said()[2..], BUILD, "{node}");
    }
}

#[test]
fn a_field_of_the_build_is_known_by_the_node_that_was_asked_for() {
    let texts = ["Acme Plant Server", "http://acme.example/plant", "Acme Automation", "2.4.1", "1187"];
    let values = texts.map(|text| value(12, &string(text)));
    let ask = |handle| message(631, &read(handle, &[2261, 2262, 2263, 2264, 2265]), 10_000);
    let flow = || flow().ask(&hello()).answer(&acknowledge()).ask(&ask(7));
    let answer = message(634, &answered(7, &values), 60);
    let mut said = flow().answer(&answer).said()[2..].to_vec();
    said.sort();
    let mut expected = BUILD.map(str::to_owned);
    expected.sort();
    assert_eq!(said, expected);
    // The answer to another question.
    let other = flow().answer(&message(634, &answered(8, &values), 10_000));
    assert_eq!(other.said().len(), 2);
}

#[test]
fn a_server_tells_what_it_is_and_what_it_lets_in() {
    let list = endpoints(&[endpoint(NONE, 1, 0), endpoint(BASIC256, 3, 1)]);
    for size in [10_000, 100] {
        let flow = flow()
            .ask(&hello())
            .answer(&acknowledge())
            .ask(&open(NONE, &[], 446))
            .answer(&open(NONE, &[], 449))
            .answer(&message(431, &list, size));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role opcua-client",
                "sender 192.0.2.2 role opcua-server",
                "sender 192.0.2.2 weak_protocol opcua-none",
                "sender 192.0.2.2 opc_ua_application_uri urn:open62541.server.application",
                "sender 192.0.2.2 opc_ua_product_uri http://open62541.org",
                "sender 192.0.2.2 software_name open62541-based OPC UA Application",
                "sender 192.0.2.2 weak_protocol opcua-none",
                "sender 192.0.2.2 weak_protocol opcua-anonymous",
                "sender 192.0.2.2 weak_protocol opcua-basic256",
            ]
        );
    }
}

fn create_session(application: &[u8]) -> Vec<u8> {
    let rest =
        [&request_header()[..], application, &NULL, &NULL, &string("operator's session"), &NULL, &NULL];
    message(461, &[&rest.concat()[..], &[0; 12]].concat(), 10_000)
}

fn activate(token: &[u8]) -> Vec<u8> {
    message(467, &[&request_header()[..], &NULL, &NULL, &NULL, &NULL, token, &NULL, &NULL].concat(), 10_000)
}

fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    [&[1, 0, low, high, 1][..], &(body.len() as u32).to_le_bytes(), body].concat()
}

#[test]
fn a_client_tells_what_it_is_when_it_begins_a_session() {
    let flow =
        flow().ask(&create_session(&application("urn:acme:scada", "urn:acme:product", "Acme SCADA", 1)));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role opcua-client",
            "sender 192.0.2.1 opc_ua_application_uri urn:acme:scada",
            "sender 192.0.2.1 opc_ua_product_uri urn:acme:product",
            "sender 192.0.2.1 software_name Acme SCADA",
        ]
    );
}

#[test]
fn a_session_without_a_user_is_told_once_it_is_granted() {
    let anonymous = activate(&extension(321, &string("anonymous")));
    let granted = message(470, &RESPONSE_HEADER, 10_000);
    let mut refused_header = RESPONSE_HEADER;
    refused_header[14] = 0x1F;
    refused_header[15] = 0x80;
    let refused = message(470, &refused_header, 10_000);
    let weak = |answer: &[u8]| flow().ask(&anonymous).answer(answer).values(Attribute::WeakProtocol).len();
    assert_eq!((weak(&granted), weak(&refused)), (1, 0));
}

#[test]
fn a_password_in_clear_is_reported_and_not_kept() {
    let token = |algorithm: &[u8]| {
        extension(324, &[&string("policy")[..], &string("operator"), &string("secret"), algorithm].concat())
    };
    let clear = flow().ask(&activate(&token(&NULL)));
    assert_eq!(
        clear.said(),
        ["sender 192.0.2.1 role opcua-client", "peer 192.0.2.2 cleartext_credential opcua-password"]
    );
    let encrypted = flow().ask(&activate(&token(&string("http://www.w3.org/2001/04/xmlenc#rsa-oaep"))));
    assert_eq!(encrypted.values(Attribute::CleartextCredential), [""; 0]);
}

#[test]
fn certificates_are_stated_and_a_protected_channel_is_let_go() {
    let certificate = include_bytes!("../../web/tls/tests/machine.der");
    let flow = flow()
        .ask(&open(BASIC256, certificate, 0))
        .answer(&open(BASIC256, certificate, 0))
        .ask(&chunk(*b"MSGF", &[9; 400]));
    assert_eq!(flow.values(Attribute::CertificateSha256).len(), 2);
    assert_eq!(flow.values(Attribute::WeakProtocol), ["opcua-basic256"]);
    assert_eq!(flow.conversation.outcome(), crate::Outcome::Learned);
}

#[test]
fn bytes_of_others_are_not_for_us() {
    let long = [&b"MSGF"[..], &[0xFF; 8]].concat();
    let text = b"HELP me\r\n and more of it";
    let mail = b"HELO example.org\r\n and then more";
    let other_policy = open("http://example.org/Policy#None------------", &[], 446);
    for bytes in [&long[..], text, mail, b"MSG 1 TRID\r\n", b"ACK", &other_policy] {
        let flow = flow().ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

#[test]
fn a_connection_is_joined_in_the_middle_and_goes_on_behind_a_hole() {
    let list = endpoints(&[endpoint(NONE, 1, 1)]);
    let mut flow = flow().answer(&message(431, &list, 10_000));
    flow.conversation.gap(FromResponder, 1000, &mut flow.statements);
    let flow = flow.answer(&[0; 30]).answer(&message(431, &list, 100));
    assert_eq!(flow.values(Attribute::SoftwareName).len(), 2);
}

#[test]
fn where_messages_are_cut_makes_no_difference() {
    let stream =
        [acknowledge(), open(NONE, &[], 449), message(431, &endpoints(&[endpoint(NONE, 1, 0)]), 90)].concat();
    let whole = flow().answer(&stream).said();
    assert_eq!(whole.len(), 7);
    for size in 1..120 {
        let mut flow = flow();
        stream.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        turns in prop::collection::vec(
            (prop::sample::select(vec![431_u16, 461, 464, 467, 470, 446]), any::<bool>(),
             prop::sample::select(vec![request_header(), RESPONSE_HEADER.to_vec(), endpoints(&[endpoint(NONE, 1, 0)]), vec![]]),
             prop::collection::vec(any::<u8>(), 0..200)),
            0..30),
        cut in 0_usize..300,
    ) {
        let mut flow = flow().ask(&hello());
        for (number, is_answer, begin, noise) in turns {
            let bytes = message(number, &[&begin[..cut.min(begin.len())], &noise].concat(), 150);
            flow.bytes(if is_answer { FromResponder } else { FromInitiator }, &bytes);
        }
        prop_assert!(flow.conversation.held_bytes() == 0);
        prop_assert!(flow.statements.observations.len() < 30 * 10);
    }

    #[test]
    fn random_bytes_are_not_for_us(bytes in prop::collection::vec(any::<u8>(), 4..64)) {
        let is_like = [&b"HEL"[..], b"ACK", b"OPN", b"MSG", b"CLO", b"ERR", b"RHE"].iter().any(|name| bytes.starts_with(name));
        prop_assume!(!is_like);
        prop_assert_eq!(flow().ask(&bytes).conversation.protocol(), Protocol::Unspecified);
    }
}
