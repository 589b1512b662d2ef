//! Handshakes as RFC 5246 and RFC 8446 lay them out. The certificates in `tests/` were made with openssl, and so were
//! the fingerprints, names and dates that are expected of them.

use super::*;
use crate::test_flow::TestFlow;
use crate::{Interest, Outcome};
use proptest::prelude::*;

mod long_messages;
mod upgrade;

pub(crate) const SELF_SIGNED: &[u8] = include_bytes!("tests/self_signed.der");
const PERSON: &[u8] = include_bytes!("tests/person.der");
const MACHINE: &[u8] = include_bytes!("tests/machine.der");
const TELETEX: &[u8] = include_bytes!("tests/teletex.der");
const WITHOUT_COMMON_NAME: &[u8] = include_bytes!("tests/without_common_name.der");

fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
}

fn two(length: usize) -> [u8; 2] {
    (length as u16).to_be_bytes()
}

fn three(length: usize) -> Vec<u8> {
    (length as u32).to_be_bytes()[1..].to_vec()
}

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1], &two(fragment.len())[..], fragment].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &three(body.len()), body].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &two(data.len()), data].concat()
}

fn counted(values: &[u16]) -> Vec<u8> {
    let octets: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    [&two(octets.len())[..], &octets].concat()
}

/// The hello of the JA4 specification's example: Chrome, for this host.
pub(crate) fn client_hello(host: &str) -> Vec<u8> {
    let name = [&[0][..], &two(host.len()), host.as_bytes()].concat();
    let name = [&two(name.len())[..], &name].concat();
    let algorithms = counted(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]);
    let versions = [6, 0x6A, 0x6A, 3, 4, 3, 3];
    let protocols = b"\x00\x0c\x02h2\x08http/1.1";
    let extensions: Vec<u8> = [
        0x8A8A, 0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023, 0x0012,
        0x002B, 0xFF01, 0x000B, 0x000A, 0x0015, 0xBABA,
    ]
    .into_iter()
    .flat_map(|kind| match kind {
        0x0000 => extension(kind, &name),
        0x000D => extension(kind, &algorithms),
        0x0010 => extension(kind, protocols),
        0x002B => extension(kind, &versions),
        _ => extension(kind, &[]),
    })
    .collect();
    let ciphers = counted(&[
        0x2A2A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014,
        0x009C, 0x009D, 0x002F, 0x0035,
    ]);
    let body = [&[3, 3][..], &[7; 32], &[0], &ciphers, &[1, 0], &two(extensions.len()), &extensions].concat();
    handshake(CLIENT_HELLO, &body)
}

/// A server's choice: the version in the hello, and that in the extension if any.
pub(crate) fn server_hello(version: [u8; 2], selected: Option<[u8; 2]>) -> Vec<u8> {
    let extensions = selected.map(|version| extension(43, &version)).unwrap_or_default();
    let body = [&version[..], &[9; 32], &[0, 0xC0, 0x2F, 0], &two(extensions.len()), &extensions].concat();
    handshake(SERVER_HELLO, &body)
}

pub(crate) fn certificate(der: &[u8]) -> Vec<u8> {
    let entry = [&three(der.len())[..], der].concat();
    handshake(CERTIFICATE, &[&three(entry.len())[..], &entry].concat())
}

pub(crate) const JA4: &str = "t13d1516h2_8daaf6152771_e5627efa2ab1";

#[test]
fn a_client_shows_its_fingerprint_and_names_the_server() {
    let flow = flow().ask(&record(HANDSHAKE, &client_hello("pacs.example")));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role tls-client".to_owned(),
            format!("sender 192.0.2.1 tls_ja4 {JA4}"),
            "peer 192.0.2.2 tls_server_name pacs.example".to_owned(),
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Tls);
}

#[test]
fn an_address_is_no_server_name() {
    let flow = flow().ask(&record(HANDSHAKE, &client_hello("192.0.2.2")));
    assert!(flow.values(Attribute::TlsServerName).is_empty());
}

