//! One direction of a TCP connection, put in order.

use proptest::prelude::*;
use wardwatch_flow::reassembly::{Budget, Delivery, Segment, Stream};

use crate::frames::{ACK, FIN, RST, SYN};

/// What a stream delivered.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Part {
    Bytes(Vec<u8>),
    Gap(u64),
    End,
}

fn part(delivery: Delivery<'_>) -> Part {
    match delivery {
        Delivery::Bytes(bytes) => Part::Bytes(bytes.to_vec()),
        Delivery::Gap(missing) => Part::Gap(missing),
        Delivery::End => Part::End,
    }
}

fn bytes(text: &str) -> Part {
    Part::Bytes(text.as_bytes().to_vec())
}

/// A stream, its budget, and what it delivered since last asked.
struct Receiver {
    stream: Stream,
    budget: Budget,
    parts: Vec<Part>,
}

impl Receiver {
    fn new(budget: Budget) -> Self {
        Self { stream: Stream::new(), budget, parts: Vec::new() }
    }

    fn push(&mut self, sequence: u32, flags: u8, payload: &[u8]) -> Vec<Part> {
        let segment = Segment { sequence, flags, payload, length: payload.len() as u32 };
        self.stream.push(segment, &self.budget, &mut |delivery| self.parts.push(part(delivery)));
        std::mem::take(&mut self.parts)
    }

    fn data(&mut self, sequence: u32, text: &str) -> Vec<Part> {
        self.push(sequence, ACK, text.as_bytes())
    }

    fn acknowledge(&mut self, acknowledgment: u32) -> Vec<Part> {
        self.stream
            .acknowledge(acknowledgment, &self.budget, &mut |delivery| self.parts.push(part(delivery)));
        std::mem::take(&mut self.parts)
    }

    fn finish(&mut self) -> Vec<Part> {
        self.stream.finish(&self.budget, &mut |delivery| self.parts.push(part(delivery)));
        std::mem::take(&mut self.parts)
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new(Budget::default())
    }
}

#[test]
fn segments_in_order_pass_through_without_a_copy() {
    let budget = Budget::default();
    let mut stream = Stream::new();
    let payload = b"in place".to_vec();
    let mut seen = None;
    let segment = Segment { sequence: 1, flags: ACK, payload: &payload, length: 8 };
    stream.push(segment, &budget, &mut |delivery| {
        if let Delivery::Bytes(bytes) = delivery {
            seen = Some(bytes.as_ptr());
        }
    });
    assert_eq!(seen, Some(payload.as_ptr()));
}

#[test]
fn syn_and_fin_take_a_sequence_number_each() {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.push(1000, SYN, b""), []);
    assert_eq!(receiver.data(1001, "abc"), [bytes("abc")]);
    assert_eq!(receiver.push(1004, FIN | ACK, b"de"), [bytes("de"), Part::End]);
    assert!(receiver.stream.is_closed());
    assert_eq!(receiver.data(1006, "late"), []);
}

#[test]
fn data_may_come_with_the_syn() {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.push(u32::MAX, SYN, b"fast open"), [bytes("fast open")]);
    assert_eq!(receiver.data(9, "!"), [bytes("!")]);
}

#[test]
fn a_stream_joined_in_the_middle_begins_with_the_first_bytes_seen() {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.data(77, "middle"), [bytes("middle")]);
    assert_eq!(receiver.data(70, "earlier"), []);
    assert_eq!(receiver.data(83, "end"), [bytes("end")]);
}

#[test]
fn segments_ahead_wait_for_the_hole_to_be_filled() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.data(4, "def"), []);
    assert_eq!(receiver.data(10, "jkl"), []);
    assert_eq!(receiver.budget.stats().held_segments, 2);
    assert!(receiver.stream.held_bytes() >= 6);
    assert_eq!(receiver.data(1, "abc"), [bytes("abc"), bytes("def")]);
    assert_eq!(receiver.data(7, "ghi"), [bytes("ghi"), bytes("jkl")]);
    assert_eq!((receiver.stream.held_bytes(), receiver.budget.stats().held_bytes), (0, 0));
}

