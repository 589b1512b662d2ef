//! Tokens as MS-NLMP lays them out, for this module's tests and those of the protocols that carry them.

use super::*;
use crate::{Address, Direction, Input, Statements};
use proptest::prelude::*;
use wardwatch_proto::v1::Protocol;

/// What a test wants to be read: `attribute value`.
fn said(bytes: &[u8]) -> Vec<String> {
    let (sender, receiver) = (Address::default(), Address::default());
    let input = Input {
        direction: Direction::FromResponder,
        sender,
        receiver,
        at: 1,
        flow: 1,
        carrier: crate::Carrier::default(),
        bytes,
    };
    let mut statements = Statements::default();
    state(bytes, &mut Facts::new(&mut statements, Protocol::Smb, &input));
    let line = |told: &wardwatch_proto::v1::Observation| {
        format!("{} {}", told.attribute().as_str_name().trim_start_matches("ATTRIBUTE_"), told.value)
    };
    statements.observations.iter().map(line).collect()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn fields(length: usize, offset: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("short").to_le_bytes();
    [&length[..], &length, &u32::try_from(offset).expect("short").to_le_bytes()].concat()
}

/// CHALLENGE_MESSAGE with these names of computer and domain, NetBIOS and DNS, and this version.
pub(crate) fn challenge_of(names: [&str; 4], version: [u8; 8]) -> Vec<u8> {
    let [host, domain, dns_host, dns_domain] = names;
    let pair = |id: u16, text: &str| {
        let value = utf16(text);
        [&id.to_le_bytes()[..], &u16::try_from(value.len()).expect("short").to_le_bytes(), &value].concat()
    };
    let pairs = [pair(2, domain), pair(1, host), pair(4, dns_domain), pair(3, dns_host), vec![0; 4]].concat();
    let flags = (UNICODE | VERSION).to_le_bytes();
    [
        &b"NTLMSSP\0\x02\0\0\0"[..],
        &fields(0, 56),
        &flags,
        &[8; 8],
        &[0; 8],
        &fields(pairs.len(), 56),
        &version,
        &pairs,
    ]
    .concat()
}

/// AUTHENTICATE_MESSAGE of this user at this machine, with a response of this length.
pub(crate) fn authenticate_of(user: &str, machine: &str, response: usize) -> Vec<u8> {
    let (user, machine) = (utf16(user), utf16(machine));
    let at = 72;
    [
        &b"NTLMSSP\0\x03\0\0\0"[..],
        &fields(0, at),
        &fields(response, at),
        &fields(user.len(), at + response),
        &fields(user.len(), at + response),
        &fields(machine.len(), at + response + user.len()),
        &fields(0, at),
        &UNICODE.to_le_bytes(),
        &[6, 1, 0xB0, 0x1D, 0, 0, 0, 15],
        &vec![7; response],
        &user,
        &machine,
    ]
    .concat()
}

const WINDOWS: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

#[test]
fn a_challenge_tells_the_machine_its_domain_and_its_windows() {
    let token = challenge_of(["SRV7", "CORP", "srv7.corp.example", "corp.example"], WINDOWS);
    let wrapped = [&[0x60, 0x82, 0, 0][..], &token].concat();
    assert_eq!(
        said(&wrapped),
        [
            "HOST_NAME srv7.corp.example",
            "DOMAIN corp.example",
            "OPERATING_SYSTEM Windows",
            "OPERATING_SYSTEM_VERSION 10.0.17763",
        ]
    );
}

#[test]
fn a_machine_outside_any_domain_names_none() {
    let token = challenge_of(["PC-4", "PC-4", "PC-4", "PC-4"], [0; 8]);
    assert_eq!(said(&token), ["HOST_NAME pc-4"]);
    let token = challenge_of(["PC-4", "PC-4", "pc-4.clinic.example", "clinic.example"], [0; 8]);
    assert_eq!(said(&token), ["HOST_NAME pc-4.clinic.example"]);
}

#[test]
fn versions_that_are_filled_in_are_no_windows() {
    for version in [[6, 1, 0, 0, 0, 0, 0, 15], [0xFF; 8], [0; 8]] {
        assert_eq!(said(&challenge_of(["A", "B", "", ""], version)), ["HOST_NAME a", "DOMAIN B"]);
    }
}

#[test]
fn an_answer_tells_the_machine_and_an_old_method_and_nobodys_name() {
    assert_eq!(said(&authenticate_of("jdoe", "WS-11", 300)), ["HOST_NAME ws-11"]);
    assert_eq!(said(&authenticate_of("jdoe", "WS-11", 24)), ["WEAK_PROTOCOL ntlmv1", "HOST_NAME ws-11"]);
    for none in ["WORKSTATION", "192.0.2.9", "", "NULL", "J. Doe's Mac"] {
        assert_eq!(said(&authenticate_of("jdoe", none, 0)), [""; 0], "{none}");
    }
}

proptest! {
    #[test]
    fn damaged_tokens_are_read_without_a_panic(
        at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>(), bytes in any::<Vec<u8>>(),
    ) {
        for mut token in [
            challenge_of(["SRV7", "CORP", "srv7.corp.example", "corp.example"], WINDOWS),
            authenticate_of("jdoe", "WS-11", 24),
            [&b"NTLMSSP\0\x02\0\0\0"[..], &bytes].concat(),
        ] {
            let (place, end) = (at.index(token.len()), cut.index(token.len()));
            token[place] = with;
            prop_assert!(said(&token).len() <= 4);
            prop_assert!(said(&token[..end]).len() <= 4);
        }
    }
}