#[test]
fn after_the_hellos_of_tls_1_3_all_is_encrypted() {
    let flow = flow()
        .ask(&record(HANDSHAKE, &client_hello("pacs.example")))
        .answer(&record(HANDSHAKE, &server_hello([3, 3], Some([3, 4]))));
    assert_eq!(flow.said()[3..], ["sender 192.0.2.2 role tls-server", "sender 192.0.2.2 tls_version tls1.3"]);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn versions_are_named_by_what_the_server_chose() {
    for (version, selected, name) in [
        ([3, 0], None, "ssl3"),
        ([3, 1], None, "tls1.0"),
        ([3, 2], None, "tls1.1"),
        ([3, 3], None, "tls1.2"),
        ([3, 3], Some([0x7F, 0x1C]), "tls1.3"),
    ] {
        let flow = flow().answer(&record(HANDSHAKE, &server_hello(version, selected)));
        assert_eq!(flow.values(Attribute::TlsVersion), [name]);
    }
}

#[test]
fn versions_that_are_forbidden_are_told_when_the_server_chose_them() {
    for (version, weak) in
        [([3, 0], Some("ssl3")), ([3, 1], Some("tls1.0")), ([3, 2], Some("tls1.1")), ([3, 3], None)]
    {
        // The client offers TLS 1.2 at most in all of them, and is not the one who is told of.
        let flow = flow().answer(&record(HANDSHAKE, &server_hello(version, None)));
        assert_eq!(flow.values(Attribute::WeakProtocol), weak.as_slice());
    }
}

#[test]
fn a_certificate_has_expired_by_the_clock_of_the_capture() {
    let (_, read) = x509_parser::parse_x509_certificate(SELF_SIGNED).expect("a certificate");
    let end = u64::try_from(read.validity().not_after.timestamp()).expect("after 1970") * 1_000_000_000;
    for (at, is_expired) in [(end, false), (end + 1, true)] {
        let mut statements = crate::Statements::default();
        let end = crate::Address::default();
        let input = Input {
            direction: Direction::FromResponder,
            sender: end,
            receiver: end,
            at,
            flow: 1,
            carrier: crate::Carrier::default(),
            bytes: &[],
        };
        let mut facts = Facts::new(&mut statements, Protocol::Tls, &input);
        certificate::state(SELF_SIGNED, Owner::Server, &mut facts);
        let told = statements.observations.iter();
        let expired = told.filter(|told| told.attribute() == Attribute::CertificateExpired).count();
        assert_eq!(expired == 1, is_expired);
    }
}

#[test]
fn up_to_tls_1_2_the_servers_certificate_is_in_clear() {
    let flow = flow().answer(&record(
        HANDSHAKE,
        &[server_hello([3, 3], None), certificate(SELF_SIGNED), handshake(SERVER_HELLO_DONE, &[])].concat(),
    ));
    assert_eq!(
        flow.said()[2..],
        [
            "sender 192.0.2.2 certificate_sha256 55407053 4f8b1d5c 3d8150e3 7085ed08 098f3cf9 5d3f0a08 fcf6750c b8d89312",
            "sender 192.0.2.2 certificate_subject *.pumps.example",
            "sender 192.0.2.2 certificate_issuer *.pumps.example",
            "sender 192.0.2.2 certificate_not_before 2026-11-21",
            "sender 192.0.2.2 certificate_not_after 2036-11-18",
            "sender 192.0.2.2 certificate_self_signed true",
        ]
        .map(|line| match line.split_once("sha256 ") {
            Some((whose, digits)) => format!("{whose}sha256 {}", digits.replace(' ', "")),
            None => line.to_owned(),
        })
    );
}

#[test]
fn a_servers_name_is_read_in_old_strings_and_from_alternative_names() {
    for (der, subject) in [(TELETEX, "*.ward.example"), (WITHOUT_COMMON_NAME, "pump7.ward.example")] {
        let hello = [server_hello([3, 3], None), certificate(der)].concat();
        let flow = flow().answer(&record(HANDSHAKE, &hello));
        assert_eq!(flow.values(Attribute::CertificateSubject), [subject]);
    }
}

/// What a client with this certificate shows, without the fingerprint.
fn shown_by_client(der: &[u8]) -> Vec<String> {
    let flow = flow()
        .ask(&record(HANDSHAKE, &client_hello("pacs.example")))
        .answer(&record(HANDSHAKE, &[server_hello([3, 3], None), handshake(SERVER_HELLO_DONE, &[])].concat()))
        .ask(&record(HANDSHAKE, &[certificate(der), handshake(CLIENT_KEY_EXCHANGE, &[1])].concat()));
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    assert_eq!(flow.values(Attribute::CertificateSha256).len(), 1);
    flow.said()
        .into_iter()
        .filter(|line| line.contains(" certificate_") && !line.contains("sha256"))
        .collect()
}

#[test]
fn a_machines_certificate_shows_its_name() {
    assert_eq!(
        shown_by_client(MACHINE),
        [
            "sender 192.0.2.1 certificate_subject Infusion Gateway 7",
            "sender 192.0.2.1 certificate_issuer Ward Device CA",
            "sender 192.0.2.1 certificate_not_before 2026-11-21",
            "sender 192.0.2.1 certificate_not_after 2027-11-21",
        ]
    );
}

#[test]
fn a_persons_certificate_does_not_show_the_name() {
    assert_eq!(
        shown_by_client(PERSON),
        [
            "sender 192.0.2.1 certificate_issuer Ward Device CA",
            "sender 192.0.2.1 certificate_not_before 2026-11-21",
            "sender 192.0.2.1 certificate_not_after 2027-11-21",
        ]
    );
}

#[test]
fn a_second_hello_after_a_retry_request_does_not_count() {
    let flow = flow()
        .ask(&record(HANDSHAKE, &client_hello("pacs.example")))
        .ask(&record(HANDSHAKE, &client_hello("pacs.example")));
    assert_eq!(flow.values(Attribute::TlsJa4), [JA4]);
}

#[test]
fn both_sides_are_let_go_when_they_encrypt() {
    let flow = flow()
        .ask(&record(HANDSHAKE, &client_hello("pacs.example")))
        .answer(&record(HANDSHAKE, &server_hello([3, 3], None)))
        .answer(&record(CHANGE_CIPHER_SPEC, &[1]));
    assert_eq!(flow.conversation.outcome(), Outcome::Going);
    assert_eq!(flow.ask(&record(CHANGE_CIPHER_SPEC, &[1])).conversation.outcome(), Outcome::Learned);
}

#[test]
fn a_hole_ends_one_side_and_the_other_goes_on() {
    let mut flow = flow().ask(&record(HANDSHAKE, &client_hello("pacs.example")));
    assert_eq!(flow.conversation.gap(Direction::FromInitiator, 10, &mut flow.statements), Interest::Keep);
    flow.bytes(Direction::FromInitiator, b"the middle of a record");
    flow.bytes(Direction::FromResponder, &record(HANDSHAKE, &server_hello([3, 3], None)));
    assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.2"]);
    assert_eq!(flow.conversation.gap(Direction::FromResponder, 10, &mut flow.statements), Interest::Lost);
}

#[test]
fn a_flow_that_is_joined_later_is_known_by_records_that_lie_end_to_end() {
    let two_records = [record(APPLICATION_DATA, &[0; 40]), record(APPLICATION_DATA, &[0; 10])].concat();
    let protocol = |bytes: &[u8]| flow().ask(bytes).conversation.protocol();
    assert_eq!(protocol(&two_records[..50]), Protocol::Tls);
    assert_eq!(protocol(&two_records[..45]), Protocol::Tls);
    assert_eq!(protocol(&two_records[..44]), Protocol::Unspecified);
    assert_eq!(protocol(&two_records[..48]), Protocol::Unspecified);
    assert_eq!(protocol(&[&two_records[..45], b"-----"].concat()), Protocol::Unspecified);
}

#[test]
fn other_protocols_are_not_taken_for_tls() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x00\x20\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\x16\x03\x09\x00\x20\x01\x00\x00\x1c\x03\x03",
        b"\x17\x03\x03\xff\xff\x00\x00\x00\x00\x00\x00",
        b"\x80\x80\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00",
    ] {
        assert_eq!(flow().ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:x?}");
    }
}

