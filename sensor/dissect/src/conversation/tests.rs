//! The conversation with a small line protocol: what matters here is who gets which bytes when.

use std::cell::Cell;

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
    assert_eq!(conversation.gap(Direction::FromInitiator, 900, &mut statements), Interest::Keep);
    conversation.bytes(&input(Direction::FromInitiator, &[b'x'; 96]), &mut statements);
    conversation.bytes(&input(Direction::FromInitiator, b"Nb\n"), &mut statements);
    assert_eq!(names(&statements), ["a", "b"]);
}

#[test]
fn a_hole_in_what_is_read_ends_it() {
    let (mut conversation, mut statements) = (Conversation::new(LINES), Statements::default());
    conversation.bytes(&input(Direction::FromInitiator, b"Na\nNb"), &mut statements);
    assert_eq!(conversation.gap(Direction::FromInitiator, 1, &mut statements), Interest::Lost);
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

thread_local! {
    /// How often [`Counted`] was shown something, and how many bytes in all.
    static SHOWN: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// [`Lines`], counted.
struct Counted;

impl Dissector for Counted {
    fn protocol(&self) -> Protocol {
        Protocol::Hl7
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        SHOWN.set((SHOWN.get().0 + 1, SHOWN.get().1 + input.bytes.len()));
        Lines.dissect(input, facts)
    }
}

const COUNTED: &[Candidate] = &[Candidate { start: || Box::new(Counted), ..LINES[0] }];

/// A flow in which the responder has said half of a line of this length, name and all, in segments of that length; with how
/// many segments those were.
fn half_said(length: usize, segment: usize) -> (Conversation, Statements, usize) {
    let (mut conversation, mut statements) = (Conversation::new(COUNTED), Statements::default());
    conversation.bytes(&input(Direction::FromInitiator, b"Nalpha\n"), &mut statements);
    SHOWN.set((0, 0));
    let line = vec![b'N'; length];
    let segments = line.chunks(segment);
    let count = segments.len();
    segments.for_each(|bytes| {
        assert_eq!(
            conversation.bytes(&input(Direction::FromResponder, bytes), &mut statements),
            Interest::Keep
        );
    });
    (conversation, statements, count)
}

#[test]
fn what_is_shown_again_is_paid_for_by_what_came() {
    let (_, _, segments) = half_said(100_000, 1);
    let (looks, bytes) = SHOWN.get();
    assert!(bytes <= segments * (1024 + 32), "{bytes} bytes in {segments} segments");
    // Every 95 bytes at the end of so many, if not before; more often while they are fewer.
    assert!(looks >= segments / 95 && looks <= segments / 10, "{looks} looks in {segments} segments");
}

#[test]
fn messages_of_a_usual_length_are_shown_with_every_segment() {
    for (length, segment) in [(1000, 1), (1500, 3), (64 * 1024, 1460), (6 * 32 * 1024, 32 * 1024)] {
        let (_, _, segments) = half_said(length, segment);
        assert_eq!(SHOWN.get().0, segments, "{length} bytes in segments of {segment}");
    }
}

#[test]
fn what_was_not_shown_is_read_before_anything_else_goes_on() {
    let unread = |end: &dyn Fn(&mut Conversation, &mut Statements)| {
        let (mut conversation, mut statements, _) = half_said(20_000, 1);
        for byte in b"\nNbeta\nNga" {
            let shown = SHOWN.get();
            conversation.bytes(&input(Direction::FromResponder, &[*byte]), &mut statements);
            assert_eq!(SHOWN.get(), shown, "it is for this test that it is not shown");
        }
        end(&mut conversation, &mut statements);
        names(&statements).into_iter().filter(|name| name.len() < 10).map(str::to_owned).collect::<Vec<_>>()
    };
    let silent = unread(&|_, _| {});
    assert_eq!(silent, ["alpha"]);
    let answered = unread(&|conversation, statements| {
        conversation.bytes(&input(Direction::FromInitiator, b"Ndelta\n"), statements);
    });
    assert_eq!(answered, ["alpha", "beta", "delta"]);
    let lost = unread(&|conversation, statements| {
        assert_eq!(conversation.gap(Direction::FromInitiator, 1, statements), Interest::Lost);
    });
    assert_eq!(lost, ["alpha", "beta"]);
    let ended = unread(&|conversation, statements| {
        assert_eq!(conversation.catch_up(statements), Interest::Keep);
        assert!(conversation.held_bytes() < 10);
    });
    assert_eq!(ended, ["alpha", "beta"]);
}

/// Who says what, in lines of which some are long, and how it is cut.
fn talk() -> impl Strategy<Value = (Vec<(Direction, Vec<u8>)>, Vec<usize>)> {
    let line = prop_oneof![
        "N[a-z]{1,12}\n".prop_map(String::into_bytes),
        (1000_usize..9000).prop_map(|length| [b"N", &vec![b'n'; length][..], b"\n"].concat()),
        (0_usize..5000).prop_map(|skip| [format!("S{skip}\n").as_bytes(), &vec![b'x'; skip]].concat()),
    ];
    let direction = prop_oneof![Just(Direction::FromInitiator), Just(Direction::FromResponder)];
    let turns = prop::collection::vec((direction, line), 1..12);
    (turns, prop::collection::vec(prop_oneof![1_usize..4, 1_usize..2000], 1..40))
}

proptest! {
    #[test]
    fn the_same_is_stated_as_if_every_line_had_come_at_once((turns, cuts) in talk()) {
        let (mut whole, mut of_whole) = (Conversation::new(LINES), Statements::default());
        let (mut cut, mut of_cut) = (Conversation::new(LINES), Statements::default());
        let mut cuts = cuts.into_iter().cycle();
        for conversation in [&mut whole, &mut cut] {
            conversation.bytes(&input(Direction::FromInitiator, b"Nalpha\n"), &mut Statements::default());
        }
        for (direction, bytes) in &turns {
            whole.bytes(&input(*direction, bytes), &mut of_whole);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                cut.bytes(&input(*direction, now), &mut of_cut);
                rest = later;
                prop_assert!(cut.held_bytes() < Conversation::HELD_BYTES);
            }
        }
        cut.catch_up(&mut of_cut);
        let stated = |statements: Statements| statements.observations;
        prop_assert_eq!(stated(of_whole), stated(of_cut));
        prop_assert_eq!(whole.outcome(), cut.outcome());
    }

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