#[test]
fn repeated_bytes_are_left_out_and_the_first_ones_stay() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.data(1, "abc"), [bytes("abc")]);
    assert_eq!(receiver.data(1, "XYZ"), []);
    assert_eq!(receiver.data(2, "XYde"), [bytes("de")]);
    assert_eq!(receiver.data(8, "hi"), []);
    assert_eq!(receiver.data(7, "gXXj"), []);
    assert_eq!(receiver.data(6, "fXXXXk"), [bytes("f"), bytes("g"), bytes("hi"), bytes("j"), bytes("k")]);
    assert_eq!(receiver.budget.stats().repeated_bytes, 3 + 2 + 2 + 4);
}

#[test]
fn sequence_numbers_wrap() {
    let mut receiver = Receiver::default();
    receiver.push(u32::MAX - 2, SYN, b"");
    assert_eq!(receiver.data(2, "ef"), []);
    assert_eq!(receiver.data(u32::MAX - 1, "abcd"), [bytes("abcd"), bytes("ef")]);
}

#[test]
fn what_the_peer_acknowledged_will_not_come_again() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.data(101, "after"), []);
    assert_eq!(receiver.acknowledge(50), []);
    assert_eq!(receiver.acknowledge(101), [Part::Gap(100), bytes("after")]);
    // The acknowledgment may also be seen before the bytes behind the hole.
    assert_eq!(receiver.acknowledge(300), []);
    assert_eq!(receiver.data(206, "more"), [Part::Gap(100), bytes("more")]);
    assert_eq!(receiver.budget.stats().gap_bytes, 200);
}

#[test]
fn an_acknowledgment_that_overtook_its_data_loses_nothing() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.acknowledge(4), []);
    assert_eq!(receiver.data(1, "abc"), [bytes("abc")]);
}

#[test]
fn a_fin_behind_a_hole_ends_the_stream_when_its_turn_comes() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.push(4, FIN | ACK, b""), []);
    assert_eq!(receiver.data(1, "abc"), [bytes("abc"), Part::End]);

    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.push(4, FIN | ACK, b""), []);
    assert_eq!(receiver.acknowledge(5), [Part::Gap(3), Part::End]);
}

#[test]
fn a_stream_keeps_no_more_than_its_share() {
    let mut receiver = Receiver::new(Budget::new(1 << 20, 900));
    receiver.push(0, SYN, b"");
    let block = [b'x'; 300];
    assert_eq!(receiver.push(11, ACK, &block), []);
    assert_eq!(receiver.push(611, ACK, &block), []);
    let parts = receiver.push(1211, ACK, &block);
    assert_eq!(parts, [Part::Gap(10), Part::Bytes(block.to_vec())]);
    assert!(receiver.stream.held_bytes() <= 900);
    assert_eq!(receiver.budget.stats().stream_full, 1);
    assert_eq!(
        receiver.finish(),
        [Part::Gap(300), Part::Bytes(block.to_vec()), Part::Gap(300), Part::Bytes(block.to_vec())]
    );
}

#[test]
fn all_streams_share_one_budget() {
    let budget = Budget::new(1000, 1000);
    let mut first = Receiver::new(budget.clone());
    let mut second = Receiver::new(budget.clone());
    first.push(0, SYN, b"");
    second.push(0, SYN, b"");
    assert_eq!(first.push(11, ACK, &[1; 800]), []);
    assert_eq!(second.push(11, ACK, &[2; 800]), [Part::Gap(10), Part::Bytes(vec![2; 800])]);
    assert_eq!(budget.stats().budget_full, 1);
    drop(first);
    assert_eq!(budget.stats().held_bytes, 0);
    assert_eq!(second.push(821, ACK, &[2; 800]), []);
}

#[test]
fn bytes_cut_by_a_snap_length_are_a_gap() {
    let mut receiver = Receiver::default();
    let segment = Segment { sequence: 1, flags: ACK, payload: b"head", length: 1000 };
    let mut parts = Vec::new();
    receiver.stream.push(segment, &receiver.budget, &mut |delivery| parts.push(part(delivery)));
    assert_eq!(parts, [bytes("head"), Part::Gap(996)]);
    assert_eq!(receiver.data(1001, "next"), [bytes("next")]);
}

#[test]
fn a_closed_stream_costs_nothing() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    receiver.data(100, "waiting");
    receiver.stream.close();
    assert_eq!(receiver.budget.stats().held_bytes, 0);
    assert_eq!(receiver.data(1, "abc"), []);
    assert_eq!(receiver.acknowledge(200), []);
}

