//! Conversations as MS-CIFS, MS-SMB2 and RFC 1002 describe them.

use super::*;
use crate::Outcome;
use crate::access::ntlm::tests::{authenticate_of, challenge_of, utf16};
use crate::test_flow::TestFlow;
use proptest::prelude::*;

const MORE_PROCESSING: u32 = 0xC000_0016;
const LOGON_FAILURE: u32 = 0xC000_006D;
const WINDOWS: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

fn packet(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).expect("short").to_be_bytes()[..], message].concat()
}

/// MS-SMB2, 2.2.1.2.
fn smb2(command: u16, is_answer: bool, status: u32, body: &[u8]) -> Vec<u8> {
    let header = [
        &SMB2[..],
        &[64, 0, 0, 0],
        &status.to_le_bytes(),
        &command.to_le_bytes(),
        &[1, 0],
        &u32::from(is_answer).to_le_bytes(),
        &[0; 44],
    ]
    .concat();
    packet(&[&header[..], body].concat())
}

fn setup(token: &[u8]) -> Vec<u8> {
    let length = u16::try_from(token.len()).expect("short").to_le_bytes();
    smb2(1, false, 0, &[&[25, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 88, 0][..], &length, &[0; 8], token].concat())
}

fn set_up(status: u32, token: &[u8]) -> Vec<u8> {
    let length = u16::try_from(token.len()).expect("short").to_le_bytes();
    smb2(1, true, status, &[&[9, 0, 0, 0, 72, 0][..], &length, token].concat())
}

fn negotiated(dialect: u16) -> Vec<u8> {
    smb2(0, true, 0, &[&[65, 0, 1, 0][..], &dialect.to_le_bytes(), &[0; 58]].concat())
}

fn challenge() -> Vec<u8> {
    challenge_of(["SRV7", "CORP", "srv7.corp.example", "corp.example"], WINDOWS)
}

fn client() -> Vec<u8> {
    [
        smb2(0, false, 0, &[36; 36]),
        setup(b"NTLMSSP\0\x01\0\0\0"),
        setup(&authenticate_of("jdoe", "WS-11", 300)),
    ]
    .concat()
}

fn server(status: u32) -> Vec<u8> {
    [negotiated(0x0311), set_up(MORE_PROCESSING, &challenge()), set_up(status, &[])].concat()
}

const OF_CLIENT: [&str; 2] = ["sender 192.0.2.1 role smb-client", "sender 192.0.2.1 host_name ws-11"];

const OF_SERVER: [&str; 6] = [
    "sender 192.0.2.2 role smb-server",
    "sender 192.0.2.2 smb_dialect 3.1.1",
    "sender 192.0.2.2 host_name srv7.corp.example",
    "sender 192.0.2.2 domain corp.example",
    "sender 192.0.2.2 operating_system Windows",
    "sender 192.0.2.2 operating_system_version 10.0.17763",
];

#[test]
fn both_ends_tell_who_they_are_until_a_session_is_set_up() {
    let flow = flow().ask(&client()).answer(&server(0));
    assert_eq!(flow.said(), [&OF_CLIENT[..], &OF_SERVER].concat());
    assert_eq!(flow.conversation.protocol(), Protocol::Smb);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn a_refused_log_in_is_told_of_the_client() {
    let flow = flow().ask(&client()).answer(&server(LOGON_FAILURE));
    assert_eq!(flow.said().last().map(String::as_str), Some("peer 192.0.2.1 failed_login ntlm"));
    assert_eq!(flow.conversation.outcome(), Outcome::Going);
    let ticket = [&[0x60, 0x20][..], KERBEROS_REQUEST, &[0x6E, 2, 0x30, 0]].concat();
    let flow = flow.ask(&setup(&ticket)).answer(&set_up(LOGON_FAILURE, &[]));
    assert_eq!(flow.values(Attribute::FailedLogin), ["ntlm", "kerberos"]);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 5, 64] {
        let mut flow = flow();
        client().chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
        server(0).chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
        assert_eq!(flow.said(), [&OF_CLIENT[..], &OF_SERVER].concat(), "{size}");
    }
}

#[test]
fn files_are_passed_over_and_behind_a_hole_it_goes_on_at_the_next_message() {
    let mut read = smb2(8, true, 0, &vec![0x41; 1_000_000]);
    read.truncate(2000);
    let mut flow = flow().answer(&negotiated(0x0302)).answer(&read);
    assert_eq!(flow.conversation.held_bytes(), 0);
    flow.conversation.gap(Direction::FromResponder, 2_000_000, &mut flow.statements);
    let stray = b"in the middle of \xffSMB, of a file that ends ".repeat(20);
    let mut flow = flow.answer(&stray);
    set_up(MORE_PROCESSING, &challenge())
        .chunks(9)
        .for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
    assert_eq!(flow.values(Attribute::HostName), ["srv7.corp.example"]);
    // At the very next octet, too.
    flow.conversation.gap(Direction::FromResponder, 1, &mut flow.statements);
    let flow = flow.answer(&set_up(MORE_PROCESSING, &challenge()));
    assert_eq!(flow.values(Attribute::HostName).len(), 2);
}

