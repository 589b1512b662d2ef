//! What is written is a pcap file by its draft, and reads as it was written.

use std::io;

use wardwatch_capture::CaptureWriter;

use crate::bytes::{NANOSECONDS, Order, pcap_header, pcap_record};
use crate::reading::read;

#[test]
fn a_capture_is_written_as_the_format_has_it() {
    let mut file = Vec::new();
    let mut writer = CaptureWriter::ethernet(&mut file).expect("memory takes it");
    writer.frame(1_700_000_000_123_456_789, 60, b"whole or").expect("memory takes it");
    writer.frame(4_294_967_295_999_999_999, 1514, b"not").expect("memory takes it");
    writer.finish().expect("memory takes it");
    let expected = [
        pcap_header(Order::Little, NANOSECONDS, 1),
        pcap_record(Order::Little, 1_700_000_000, 123_456_789, 60, b"whole or"),
        pcap_record(Order::Little, u32::MAX, 999_999_999, 1514, b"not"),
    ];
    assert_eq!(file, expected.concat());
    let reading = read(&file);
    assert_eq!(reading.times(), [1_700_000_000_123_456_789, 4_294_967_295_999_999_999]);
    assert_eq!(reading.packets(), [&b"whole or"[..], b"not"]);
}

#[test]
fn what_the_format_cannot_tell_is_refused() {
    let mut file = Vec::new();
    let mut writer = CaptureWriter::ethernet(&mut file).expect("memory takes it");
    let late = writer.frame(4_294_967_296_000_000_000, 60, b"late").expect_err("the year 2106");
    let long = writer.frame(0, 300_000, &vec![0; 300_000]).expect_err("longer than any frame");
    assert!([late, long].iter().all(|error| error.kind() == io::ErrorKind::InvalidInput));
    assert_eq!(file.len(), 24, "nothing but the header");
}