#[test]
fn a_reset_and_strays_change_nothing() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    assert_eq!(receiver.push(1, RST, b"why it was reset"), []);
    assert_eq!(receiver.data(1 << 31, "forged"), []);
    assert_eq!(receiver.budget.stats().out_of_window, 1);
    assert_eq!(receiver.data(1, "abc"), [bytes("abc")]);
}

#[test]
fn a_stream_lost_sight_of_goes_on_where_it_is() {
    let mut receiver = Receiver::default();
    receiver.push(0, SYN, b"");
    let far = 3 << 29;
    for segment in 0..7 {
        assert_eq!(receiver.push(far + segment * 4, ACK, b"lost"), []);
    }
    assert_eq!(receiver.push(far + 28, ACK, b"here"), [Part::Gap(u64::from(far) + 27), bytes("here")]);
}

/// A stream cut into segments that overlap, repeat and come in any order.
fn shuffled_segments() -> impl Strategy<Value = (Vec<u8>, u32, Vec<(usize, usize)>)> {
    (prop::collection::vec(any::<u8>(), 1..400), any::<u32>())
        .prop_flat_map(|(stream, initial)| {
            let length = stream.len();
            let cuts = prop::collection::vec(1..=length, 0..20);
            let repeats = prop::collection::vec((0..length, 1..=length), 0..10);
            (Just(stream), Just(initial), cuts, repeats)
        })
        .prop_flat_map(|(stream, initial, mut cuts, repeats)| {
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut segments: Vec<_> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
            segments.extend(repeats.iter().map(|(from, length)| (*from, (from + length).min(stream.len()))));
            (Just(stream), Just(initial), Just(segments).prop_shuffle())
        })
}

proptest! {
    #[test]
    fn a_cut_repeated_and_shuffled_stream_is_whole_again((stream, initial, segments) in shuffled_segments()) {
        let mut receiver = Receiver::default();
        receiver.push(initial, SYN, b"");
        let mut parts = Vec::new();
        for (from, to) in segments {
            let flags = if to == stream.len() { FIN | ACK } else { ACK };
            let sequence = initial.wrapping_add(1).wrapping_add(from as u32);
            parts.extend(receiver.push(sequence, flags, &stream[from..to]));
        }
        prop_assert_eq!(parts.pop(), Some(Part::End));
        let mut whole = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(bytes) => whole.extend(bytes),
                other => prop_assert!(false, "unexpected {:?}", other),
            }
        }
        prop_assert_eq!(whole, stream);
        prop_assert_eq!(receiver.budget.stats().held_bytes, 0);
    }

    #[test]
    fn with_losses_and_little_room_every_byte_still_has_its_place(
        (stream, initial, segments) in shuffled_segments(),
        lost in prop::collection::vec(any::<bool>(), 0..30),
        limit in 0usize..600,
    ) {
        let mut receiver = Receiver::new(Budget::new(limit, limit));
        receiver.push(initial, SYN, b"");
        let mut parts = Vec::new();
        for (place, (from, to)) in segments.into_iter().enumerate() {
            if lost.get(place) != Some(&true) {
                let sequence = initial.wrapping_add(1).wrapping_add(from as u32);
                parts.extend(receiver.push(sequence, ACK, &stream[from..to]));
                prop_assert!(receiver.stream.held_bytes() <= limit);
            }
        }
        parts.extend(receiver.finish());
        let mut at = 0;
        for part in parts {
            match part {
                Part::Bytes(bytes) => {
                    prop_assert_eq!(&stream[at..at + bytes.len()], &bytes[..]);
                    at += bytes.len();
                }
                Part::Gap(missing) => at += missing as usize,
                Part::End => prop_assert!(false, "no FIN was sent"),
            }
        }
        prop_assert!(at <= stream.len());
    }

    #[test]
    fn any_segments_leave_the_budget_as_it_was(
        segments in prop::collection::vec((any::<u32>(), any::<u8>(), 0usize..50, any::<u32>(), any::<u32>()), 0..60),
    ) {
        let mut receiver = Receiver::new(Budget::new(500, 300));
        for (sequence, flags, captured, length, acknowledgment) in segments {
            let payload = vec![0; captured];
            let segment = Segment { sequence, flags, payload: &payload, length };
            receiver.stream.push(segment, &receiver.budget, &mut |_| {});
            receiver.acknowledge(acknowledgment);
            prop_assert!(receiver.budget.stats().held_bytes <= 500);
        }
        receiver.stream.close();
        prop_assert_eq!(receiver.budget.stats().held_bytes, 0);
    }
}