#[test]
fn hellos_of_ssl_2_0_are_read() {
    let specs = [7, 0, 0xC0, 5, 0, 0x80];
    let client = [&[1, 0, 2, 0, 6, 0, 0, 0, 16][..], &specs, &[5; 16]].concat();
    let client = [&[0x80, client.len() as u8][..], &client].concat();
    let server =
        [&[4, 0, 1, 0, 2][..], &two(SELF_SIGNED.len()), &[0, 6, 0, 16], SELF_SIGNED, &specs, &[5; 16]]
            .concat();
    let server = [&two(server.len() | 0x8000)[..], &server].concat();
    for cut in [0, 1, 2, 5, 11, 300] {
        let (first, second) = server.split_at(cut);
        let flow = flow().ask(&client).answer(first).answer(second);
        assert_eq!(
            flow.said()[..3],
            [
                "sender 192.0.2.1 role tls-client",
                "sender 192.0.2.2 role tls-server",
                "sender 192.0.2.2 tls_version ssl2"
            ]
        );
        assert_eq!(flow.values(Attribute::CertificateSubject), ["*.pumps.example"]);
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }
}

#[test]
fn a_hello_in_the_old_shape_may_be_answered_in_the_new() {
    let specs = [0, 0, 0x2F, 7, 0, 0xC0];
    let client = [&[1, 3, 1, 0, 6, 0, 0, 0, 16][..], &specs, &[5; 16]].concat();
    let client = [&[0x80, client.len() as u8][..], &client].concat();
    let flow = flow().ask(&client).answer(&record(HANDSHAKE, &server_hello([3, 1], None)));
    assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.0"]);
}

