//! Any segments: every delivered byte is the one its place in the stream had when it first came.
//!
//! The input is a row of segments: place in the stream (one byte), length (one byte), flags or acknowledgment (one
//! byte). The byte at a place is its place, so that a wrong offset shows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardwatch_flow::reassembly::{Budget, Delivery, Segment, Stream};

const INITIAL: u32 = u32::MAX - 100;

fuzz_target!(|input: &[u8]| {
    let bytes: Vec<u8> = (0..=u8::MAX).chain(0..=u8::MAX).collect();
    let budget = Budget::new(400, 300);
    let mut stream = Stream::new();
    let mut place = 0_u64;
    let mut ended = false;
    let mut check = |delivery: Delivery<'_>| {
        assert!(!ended, "nothing comes after the end");
        match delivery {
            Delivery::Bytes(delivered) => {
                for byte in delivered {
                    assert_eq!(u64::from(*byte), place % 256);
                    place += 1;
                }
            }
            Delivery::Gap(missing) => place += missing,
            Delivery::End => ended = true,
        }
    };
    let syn = Segment { sequence: INITIAL.wrapping_sub(1), flags: 0x02, payload: &[], length: 0 };
    stream.push(syn, &budget, &mut check);
    for chunk in input.chunks_exact(3) {
        let [at, length, what] = [chunk[0], chunk[1], chunk[2]];
        let sequence = INITIAL.wrapping_add(u32::from(at));
        if what & 0x80 != 0 {
            stream.acknowledge(sequence, &budget, &mut check);
            continue;
        }
        let payload = &bytes[usize::from(at)..usize::from(at) + usize::from(length)];
        let captured = if what & 0x40 == 0 { payload } else { &payload[..payload.len() / 2] };
        let segment = Segment { sequence, flags: what & 0x01, payload: captured, length: payload.len() as u32 };
        stream.push(segment, &budget, &mut check);
        assert!(budget.stats().held_bytes <= 300);
    }
    stream.finish(&budget, &mut check);
    assert_eq!(budget.stats().held_bytes, 0);
});
