//! Hellos as a workbench and a station send them.

use super::*;
use crate::test_flow::{TestFlow, address};
use crate::{Outcome, TCP};
use proptest::prelude::*;

const WORKBENCH: &[u8] = b"fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nhostName=s:eng-pc7\nhostAddress=s:192.168.1.125\napp.name=s:Workbench\napp.version=s:3.7.44\nvm.name=s:Java HotSpot(TM) Server VM\nvm.version=s:20.4-b02\nos.name=s:Windows XP\nos.version=s:5.1\nlang=s:en\ntimeZone=s:America/Los_Angeles;-28800000;3600000\nhostId=s:Win-99CB-D49D-5442-07BB\nvmUuid=s:8b530bc8-76c5-4139-a2ea-0fabd394d305\nbrandId=s:vykon\n};;\n";

const STATION: &[u8] = b"fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:2\nhostName=s:192.168.2.15\nhostAddress=s:192.168.2.15\napp.name=s:Station\napp.version=s:3.5.41.1\nvm.name=s:J9\nvm.version=s:2.3\nos.name=s:QNX\nos.version=s:6.3.2\nstation.name=s:Plant_Room_2\nhostId=s:Qnx-NPM6-0000-1490-C30C\nbrandId=s:vykon\nsysInfo=o:bog 61[<bog version=\"1.0\">\n<p m=\"b=baja\" t=\"b:Facets\" v=\"\"/>\n</bog>\n]\n};;\n";

const CHALLENGE: &[u8] = b"fox a 1 -1 fox challenge\n{\nmethod=s:digest-md5\nuser=s:jdoe\n};;\n";

/// On a port that tells nothing, among all that may run on TCP.
fn flow() -> TestFlow {
    TestFlow::new(TCP).with_initiator(address("10.0.0.9", 40_000)).with_responder(address("10.0.0.5", 7))
}

const SAID: [&str; 18] = [
    "sender 10.0.0.9 host_name eng-pc7",
    "sender 10.0.0.9 ip_address 192.168.1.125",
    "sender 10.0.0.9 software_name Workbench",
    "sender 10.0.0.9 software_version 3.7.44",
    "sender 10.0.0.9 operating_system Windows XP",
    "sender 10.0.0.9 operating_system_version 5.1",
    "sender 10.0.0.9 niagara_host_id Win-99CB-D49D-5442-07BB",
    "sender 10.0.0.9 software_vendor vykon",
    "sender 10.0.0.9 niagara_vm Java HotSpot(TM) Server VM 20.4-b02",
    "sender 10.0.0.9 role fox-client",
    "sender 10.0.0.5 ip_address 192.168.2.15",
    "sender 10.0.0.5 software_name Station",
    "sender 10.0.0.5 software_version 3.5.41.1",
    "sender 10.0.0.5 operating_system QNX",
    "sender 10.0.0.5 operating_system_version 6.3.2",
    "sender 10.0.0.5 niagara_station Plant_Room_2",
    "sender 10.0.0.5 niagara_host_id Qnx-NPM6-0000-1490-C30C",
    "sender 10.0.0.5 software_vendor vykon",
];

#[test]
fn both_sides_tell_what_they_are_and_then_nothing_more_is_read() {
    let flow = flow().ask(WORKBENCH).answer(STATION).answer(CHALLENGE);
    assert_eq!(flow.said()[..18], SAID);
    assert_eq!(flow.said()[18..], ["sender 10.0.0.5 niagara_vm J9 2.3", "sender 10.0.0.5 role fox-server"]);
    assert_eq!(flow.conversation.protocol(), Protocol::NiagaraFox);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    let expected = flow().ask(WORKBENCH).answer(STATION).said();
    for size in [1, 3, 7, 64] {
        let asked = WORKBENCH.chunks(size).fold(flow(), TestFlow::ask);
        let both = STATION.chunks(size).fold(asked, TestFlow::answer);
        assert_eq!(both.said(), expected, "{size}");
    }
}

#[test]
fn joined_in_the_middle_it_is_known_and_says_no_more() {
    let flow = flow().answer(CHALLENGE);
    assert_eq!(flow.conversation.protocol(), Protocol::NiagaraFox);
    assert_eq!(flow.said(), ["sender 10.0.0.5 role fox-server"]);
}

#[test]
fn a_hole_in_one_sides_hello_leaves_the_others() {
    let mut flow = flow().ask(&WORKBENCH[..60]);
    flow.conversation.gap(Direction::FromInitiator, 200, &mut flow.statements);
    let flow = flow.answer(STATION);
    assert_eq!(flow.values(Attribute::NiagaraStation), ["Plant_Room_2"]);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn other_text_is_something_else() {
    for bytes in [
        &b"fox and hounds\n{\n"[..],
        b"fox a 1 -1 fox hello\n",
        b"fox a b -1 fox hello\n{",
        b"box a 1 -1 fox hello\n{",
        b"fox a 1 -1 fox hello world\n{",
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
}

#[test]
fn a_hello_without_an_end_is_left() {
    let flow = flow().ask(b"fox a 1 -1 fox hello\n{\n").ask(&vec![b'x'; LONGEST_HELLO + 1]);
    assert_eq!(flow.conversation.outcome(), Outcome::Broken("hello without an end"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..400, byte in any::<u8>()) {
        let mut like = WORKBENCH.to_vec();
        if let Some(place) = like.get_mut(at) {
            *place = byte;
        }
        let headed = [&b"fox a 1 -1 fox hello\n{\n"[..], &bytes, b"\n};;\n"].concat();
        for bytes in [&bytes, &like, &headed] {
            let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
            prop_assert!(flow.statements.observations.iter().all(|told| !told.value.contains('\n')));
        }
    }
}
