//! Any bytes on any link: read or refused, and lengths that fit together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardwatch_flow::packet::{self, Link};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let link = match first % 5 {
        0 => Link::Ethernet,
        1 => Link::RawIp,
        2 => Link::LinuxSll,
        3 => Link::LinuxSll2,
        _ => Link::BsdLoopback,
    };
    if let Ok(packet) = packet::parse(link, None, bytes, bytes.len() as u32) {
        assert!(packet.payload.len() as u32 <= packet.payload_length);
        assert!(packet.frame_length as usize >= bytes.len());
    }
});
