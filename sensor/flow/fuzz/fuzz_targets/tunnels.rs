//! Any bytes in any tunnel, and tunnels in them: read or refused, never deeper than the bound.
//!
//! The first byte of the input says in which tunnel the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardwatch_flow::packet::{self, Link, Tunnels};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let bytes = bytes.get(..1400).unwrap_or(bytes);
    let ports = [2152_u16, 4789, 4790, 6081, 8472];
    let (protocol, transport) = match first % 8 {
        which @ 0..5 => {
            let [p0, p1] = ports[usize::from(which)].to_be_bytes();
            let [l0, l1] = (8 + bytes.len() as u16).to_be_bytes();
            (17, [&[0xc0, 0, p0, p1, l0, l1, 0, 0], bytes].concat())
        }
        5 => (4, bytes.to_vec()),
        6 => (41, bytes.to_vec()),
        _ => (47, bytes.to_vec()),
    };
    let [l0, l1] = (20 + transport.len() as u16).to_be_bytes();
    let header = [0x45, 0, l0, l1, 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    let frame = [&header[..], &transport].concat();
    let mut packet = packet::parse(Link::RawIp, None, &frame, frame.len() as u32).expect("a sound outer packet");
    let mut depth = 0;
    while let Some(Ok(inside)) = packet::inside(&packet) {
        assert!(inside.payload.len() as u32 <= inside.payload_length);
        assert_eq!(inside.frame_length, packet.frame_length);
        assert!(!inside.tunnels.is_empty());
        packet = inside;
        depth += 1;
    }
    assert!(depth <= Tunnels::MAX);
});
