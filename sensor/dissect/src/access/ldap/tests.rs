//! Messages as RFC 4511 and MS-ADTS have them.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::Outcome;
use crate::access::ber::tests::tlv;
use crate::access::ntlm::tests::{authenticate_of, challenge_of};
use crate::test_flow::TestFlow;
use proptest::prelude::*;

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

fn message(operation: u8, fields: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &[&[INTEGER, 1, 5], &tlv(operation, fields)])
}

fn octets(text: &[u8]) -> Vec<u8> {
    tlv(OCTET_STRING, &[text])
}

fn bind(name: &str, way: u8, proof: &[u8]) -> Vec<u8> {
    message(BIND_REQUEST, &[&[INTEGER, 1, 3], &octets(name.as_bytes()), &tlv(way, &[proof])])
}

fn answer(operation: u8, result: u8) -> Vec<u8> {
    message(operation, &[&[ENUMERATED, 1, result], &octets(b""), &octets(b"80090308: LdapErr, user jdoe")])
}

fn entry(name: &str, attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let attribute = |(name, values): &(&str, &[&[u8]])| {
        let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
        tlv(SEQUENCE, &[&octets(name.as_bytes()), &tlv(SET, &[&values])])
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    message(SEARCH_ENTRY, &[&octets(name.as_bytes()), &tlv(SEQUENCE, &[&attributes])])
}

const SET: u8 = ber::SET;

#[test]
fn a_password_in_clear_is_told_and_neither_name_nor_secret() {
    let flow = flow()
        .ask(&bind("cn=jdoe,dc=clinic", SIMPLE, b"secret"))
        .answer(&answer(BIND_RESPONSE, 49))
        .ask(&bind("cn=admin,dc=clinic", SIMPLE, b"admin"))
        .answer(&answer(BIND_RESPONSE, 0));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ldap-client",
            "peer 192.0.2.2 cleartext_credential ldap",
            "sender 192.0.2.2 role ldap-server",
            "peer 192.0.2.1 failed_login ldap",
            "sender 192.0.2.1 role ldap-client",
            "peer 192.0.2.2 cleartext_credential ldap",
            "peer 192.0.2.2 default_credential ldap",
            "sender 192.0.2.2 role ldap-server",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Ldap);
}

#[test]
fn an_anonymous_bind_has_no_credential_and_cannot_fail() {
    let flow = flow().ask(&bind("", SIMPLE, b"")).answer(&answer(BIND_RESPONSE, 49));
    assert_eq!(flow.said(), ["sender 192.0.2.1 role ldap-client", "sender 192.0.2.2 role ldap-server"]);
}

#[test]
fn ntlm_within_a_bind_is_read_and_behind_it_the_flow_is_let_go_of() {
    let spnego = |token: &[u8]| [octets(b"GSS-SPNEGO"), octets(token)].concat();
    let challenge = challenge_of(["DC1", "CORP", "dc1.corp.example", "corp.example"], [0; 8]);
    let asks = message(
        BIND_RESPONSE,
        &[&[ENUMERATED, 1, 14], &octets(b""), &octets(b""), &tlv(0x87, &[&challenge])],
    );
    let flow = flow()
        .ask(&bind("", SASL, &spnego(b"NTLMSSP\0\x01\0\0\0")))
        .answer(&asks)
        .ask(&bind("", SASL, &spnego(&authenticate_of("jdoe", "WS-11", 300))))
        .answer(&answer(BIND_RESPONSE, 0));
    assert_eq!(flow.values(Attribute::HostName), ["dc1.corp.example", "ws-11"]);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

fn root() -> Vec<u8> {
    entry(
        "",
        &[
            ("dnsHostName", &[b"dc1.clinic.example"]),
            ("defaultNamingContext", &[b"DC=clinic,DC=example"]),
            ("serverName", &[b"CN=DC1,CN=Servers"]),
            ("vendorName", &[b"389 Project"]),
            ("vendorVersion", &[b"389-Directory/1.4.3.23"]),
            ("supportedCapabilities", &[b"1.2.840.113556.1.4.1670", b"1.2.840.113556.1.4.800"]),
        ],
    )
}

const OF_ROOT: [&str; 7] = [
    "sender 192.0.2.2 role ldap-server",
    "sender 192.0.2.2 host_name dc1.clinic.example",
    "sender 192.0.2.2 domain clinic.example",
    "sender 192.0.2.2 software_vendor 389 Project",
    "sender 192.0.2.2 software_version 389-Directory/1.4.3.23",
    "sender 192.0.2.2 role domain-controller",
    "sender 192.0.2.2 software_name Active Directory",
];

#[test]
fn a_server_tells_of_itself_in_the_root_entry_alone() {
    let person =
        entry("cn=J. Doe,dc=clinic", &[("dnsHostName", &[b"no.example"]), ("telephoneNumber", &[b"4711"])]);
    let flow = flow().answer(&[person, root()].concat());
    assert_eq!(flow.said(), OF_ROOT);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 3, 50] {
        let mut flow = flow();
        root().chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), OF_ROOT, "{size}");
    }
}

