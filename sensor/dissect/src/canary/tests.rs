//! No canary leaves a conversation, and every control value does.

use std::net::Ipv4Addr;

use std::collections::BTreeSet;

use super::*;
use crate::{Address, Carrier, Conversation, Input, LINK, Outcome, Statements, TCP, UDP};

/// Everything that is stated of a stream, with its TCP bytes cut into segments of this size.
fn stated(stream: &CanaryStream, segment: usize) -> (Conversation, Statements) {
    let initiator = stream.initiator().unwrap_or([10, 71, 0, 1].into());
    let end = |ip: Ipv4Addr, port| Address { mac: None, ip: Some(ip.into()), port };
    let (candidates, carrier) = match stream.transport {
        Transport::Tcp => (TCP, Carrier::Transport),
        Transport::Udp => (UDP, Carrier::Transport),
        Transport::Link(carrier) => (LINK, carrier),
    };
    let (mut conversation, mut statements) = (Conversation::new(candidates), Statements::default());
    for Turn { direction, bytes } in &stream.turns {
        let (sender, receiver) = match direction {
            Direction::FromInitiator => (end(initiator, 40_000), end([10, 72, 0, 1].into(), stream.port)),
            Direction::FromResponder => (end([10, 72, 0, 1].into(), stream.port), end(initiator, 40_000)),
        };
        let input = |bytes| Input { direction: *direction, sender, receiver, at: 1, flow: 1, carrier, bytes };
        match stream.transport {
            Transport::Tcp => bytes.chunks(segment).for_each(|bytes| {
                conversation.bytes(&input(bytes), &mut statements);
            }),
            Transport::Udp | Transport::Link(_) => _ = conversation.datagram(&input(bytes), &mut statements),
        }
    }
    conversation.catch_up(&mut statements);
    (conversation, statements)
}

#[test]
fn no_canary_leaves_and_every_control_value_does() {
    for stream in streams() {
        let (conversation, statements) = stated(&stream, 1460);
        assert!(
            matches!(conversation.outcome(), Outcome::Going | Outcome::Learned),
            "{}: {conversation:?}",
            stream.name
        );
        // The debug form holds every field of every observation, text and numbers.
        let told = format!("{:?}", statements.observations);
        if let Some(canary) = stream.canary_in(told.as_bytes()) {
            let leak = statements
                .observations
                .iter()
                .find(|told| stream.canary_in(format!("{told:?}").as_bytes()).is_some());
            panic!("{}: {canary} in {leak:?}", stream.name);
        }
        let said: BTreeSet<_> =
            statements.observations.iter().map(|told| (told.attribute, told.value.as_str())).collect();
        for (attribute, value) in &stream.expected {
            assert!(
                said.contains(&(*attribute as i32, value.as_str())),
                "{}: {attribute:?} {value} is missing in {said:?}",
                stream.name
            );
        }
    }
}

#[test]
fn where_a_stream_is_cut_makes_no_difference() {
    for stream in streams().filter(|stream| stream.bytes(Direction::FromInitiator).len() < 100_000) {
        let [(_, coarse), (_, fine)] = [1460, 7].map(|segment| stated(&stream, segment));
        assert_eq!(coarse.observations, fine.observations, "{}", stream.name);
    }
}

#[test]
fn every_stream_holds_what_it_says_it_holds() {
    let mut names = BTreeSet::new();
    for stream in streams() {
        assert!(names.insert(stream.name.clone()), "{} twice", stream.name);
        assert!(!stream.canaries.is_empty() && !stream.expected.is_empty(), "{}", stream.name);
        let wire: Vec<u8> = stream.turns.iter().flat_map(|turn| turn.bytes.clone()).collect();
        let found = stream.canary_in(&wire).is_some();
        assert!(found, "{} carries none of its canaries", stream.name);
    }
}

#[test]
fn a_canary_is_found_in_any_case_of_letters() {
    let stream = streams().next().expect("there are some");
    let canary = stream.canaries.first().expect("it has some").to_ascii_lowercase();
    assert!(stream.canary_in(format!("x{canary}y").as_bytes()).is_some());
    assert_eq!(stream.canary_in(b"nothing"), None);
}