#[test]
fn an_encrypted_message_ends_it() {
    let flow = flow().ask(&packet(&[&ENCRYPTED[..], &[7; 60]].concat()));
    assert_eq!(flow.conversation.protocol(), Protocol::Smb);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

/// MS-CIFS, 2.2.3: header, words, bytes.
fn smb1(command: u8, is_answer: bool, status: u32, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let flags = if is_answer { 0x80 } else { 0 };
    let header = [&SMB1[..], &[command], &status.to_le_bytes(), &[flags, 1, 0x80], &[0; 20]].concat();
    let count = u8::try_from(words.len() / 2).expect("few");
    let length = u16::try_from(bytes.len()).expect("short").to_le_bytes();
    packet(&[&header[..], &[count], words, &length, bytes].concat())
}

fn texts(at: usize, texts: &[&str]) -> Vec<u8> {
    let padding = vec![0; at % 2];
    texts.iter().fold(padding, |bytes, text| [bytes, utf16(text), vec![0; 2]].concat())
}

/// Without extended security: user, domain, system and software behind the two proofs.
fn old_setup(nt: usize) -> Vec<u8> {
    let mut words = vec![0; 26];
    words[14] = 24;
    words[16] = u8::try_from(nt).expect("short");
    let proofs = vec![7; 24 + nt];
    let named = texts(
        HEADER_1 + 1 + 26 + 2 + proofs.len(),
        &["jdoe", "PEOPLE", "Windows 2002 Service Pack 2 2600", "Windows 2002 5.1"],
    );
    smb1(0x73, false, 0, &words, &[proofs, named].concat())
}

const HEADER_1: usize = 32;

#[test]
fn smb_1_is_weak_and_tells_the_systems_of_both_ends() {
    let mut words = vec![0; 34];
    words[33] = 8;
    let names = [vec![8; 8], utf16("CORP"), vec![0; 2], utf16("OLDSRV"), vec![0; 2]].concat();
    let answer = texts(HEADER_1 + 1 + 6 + 2, &["Windows 5.0", "Windows 2000 LAN Manager", "CORP"]);
    let flow = flow()
        .ask(&smb1(0x72, false, 0, &[], b"\x02LANMAN1.0\0\x02NT LM 0.12\0"))
        .answer(&smb1(0x72, true, 0, &words, &names))
        .ask(&old_setup(24))
        .answer(&smb1(0x73, true, LOGON_FAILURE, &[], &[]))
        .ask(&old_setup(48))
        .answer(&smb1(0x73, true, 0, &[0xFF, 0, 0, 0, 0, 0], &answer));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role smb-client",
            "sender 192.0.2.1 weak_protocol smb1",
            "sender 192.0.2.2 role smb-server",
            "sender 192.0.2.2 weak_protocol smb1",
            "sender 192.0.2.2 smb_dialect NT LM 0.12",
            "sender 192.0.2.2 domain CORP",
            "sender 192.0.2.2 host_name oldsrv",
            "sender 192.0.2.1 weak_protocol ntlmv1",
            "sender 192.0.2.1 operating_system Windows",
            "sender 192.0.2.1 operating_system_version 2002 Service Pack 2 2600",
            "peer 192.0.2.1 failed_login ntlm",
            "sender 192.0.2.1 operating_system Windows",
            "sender 192.0.2.1 operating_system_version 2002 Service Pack 2 2600",
            "sender 192.0.2.2 operating_system Windows",
            "sender 192.0.2.2 operating_system_version 5.0",
        ]
    );
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn who_offers_smb_2_in_smb_1_is_not_weak() {
    let flow = flow()
        .ask(&smb1(0x72, false, 0, &[], b"\x02NT LM 0.12\0\x02SMB 2.002\0\x02SMB 2.???\0"))
        .answer(&negotiated(0x02FF));
    assert_eq!(flow.said(), ["sender 192.0.2.1 role smb-client", "sender 192.0.2.2 role smb-server"]);
}

