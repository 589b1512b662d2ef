//! Packets by the standard.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};

const CANDIDATES: &[Candidate] = &[CANDIDATE];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn on_port() -> TestFlow {
    flow().with_responder(address("192.0.2.2", PORT))
}

/// Leap indicator 0, this version and mode, and the times of receiving and sending.
fn packet(version: u8, mode: u8, stratum: u8, received: u32, sent: u32) -> Vec<u8> {
    let head = [version << 3 | mode, stratum, 6, 0xEC];
    let middle = [0_u8; 28];
    [&head[..], &middle, &received.to_be_bytes(), &[0; 4], &sent.to_be_bytes(), &[0; 4]].concat()
}

fn variables(text: &str) -> Vec<u8> {
    let head = [0x16, 0x82, 0, 1, 6, 0x15, 0, 0, 0, 0];
    [&head[..], &(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

#[test]
fn clients_ask_and_servers_tell_their_stratum() {
    let flow = on_port()
        .datagram(FromInitiator, &packet(4, 3, 0, 0, 0x1234_5678))
        .datagram(FromResponder, &packet(4, 4, 2, 3_900_000_000, 3_900_000_000));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ntp-client",
            "sender 192.0.2.1 ntp_version 4",
            "sender 192.0.2.2 role ntp-server",
            "sender 192.0.2.2 ntp_version 4",
            "sender 192.0.2.2 ntp_stratum 2",
        ]
    );
}

/// draft-ietf-ntp-data-minimization, 4: a client's header is zero but for version, mode, poll and a precision of 32.
#[test]
fn a_client_may_tell_nothing_of_itself() {
    let mut minimal = packet(4, 3, 0, 0, 0x1234_5678);
    minimal[3] = 0x20;
    assert_eq!(on_port().datagram(FromInitiator, &minimal).values(Attribute::Role), ["ntp-client"]);
    let mut answer = packet(4, 4, 2, 3_900_000_000, 3_900_000_000);
    answer[3] = 0x20;
    assert!(on_port().datagram(FromResponder, &answer).values(Attribute::Role).is_empty());
}

#[test]
fn on_other_ports_the_answer_tells_what_it_is() {
    // A client that was answered before repeats when: this is no simple one's question.
    let asked = flow().datagram(FromInitiator, &packet(4, 3, 2, 0x1234_5600, 0x1234_5678));
    assert_eq!(asked.conversation.protocol(), Protocol::Unspecified);
    let answered = asked.datagram(FromResponder, &packet(3, 4, 1, 3_900_000_000, 3_900_000_001));
    assert_eq!(answered.values(Attribute::NtpStratum), ["1"]);
    let days_apart = flow().datagram(FromResponder, &packet(3, 4, 1, 3_900_000_000, 3_900_090_000));
    assert_eq!(days_apart.conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn on_other_ports_a_question_is_told_by_its_time_or_by_holding_nothing_else() {
    // The tests' packets pass when 1970 begins.
    for (sent, is_known) in [
        (2_208_988_800, true),
        (2_208_988_800 - 86_000, true),
        (2_208_988_800 + 86_000, true),
        (2_208_988_800 - 87_000, false),
        (2_208_988_800 + 87_000, false),
    ] {
        let asked = flow().datagram(FromInitiator, &packet(4, 3, 2, 0x1234_5600, sent));
        assert_eq!(asked.values(Attribute::NtpVersion).len(), usize::from(is_known), "{sent}");
    }
    // RFC 4330, 5: all zero but the first octet and the time.
    let bare = [&[0x23_u8][..], &[0; 39], &[0xE9, 0x1B, 0x2C, 0x3D, 0x4E, 0x5F, 0x60, 0x71]].concat();
    assert_eq!(flow().datagram(FromInitiator, &bare).values(Attribute::NtpVersion), ["4"]);
    for place in [4, 20, 39] {
        let mut other = bare.clone();
        other[place] = 1;
        let asked = flow().datagram(FromInitiator, &other);
        assert_eq!(asked.conversation.protocol(), Protocol::Unspecified, "{place}");
    }
}

#[test]
fn a_refusal_and_a_clock_that_was_never_set_have_no_stratum() {
    for stratum in [0, 16] {
        let flow = on_port().datagram(FromResponder, &packet(4, 4, stratum, 1, 1));
        assert!(flow.values(Attribute::NtpStratum).is_empty());
    }
}

#[test]
fn a_server_that_tells_of_itself_names_software_and_system() {
    let text = "version=\"ntpd 4.2.6p5@1.2349-o Fri Jul  6 2018\",\r\nprocessor=\"x86_64\", system=\"Linux/4.9.0-8-amd64\", peer=9";
    assert_eq!(
        flow().datagram(FromResponder, &variables(text)).said(),
        [
            "sender 192.0.2.2 role ntp-server",
            "sender 192.0.2.2 amplifier ntp-control",
            "sender 192.0.2.2 software_name ntpd",
            "sender 192.0.2.2 software_version 4.2.6p5",
            "sender 192.0.2.2 operating_system Linux",
            "sender 192.0.2.2 operating_system_version 4.9.0-8-amd64",
        ]
    );
}

#[test]
fn a_list_of_clients_makes_an_amplifier_and_the_question_for_it_does_not() {
    let question = [&[0x17, 0, 3, 42, 0, 0, 0, 0][..], &[0; 40]].concat();
    let list = [&[0x97, 0, 3, 42, 0, 2, 0, 72][..], &[0; 144]].concat();
    let flow = on_port().datagram(FromInitiator, &question).datagram(FromResponder, &list);
    assert_eq!(flow.said(), ["sender 192.0.2.2 role ntp-server", "sender 192.0.2.2 amplifier ntp-monlist"]);
    let empty = [0x97, 0, 3, 42, 0x40, 0, 0, 0];
    assert!(on_port().datagram(FromResponder, &empty).said().is_empty());
}

proptest! {
    #[test]
    fn arbitrary_octets_do_not_panic_and_are_hardly_ever_an_answer(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        prop_assert!(flow().datagram(FromInitiator, &octets).said().is_empty());
        on_port().datagram(FromInitiator, &octets);
    }

    #[test]
    fn mutated_answers_do_not_panic(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        for mut bytes in [packet(4, 4, 2, 1, 1), variables("version=\"ntpd 4\",system=\"Linux/4\"")] {
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = on_port().datagram(FromResponder, &packet(4, 4, 2, 1, 1)).datagram(FromResponder, &bytes);
            prop_assert!(flow.said().len() <= 9);
        }
    }
}