#[test]
fn behind_the_start_of_tls_the_flow_is_let_go_of() {
    let flow = flow()
        .ask(&message(EXTENDED_REQUEST, &[&tlv(SIMPLE, &[START_TLS])]))
        .answer(&answer(EXTENDED_RESPONSE, 0));
    assert_eq!(flow.conversation.protocol(), Protocol::Ldap);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

/// The layout of MS-ADTS, 6.3.1.9, with the names compressed as domain controllers do.
fn pong() -> Vec<u8> {
    let fixed = [&[23, 0, 0, 0][..], &[0xFD, 0x33, 0, 0], &[7; 16]].concat();
    let names = [
        &b"\x06clinic\x07example\0"[..], // forest, at 24
        &[0xC0, 24],                     // domain
        &[3, b'd', b'c', b'1', 0xC0, 24],
        b"\x06CLINIC\0",
        b"\x03DC1\0",
        b"\x04jdoe\0",
        b"\x05North\0",
        b"\x05South\0",
        &[5, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
    ]
    .concat();
    [entry("", &[("netlogon", &[&[fixed, names].concat()])]), answer(SEARCH_DONE, 0)].concat()
}

fn ping() -> Vec<u8> {
    let matches = |name: &str, value: &[u8]| tlv(0xA3, &[&octets(name.as_bytes()), &octets(value)]);
    let filter = [
        matches("DnsDomain", b"clinic.example"),
        matches("Host", b"WARD-PC3"),
        matches("User", b"jdoe"),
        matches("NtVer", &[6, 0, 0, 0]),
    ]
    .concat();
    message(
        SEARCH_REQUEST,
        &[
            &octets(b""),
            &[ENUMERATED, 1, 0, ENUMERATED, 1, 0, INTEGER, 1, 0, INTEGER, 1, 0, 1, 1, 0],
            &tlv(0xA0, &[&filter]),
            &tlv(SEQUENCE, &[&octets(b"Netlogon")]),
        ],
    )
}

#[test]
fn a_domain_controller_answers_with_its_names_and_both_sites() {
    let flow = TestFlow::new(crate::UDP).datagram(FromInitiator, &ping()).datagram(FromResponder, &pong());
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ldap-client",
            "sender 192.0.2.1 host_name ward-pc3",
            "sender 192.0.2.2 role ldap-server",
            "sender 192.0.2.2 role domain-controller",
            "sender 192.0.2.2 host_name dc1.clinic.example",
            "sender 192.0.2.2 domain clinic.example",
            "sender 192.0.2.2 directory_site North",
            "peer 192.0.2.1 directory_site South",
        ]
    );
}

#[test]
fn names_that_point_at_themselves_end() {
    let mut answer = vec![23, 0, 0, 0];
    answer.resize(24, 0);
    answer.extend([0xC0, 24]);
    let flow = TestFlow::new(crate::UDP).datagram(FromResponder, &entry("", &[("netlogon", &[&answer])]));
    assert_eq!(flow.said(), ["sender 192.0.2.2 role ldap-server"]);
}

#[test]
fn what_only_resembles_it_is_not_taken() {
    let snmp = tlv(SEQUENCE, &[&[INTEGER, 1, 0], &octets(b"public"), &tlv(0xA0, &[&[INTEGER, 1, 1]])]);
    let mut other_version = bind("", SIMPLE, b"");
    other_version[9] = 9;
    let certificate = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&[0; 30]])]);
    for bytes in [snmp, other_version, certificate, message(0x42, &[]), vec![0x30; 40]] {
        let on_tcp = TestFlow::new(&[OVER_TCP]).ask(&bytes);
        assert_eq!(on_tcp.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        let on_udp = TestFlow::new(&[OVER_UDP]).datagram(FromInitiator, &bytes);
        assert_eq!(on_udp.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_and_damaged_messages_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        for mut damaged in [root(), pong(), ping(), bind("cn=admin", SIMPLE, b"admin")] {
            let place = at.index(damaged.len());
            damaged[place] = with;
            prop_assert!(flow().answer(&damaged).ask(&bytes).said().len() <= 12);
            let flow = TestFlow::new(crate::UDP).datagram(FromInitiator, &damaged).datagram(FromInitiator, &bytes);
            prop_assert!(flow.said().len() <= 12);
        }
    }
}