#[test]
fn samba_is_the_software_and_not_the_windows_that_it_claims_to_be() {
    let answer = |system: &str| {
        smb1(
            0x73,
            true,
            0,
            &[0xFF, 0, 0, 0, 0, 0],
            &texts(HEADER_1 + 1 + 6 + 2, &[system, "Samba 4.7.6-Ubuntu", "W"]),
        )
    };
    let claimed = flow().answer(&answer("Windows 6.1"));
    assert_eq!(claimed.values(Attribute::SoftwareName), ["Samba"]);
    assert_eq!(claimed.values(Attribute::SoftwareVersion), ["4.7.6-Ubuntu"]);
    assert_eq!(claimed.values(Attribute::OperatingSystem), [""; 0]);
    assert_eq!(flow().answer(&answer("Unix")).values(Attribute::OperatingSystem), ["Unix"]);
}

#[test]
fn no_part_is_told_of_a_system_that_may_not_be_told_as_a_whole() {
    let answer = |system: &str| {
        let named = texts(HEADER_1 + 1 + 6 + 2, &[system, "LAN Manager", "W"]);
        flow().answer(&smb1(0x73, true, 0, &[0xFF, 0, 0, 0, 0, 0], &named))
    };
    assert_eq!(answer("Linux version 4.9").values(Attribute::OperatingSystem), ["Linux"]);
    for system in ["JANE DOE 19700101^W", "JANE DOE 7|W", "JANE 7@clinic.example"] {
        assert_eq!(answer(system).values(Attribute::OperatingSystem), [""; 0], "{system}");
    }
}

/// RFC 1001, 14.1.
fn netbios_name(name: &str, service: u8) -> Vec<u8> {
    let octets = format!("{name:15}").into_bytes().into_iter().chain([service]);
    let letters = octets.flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
    [32].into_iter().chain(letters).chain([0]).collect()
}

#[test]
fn a_netbios_session_names_both_ends_when_the_server_answers_to_its_name() {
    let request = |called: &str| {
        let names = [netbios_name(called, 0x20), netbios_name("XRAY-CONSOLE", 0)].concat();
        [&[0x81, 0, 0, 68][..], &names].concat()
    };
    let named = flow().ask(&request("ARCHIVE2")).answer(&[0x82, 0, 0, 0]);
    assert_eq!(
        named.said(),
        ["sender 192.0.2.1 host_name xray-console", "sender 192.0.2.2 host_name archive2"]
    );
    let refused = flow().ask(&request("ARCHIVE2")).answer(&[0x83, 0, 0, 1, 0x82]);
    assert_eq!(refused.said(), ["sender 192.0.2.1 host_name xray-console"]);
    let anybody = flow().ask(&request("*SMBSERVER")).answer(&[0x82, 0, 0, 0]);
    assert_eq!(anybody.said(), ["sender 192.0.2.1 host_name xray-console"]);
}

#[test]
fn a_netbios_name_is_read_as_far_as_it_goes_and_its_scope_is_passed_over() {
    let request = |scope: &[u8]| {
        let mut calling = netbios_name("XRAY-CONSOLE\0\0\0", 0);
        calling.pop();
        let names = [&netbios_name("ARCHIVE2", 0x20), &calling[..], scope, &[0]].concat();
        [&[0x81, 0, 0, names.len() as u8][..], &names].concat()
    };
    let scoped = flow().ask(&request(b"\x05SCOPE\x02ID\x03COM"));
    assert_eq!(scoped.said(), ["sender 192.0.2.1 host_name xray-console"]);
    // A label has 63 octets at most (RFC 1035, 2.3.4).
    let longer = [&[64][..], &[b'A'; 64]].concat();
    assert_eq!(flow().ask(&request(&longer)).conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn a_netbios_session_of_a_user_names_nobody() {
    let names = [netbios_name("JDOE", 0x03), netbios_name("JDOE", 0x03)].concat();
    let flow = flow().ask(&[&[0x81, 0, 0, 68][..], &names].concat()).answer(&[0x82, 0, 0, 0]);
    assert_eq!(flow.conversation.protocol(), Protocol::Smb);
    assert_eq!(flow.said(), [""; 0]);
}

#[test]
fn what_only_resembles_it_is_not_taken() {
    for bytes in [
        &b"\x81\0\0\x44not a pair of names, though of the length of one; of that it has a lot"[..],
        b"\0\0\0\x40\xfeSMB\x41\0\0\0",
        b"\0\0\0\x40SMB!",
        b"\x82\0\0\0",
        b"\xffSMB",
    ] {
        assert_eq!(flow().ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_and_damaged_messages_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        for mut damaged in [server(0), old_setup(24), client()] {
            let place = at.index(damaged.len());
            damaged[place] = with;
            let flow = flow().ask(&packet(&[&SMB2[..], &bytes].concat())).answer(&damaged).ask(&packet(&[&SMB1[..], &bytes].concat()));
            prop_assert!(flow.said().len() <= 16);
            prop_assert!(TestFlow::new(&[CANDIDATE]).ask(&bytes).said().len() <= 2);
        }
    }
}
