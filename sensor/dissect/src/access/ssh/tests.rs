//! Sessions as RFC 4253 describes them.

use super::*;
use crate::test_flow::TestFlow;
use crate::{Interest, Outcome};
use proptest::prelude::*;

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

fn string(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short");
    [&length.to_be_bytes()[..], text].concat()
}

/// RFC 4253, 6: padded to blocks of eight, with four octets at least.
fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let bare = 4 + 1 + 1 + body.len();
    let padding = 8 - bare % 8 + if bare % 8 > 4 { 8 } else { 0 };
    let length = u32::try_from(bare - 4 + padding).expect("short");
    [&length.to_be_bytes()[..], &[u8::try_from(padding).expect("short"), number], body, &vec![0; padding]]
        .concat()
}

/// Lists of which each is of one name.
fn offers() -> Vec<u8> {
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes128-ctr",
        "aes256-ctr",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "none",
        "zlib",
        "",
        "",
    ];
    let lists: Vec<u8> = lists.iter().flat_map(|list| string(list.as_bytes())).collect();
    packet(KEXINIT, &[&[7; 16][..], &lists, &[0; 5]].concat())
}

fn answer() -> Vec<u8> {
    let key = [string(b"ssh-ed25519"), string(&[9; 32])].concat();
    packet(KEXDH_REPLY, &[string(&key), string(&[1; 32]), string(&[2; 64])].concat())
}

/// Of `"curve25519-sha256;aes128-ctr;hmac-sha2-256;none"` by `md5sum`.
const HASSH: &str = "e97d07603350d1111ec2b64bf25413c9";
/// Of `"curve25519-sha256;aes256-ctr;hmac-sha2-512;zlib"` by `md5sum`.
const HASSH_SERVER: &str = "13475e66a348152c5153e178e028706a";
/// Of the key in [`answer`] by `sha256sum`.
const HOST_KEY: &str = "c5c4dbfd92fc36642cbe8f64da3fdcedd232a7b9ef0e7b307cf647973719c33d";

fn client() -> Vec<u8> {
    [&b"SSH-2.0-PuTTY_Release_0.78\r\n"[..], &offers(), &packet(30, &string(&[1; 32])), &packet(NEWKEYS, &[])]
        .concat()
}

fn server() -> Vec<u8> {
    let line = b"Authorised use only\r\nSSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3 of J. Doe\r\n";
    [&line[..], &offers(), &answer(), &packet(NEWKEYS, &[])].concat()
}

fn expected() -> Vec<String> {
    [
        "sender 192.0.2.1 role ssh-client".to_owned(),
        "sender 192.0.2.1 software_name PuTTY".to_owned(),
        "sender 192.0.2.1 software_version 0.78".to_owned(),
        format!("sender 192.0.2.1 ssh_hassh {HASSH}"),
        "sender 192.0.2.2 role ssh-server".to_owned(),
        "sender 192.0.2.2 software_name OpenSSH".to_owned(),
        "sender 192.0.2.2 software_version 8.4p1".to_owned(),
        "sender 192.0.2.2 operating_system Debian".to_owned(),
        "sender 192.0.2.2 operating_system_version 11".to_owned(),
        format!("sender 192.0.2.2 ssh_hassh_server {HASSH_SERVER}"),
        format!("sender 192.0.2.2 ssh_host_key_sha256 {HOST_KEY}"),
    ]
    .into()
}

#[test]
fn both_sides_tell_their_software_their_offers_and_the_server_its_key() {
    let flow = flow().ask(&client()).answer(&server());
    assert_eq!(flow.said(), expected());
    assert_eq!(flow.conversation.protocol(), Protocol::Ssh);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 3, 100] {
        let mut flow = flow();
        client().chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
        server().chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
        assert_eq!(flow.said(), expected(), "{size}");
    }
}

#[test]
fn a_flow_may_be_joined_at_the_offers() {
    let flow = flow().answer(&[offers(), answer(), packet(NEWKEYS, &[])].concat());
    assert_eq!(flow.conversation.protocol(), Protocol::Ssh);
    assert_eq!(flow.values(Attribute::SshHasshServer), [HASSH_SERVER]);
    assert_eq!(flow.values(Attribute::SshHostKeySha256), [HOST_KEY]);
}

#[test]
fn version_1_is_weak_and_so_is_a_server_that_would_speak_it() {
    let flow = flow().answer(b"SSH-1.99-Cisco-1.25\n").ask(b"SSH-1.5-OldClient_1.2.27\n");
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.2 role ssh-server",
            "sender 192.0.2.2 weak_protocol ssh1",
            "sender 192.0.2.2 software_name Cisco",
            "sender 192.0.2.2 software_version 1.25",
            "sender 192.0.2.1 role ssh-client",
            "sender 192.0.2.1 weak_protocol ssh1",
            "sender 192.0.2.1 software_name OldClient",
            "sender 192.0.2.1 software_version 1.2.27",
        ]
    );
}

#[test]
fn the_group_of_a_group_exchange_is_no_host_key() {
    let group = packet(KEXDH_REPLY, &[string(&[0xC5; 256]), string(&[2])].concat());
    let reply = packet(
        KEX_DH_GEX_REPLY,
        &[string(&[string(b"ssh-rsa"), string(&[3; 200])].concat()), string(&[1])].concat(),
    );
    let flow = flow().answer(&[b"SSH-2.0-x_1\r\n".to_vec(), offers(), group.clone()].concat());
    assert!(flow.values(Attribute::SshHostKeySha256).is_empty());
    assert_eq!(flow.answer(&reply).values(Attribute::SshHostKeySha256).len(), 1);
}

#[test]
fn a_side_with_a_hole_is_let_go_of_and_the_other_is_read() {
    let mut flow = flow().ask(b"SSH-2.0-x_1\r\n");
    assert_eq!(flow.conversation.gap(Direction::FromInitiator, 1400, &mut flow.statements), Interest::Keep);
    let flow = flow.answer(&server());
    assert_eq!(flow.values(Attribute::SshHostKeySha256), [HOST_KEY]);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn what_only_resembles_it_is_not_taken() {
    for bytes in
        [&b"SSH-\x00"[..], b"SSH server ready\r\n", &packet(KEXINIT, &[0; 40]), &packet(1, &[0; 40]), b"SSHD"]
    {
        assert_eq!(flow().ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_and_damaged_sessions_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        let mut damaged = server();
        let place = at.index(damaged.len());
        damaged[place] = with;
        let flow = flow().ask(b"SSH-2.0-x_1\r\n").answer(&damaged).ask(&bytes);
        prop_assert!(flow.said().len() <= 16);
        let said = TestFlow::new(&[CANDIDATE]).ask(&bytes).said();
        prop_assert!(said.len() <= 6);
    }
}
