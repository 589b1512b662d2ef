//! The conversation with a small line protocol: what matters here is who gets which bytes when.

use super::*;
use crate::{Address, Carrier, Dissector};
use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

/// Lines that begin with `N` name the sender, lines that begin with `S` announce that many bytes to skip.
struct Lines;

impl Dissector for Lines {
    fn protocol(&self) -> Protocol {
        Protocol::Hl7
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(end) = input.bytes.iter().position(|byte| *byte == b'\n') else { return Progress::NeedMore };
        let line = std::str::from_utf8(&input.bytes[..end]).unwrap_or_default();
        match line.split_at_checked(1) {
            Some(("N", name)) => facts.of_sender(Attribute::HostName, name),
            Some(("S", count)) => return Progress::Consumed(end + 1 + count.parse::<usize>().unwrap_or(0)),
            Some(("Q", _)) => return Progress::Done,
            _ => return Progress::Broken("no such line"),
        }
        Progress::Consumed(end + 1)
    }
}

const LINES: &[Candidate] = &[Candidate {
    protocol: Protocol::Hl7,
    probe: |input| match input.bytes {
        [b'L', b'I', ..] | [b'N' | b'S', _, _, ..] => Probe::Certain,
        [b'N' | b'S', ..] => Probe::Unsure,
        _ => Probe::NotForUs,
    },
    start: || Box::new(Lines),
}];

fn input(direction: Direction, bytes: &[u8]) -> Input<'_> {
    let end = |last: u8| Address { mac: None, ip: Some([192, 0, 2, last].into()), port: 7 };
    let (sender, receiver) = match direction {
        Direction::FromInitiator => (end(1), end(2)),
        Direction::FromResponder => (end(2), end(1)),
    };
    Input { direction, sender, receiver, at: 1, flow: 1, carrier: Carrier::default(), bytes }
}

fn names(statements: &Statements) -> Vec<&str> {
    statements.observations.iter().map(|observation| observation.value.as_str()).collect()
}

#[test]
fn bytes_of_both_sides_that_came_before_recognition_are_read_in_order() {
    let mut statements = Statements::default();
    let mut conversation = Conversation::new(LINES);
    conversation.bytes(&input(Direction::FromResponder, b"N"), &mut statements);
    conversation.bytes(&input(Direction::FromInitiator, b"N1a\nN1b\n"), &mut statements);
    conversation.bytes(&input(Direction::FromResponder, b"2a\n"), &mut statements);
    assert_eq!(names(&statements), ["1a", "1b", "2a"]);
    assert_eq!(conversation.protocol(), Protocol::Hl7);
}

#[test]
fn what_is_skipped_is_never_seen_even_when_it_is_lost() {
    let mut statements = Statements::default();
    let mut conversation = Conversation::new(LINES);
    conversation.bytes(&input(Direction::FromInitiator, b"Na\nS1000\nxxxx"), &mut statements);
    assert_eq!(conversation.gap(Direction::FromInitiator, 900), Interest::Keep);
    conversation.bytes(&input(Direction::FromInitiator, &[b'x'; 96]), &mut statements);
    conversation.bytes(&input(Direction::FromInitiator, b"Nb\n"), &mut statements);
    assert_eq!(names(&statements), ["a", "b"]);
}

#[test]
fn a_hole_in_what_is_read_ends_it() {
    let mut conversation = Conversation::new(LINES);
    conversation.bytes(&input(Direction::FromInitiator, b"Na\nNb"), &mut Statements::default());
    assert_eq!(conversation.gap(Direction::FromInitiator, 1), Interest::Lost);
    assert_eq!(conversation.outcome(), Outcome::Hole);
    assert_eq!(conversation.protocol(), Protocol::Hl7);
}

#[test]
fn an_unknown_flow_is_given_up_when_both_sides_have_been_seen() {
    let mut statements = Statements::default();
    let mut conversation = Conversation::new(LINES);
    assert_eq!(
        conversation.bytes(&input(Direction::FromInitiator, b"\x16\x03"), &mut statements),
        Interest::Keep
    );
    assert_eq!(
        conversation.bytes(&input(Direction::FromResponder, b"\x16\x03"), &mut statements),
        Interest::Lost
    );
    assert_eq!(conversation.outcome(), Outcome::Unrecognised);
    assert_eq!(conversation.held_bytes(), 0);
}

#[test]
fn a_message_without_end_is_given_up_at_the_bound() {
    let mut statements = Statements::default();
    let mut conversation = Conversation::new(LINES);
    let chunk = [b'N'; 16 * 1024];
    let mut fed = 0;
    while conversation.bytes(&input(Direction::FromInitiator, &chunk), &mut statements) == Interest::Keep {
        fed += chunk.len();
        assert!(fed <= BUFFER_BYTES);
    }
    assert_eq!(conversation.outcome(), Outcome::Broken("message longer than the buffer"));
}

proptest! {
    #[test]
    fn where_the_segments_are_cut_makes_no_difference(cuts in prop::collection::vec(1_usize..9, 1..40)) {
        let stream: &[u8] = b"Nalpha\nS5\nxxxxxNbeta\nNgamma\nS0\nNdelta\n";
        let mut statements = Statements::default();
        let mut conversation = Conversation::new(LINES);
        let (mut rest, mut cuts) = (stream, cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            conversation.bytes(&input(Direction::FromInitiator, now), &mut statements);
            rest = later;
        }
        prop_assert_eq!(names(&statements), ["alpha", "beta", "gamma", "delta"]);
    }
}
