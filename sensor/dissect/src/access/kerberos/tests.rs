//! Messages as RFC 4120 has them.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::access::ber::tests::tlv;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

fn number(tag: u8, number: i64) -> Vec<u8> {
    let octet = u8::try_from(number).expect("small");
    tlv(tag, &[&tlv(INTEGER, &[&[octet]])])
}

fn named(tag: u8, text: &str) -> Vec<u8> {
    tlv(tag, &[&tlv(GENERAL_STRING, &[text.as_bytes()])])
}

fn principal(tag: u8, names: &[&str]) -> Vec<u8> {
    let names: Vec<u8> = names.iter().flat_map(|name| tlv(GENERAL_STRING, &[name.as_bytes()])).collect();
    tlv(tag, &[&tlv(SEQUENCE, &[&number(0xA0, 1), &tlv(0xA1, &[&tlv(SEQUENCE, &[&names])])])])
}

fn message(kind: u8, fields: &[u8]) -> Vec<u8> {
    let first = if matches!(kind, AS_REQ | TGS_REQ) { 0xA1 } else { 0xA0 };
    let head = [number(first, 5), number(first + 1, i64::from(kind))].concat();
    tlv(APPLICATION | kind, &[&tlv(SEQUENCE, &[&head, fields])])
}

fn asks(kinds: &[u8]) -> Vec<u8> {
    let kinds: Vec<u8> = kinds.iter().flat_map(|kind| tlv(INTEGER, &[&[*kind]])).collect();
    let address =
        tlv(SEQUENCE, &[&number(0xA0, 20), &tlv(0xA1, &[&tlv(ber::OCTET_STRING, &[b"WARD-PC3        "])])]);
    let body = [
        principal(0xA1, &["jdoe"]),
        named(0xA2, "CLINIC.EXAMPLE"),
        principal(0xA3, &["krbtgt", "CLINIC.EXAMPLE"]),
        tlv(0xA8, &[&tlv(SEQUENCE, &[&kinds])]),
        tlv(0xA9, &[&tlv(SEQUENCE, &[&address])]),
    ]
    .concat();
    message(AS_REQ, &tlv(0xA4, &[&tlv(SEQUENCE, &[&body])]))
}

fn refuses(code: i64) -> Vec<u8> {
    message(KRB_ERROR, &[number(0xA6, code), named(0xA9, "CLINIC.EXAMPLE")].concat())
}

fn grants(client: &[&str]) -> Vec<u8> {
    let ticket = tlv(APPLICATION | 1, &[&tlv(SEQUENCE, &[&number(0xA0, 5), &named(0xA1, "CLINIC.EXAMPLE")])]);
    message(AS_REP, &[named(0xA3, "OTHER.EXAMPLE"), principal(0xA4, client), tlv(0xA5, &[&ticket])].concat())
}

fn stream(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).expect("short").to_be_bytes()[..], message].concat()
}

const AES_AND_RC4: [u8; 3] = [18, 17, 23];

#[test]
fn a_centre_tells_its_realm_and_whom_it_refuses() {
    let flow = TestFlow::new(crate::UDP)
        .datagram(FromInitiator, &asks(&AES_AND_RC4))
        .datagram(FromResponder, &refuses(24))
        .datagram(FromResponder, &grants(&["jdoe"]));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role kerberos-client",
            "sender 192.0.2.1 host_name ward-pc3",
            "peer 192.0.2.1 failed_login kerberos",
            "sender 192.0.2.2 role kerberos-kdc",
            "sender 192.0.2.2 domain CLINIC.EXAMPLE",
            "sender 192.0.2.2 role kerberos-kdc",
            "sender 192.0.2.2 domain CLINIC.EXAMPLE",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Kerberos);
}

#[test]
fn the_same_on_tcp_whatever_the_segments() {
    for size in [1, 7, 1460] {
        let mut flow = TestFlow::new(crate::TCP);
        stream(&asks(&[23])).chunks(size).for_each(|bytes| flow.bytes(FromInitiator, bytes));
        stream(&grants(&["host", "ct2.clinic.example"]))
            .chunks(size)
            .for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role kerberos-client",
                "sender 192.0.2.1 weak_protocol kerberos-rc4",
                "sender 192.0.2.1 host_name ward-pc3",
                "sender 192.0.2.2 role kerberos-kdc",
                "sender 192.0.2.2 domain CLINIC.EXAMPLE",
                "peer 192.0.2.1 host_name ct2.clinic.example",
            ],
            "{size}"
        );
    }
}

#[test]
fn only_offers_without_anything_better_are_weak() {
    for (kinds, weakness) in [
        (&AES_AND_RC4[..], None),
        (&[23, 24], Some("kerberos-rc4")),
        (&[23, 3], Some("kerberos-rc4")),
        (&[3, 1], Some("kerberos-des")),
        (&[0x80], Some("kerberos-rc4")),
        (&[], None),
    ] {
        let flow = TestFlow::new(crate::UDP).datagram(FromInitiator, &asks(kinds));
        assert_eq!(flow.values(Attribute::WeakProtocol).first().copied(), weakness, "{kinds:?}");
    }
}

#[test]
fn a_proof_that_is_wanted_is_no_refusal() {
    let flow = TestFlow::new(crate::UDP).datagram(FromResponder, &refuses(25));
    assert_eq!(flow.values(Attribute::FailedLogin), [""; 0]);
    let unknown = TestFlow::new(crate::UDP).datagram(FromResponder, &refuses(6));
    assert_eq!(unknown.said(), ["peer 192.0.2.1 failed_login kerberos"]);
}

#[test]
fn what_only_resembles_it_is_not_taken() {
    let mut version_4 = asks(&AES_AND_RC4);
    let place = version_4.windows(4).position(|bytes| bytes == [3, 2, 1, 5]).expect("the version") + 3;
    version_4[place] = 4;
    let mut longer = asks(&AES_AND_RC4);
    longer.push(0);
    let certificate = tlv(SEQUENCE, &[&[0; 40]]);
    for bytes in [version_4, longer, certificate, vec![0x6A], vec![]] {
        let flow = TestFlow::new(&[OVER_UDP]).datagram(FromInitiator, &bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_and_damaged_messages_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        for mut damaged in [asks(&[23]), refuses(24), grants(&["host", "a.example"])] {
            let place = at.index(damaged.len());
            damaged[place] = with;
            let flow = TestFlow::new(crate::UDP).datagram(FromInitiator, &damaged).datagram(FromInitiator, &bytes);
            prop_assert!(flow.said().len() <= 8);
            let flow = TestFlow::new(crate::TCP).ask(&stream(&damaged)).ask(&bytes);
            prop_assert!(flow.said().len() <= 8);
        }
    }
}
