//! Steps of files: frames that lie in memory come together, and nothing is waited for that they might be more.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;
use wardwatch_capture::{CaptureFile, MOST_FRAMES, Pace, Source, Step};

use crate::bytes::{
    MICROSECONDS, Order, block, enhanced_packet, interface, pcap_header, pcap_record, section,
};
use crate::reading::{read, written};

/// Frames in each step of a file that is read to its end.
fn steps(file: &[u8]) -> Vec<usize> {
    let path = written(file);
    let mut file = CaptureFile::open(path.path(), Pace::Full).expect("a capture");
    let mut steps = Vec::new();
    while let Step::Frames(frames) = file.next().expect("a sound capture") {
        steps.push(frames.len());
    }
    steps
}

#[test]
fn frames_of_a_file_come_as_many_at_a_time_as_a_step_may_have() {
    let order = Order::Big;
    let records = (0..70).map(|second| pcap_record(order, second, 0, 60, &[0; 60]));
    let pcap: Vec<u8> =
        std::iter::once(pcap_header(order, MICROSECONDS, 1)).chain(records).flatten().collect();
    assert_eq!(steps(&pcap), [MOST_FRAMES, MOST_FRAMES, 70 - 2 * MOST_FRAMES]);
}

#[test]
fn a_block_that_is_no_packet_ends_a_step() {
    let order = Order::Little;
    let packet = || enhanced_packet(order, 0, 1, 60, b"packet");
    let begin = [section(order), interface(order, 1, 0, &[])].concat();
    let blocks = [begin, packet(), packet(), block(order, 5, &[0; 12]), packet(), packet(), packet()];
    assert_eq!(steps(&blocks.concat()), [2, 3]);
}

#[test]
fn what_is_in_a_pipe_is_handed_over_before_more_comes() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let order = Order::Little;
    let record = || pcap_record(order, 1, 0, 5, b"frame");
    writer
        .write_all(&[pcap_header(order, MICROSECONDS, 1), record(), record(), record()].concat())
        .expect("room");
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let (tell, told) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut file = CaptureFile::open(path, Pace::Full).expect("a capture");
        while let Step::Frames(frames) = file.next().expect("a sound capture") {
            tell.send(frames.len()).expect("somebody who listens");
        }
    });
    let patience = Duration::from_mins(1);
    assert_eq!(told.recv_timeout(patience), Ok(3));
    writer.write_all(&record()).expect("room");
    assert_eq!(told.recv_timeout(patience), Ok(1));
    drop(writer);
    reading.join().expect("it ends with what is written to it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Frames of any lengths, of which the memory that a file is read through holds a few or many.
    #[test]
    fn frames_are_the_same_however_they_lie_in_memory(
        lengths in prop::collection::vec(prop_oneof![4 => 0_usize..200, 2 => 200_usize..9_000, 1 => 9_000_usize..200_000], 1..150),
    ) {
        let order = Order::Little;
        let packets: Vec<Vec<u8>> = lengths.iter().enumerate().map(|(n, length)| vec![n as u8; *length]).collect();
        let wire = |packet: &[u8]| packet.len() as u32;
        let mut pcap = pcap_header(order, MICROSECONDS, 1);
        let mut pcapng = [section(order), interface(order, 1, 0, &[])].concat();
        for packet in &packets {
            pcap.extend(pcap_record(order, 1, 0, wire(packet), packet));
            pcapng.extend(enhanced_packet(order, 0, 1, wire(packet), packet));
        }
        for file in [pcap, pcapng] {
            let reading = read(&file);
            prop_assert!(reading.error.is_none());
            prop_assert!(reading.packets().iter().eq(packets.iter()), "{lengths:?}");
        }
    }
}