/// A whole handshake of the server, in records of this length.
fn in_records(longest: usize) -> Vec<u8> {
    let messages =
        [server_hello([3, 3], None), certificate(MACHINE), handshake(SERVER_HELLO_DONE, &[])].concat();
    messages.chunks(longest).flat_map(|fragment| record(HANDSHAKE, fragment)).collect()
}

#[test]
fn records_that_hold_less_than_the_head_of_a_message_are_recognised_too() {
    for longest in 1..12 {
        let flow = flow().answer(&in_records(longest));
        assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.2"], "records of {longest}");
    }
}

proptest! {
    #[test]
    fn where_records_and_segments_are_cut_makes_no_difference(
        longest in 4_usize..600,
        cuts in prop::collection::vec(1_usize..300, 1..20),
    ) {
        let whole = flow().answer(&in_records(16_384)).said();
        prop_assert_eq!(whole.len(), 7);
        let stream = in_records(longest);
        let mut flow = flow();
        let (mut rest, mut cuts) = (&stream[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            flow.bytes(Direction::FromResponder, now);
            rest = later;
        }
        prop_assert_eq!(flow.said(), whole);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_a_bounded_number_of_things(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let like = [
            record(HANDSHAKE, &client_hello("pacs.example")),
            record(HANDSHAKE, &server_hello([3, 3], None)),
            record(HANDSHAKE, &certificate(SELF_SIGNED)),
        ].concat();
        let mut changed = like;
        for (place, byte) in places {
            let at = place.index(changed.len());
            changed[at] = byte;
        }
        let wrapped = record(HANDSHAKE, &handshake(CLIENT_HELLO, &noise));
        for stream in [noise, changed, wrapped] {
            let (first, second) = stream.split_at(cut.index(stream.len() + 1));
            let flow = flow().ask(first).ask(second).answer(&stream);
            prop_assert!(flow.said().len() <= 40);
        }
    }
}
