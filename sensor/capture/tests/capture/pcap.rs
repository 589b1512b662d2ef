//! The pcap format, as draft-ietf-opsawg-pcap defines it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use wardwatch_capture::{CaptureError, CaptureFile, LinkType, Pace, Source, Statistics};

use crate::bytes::{MICROSECONDS, NANOSECONDS, Order, pcap_header, pcap_record};
use crate::reading::{Seen, read, read_path, written};

/// 2012-06-29 07:28:25 UTC.
const SECONDS: u32 = 1_340_954_905;

#[test]
fn both_byte_orders_and_both_resolutions_give_the_same_frame() {
    for order in Order::BOTH {
        for (magic, fraction) in [(MICROSECONDS, 298_858), (NANOSECONDS, 298_858_000)] {
            let file =
                [pcap_header(order, magic, 1), pcap_record(order, SECONDS, fraction, 5, b"frame")].concat();
            let reading = read(&file);
            let expected = Seen {
                at: 1_340_954_905_298_858_000,
                wire_length: 5,
                link: LinkType::Ethernet,
                bytes: b"frame".to_vec(),
            };
            assert_eq!(reading.frames, [expected], "{order:?} {magic:#x}");
            assert_eq!(reading.statistics, Statistics { frames: 1, bytes: 5, ..Statistics::default() });
            assert!(reading.error.is_none());
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let order = Order::Little;
    let file = [pcap_header(order, NANOSECONDS, 1), pcap_record(order, 1, 999_999_999, 1, b"x")].concat();
    assert_eq!(read(&file).times(), [1_999_999_999]);
}

#[test]
fn the_longer_record_header_of_patched_libpcaps_is_skipped() {
    let order = Order::Little;
    let mut file = pcap_header(order, 0xa1b2_cd34, 1);
    for field in [1, 2, 5, 5, 0xdead_beef, 0xdead_beef] {
        file.extend(order.u32(field)); // the last two: interface, protocol and packet type
    }
    file.extend(b"frame");
    let reading = read(&file);
    assert_eq!(reading.packets(), [b"frame"]);
    assert_eq!(reading.times(), [1_000_002_000]);
}

#[test]
fn a_packet_cut_by_the_snapshot_length_keeps_its_length_on_the_wire() {
    let order = Order::Big;
    let file = [pcap_header(order, MICROSECONDS, 1), pcap_record(order, 1, 0, 1514, b"begin")].concat();
    let reading = read(&file);
    assert_eq!(reading.frames[0].wire_length, 1514);
    assert_eq!(reading.frames[0].bytes, b"begin");
}

#[test]
fn link_types_are_those_of_the_registry() {
    let known = [
        (0, LinkType::Null),
        (1, LinkType::Ethernet),
        (101, LinkType::RawIp),
        (108, LinkType::Loop),
        (113, LinkType::LinuxSll),
        (127, LinkType::Other(127)), // radiotap
        (228, LinkType::RawIp),
        (229, LinkType::RawIp),
        (276, LinkType::LinuxSll2),
    ];
    for (number, link) in known {
        let order = Order::Little;
        let file = [pcap_header(order, MICROSECONDS, number), pcap_record(order, 1, 0, 1, b"x")].concat();
        assert_eq!(read(&file).frames[0].link, link, "link type {number}");
    }
}

#[test]
fn the_flags_above_the_link_type_do_not_change_it() {
    // Frame check sequence of four bytes: the upper four bits, and the flag that says so.
    let order = Order::Little;
    let link = 4 << 28 | 1 << 26 | 1;
    let file = [pcap_header(order, MICROSECONDS, link), pcap_record(order, 1, 0, 1, b"x")].concat();
    assert_eq!(read(&file).frames[0].link, LinkType::Ethernet);
}

#[test]
fn an_empty_capture_has_no_frames() {
    let reading = read(&pcap_header(Order::Little, MICROSECONDS, 1));
    assert!(reading.frames.is_empty() && reading.error.is_none());
    assert_eq!(reading.statistics, Statistics::default());
}

#[test]
fn time_that_goes_back_is_counted_and_told_as_it_is() {
    let order = Order::Little;
    let mut file = pcap_header(order, MICROSECONDS, 1);
    for seconds in [5, 4, 6] {
        file.extend(pcap_record(order, seconds, 0, 1, b"x"));
    }
    let reading = read(&file);
    assert_eq!(reading.times(), [5_000_000_000, 4_000_000_000, 6_000_000_000]);
    assert_eq!(reading.statistics.backwards, 1);
}

#[test]
fn a_fraction_of_more_than_a_second_is_no_time() {
    let order = Order::Little;
    let mut file = pcap_header(order, MICROSECONDS, 1);
    file.extend(pcap_record(order, 5, 0, 1, b"x"));
    file.extend(pcap_record(order, 6, 1_000_000, 1, b"x"));
    file.extend(pcap_record(order, u32::MAX, u32::MAX, 1, b"x"));
    let reading = read(&file);
    assert_eq!(reading.times(), [5_000_000_000; 3], "each gets the time of the frame before");
    assert_eq!(reading.statistics.untimed, 2);
}

#[test]
fn the_last_second_of_the_format_is_a_time() {
    let order = Order::Little;
    let file = [pcap_header(order, MICROSECONDS, 1), pcap_record(order, u32::MAX, 999_999, 1, b"x")].concat();
    assert_eq!(read(&file).times(), [4_294_967_295_999_999_000]);
}

#[test]
fn a_packet_of_256_kib_is_read_and_a_longer_one_is_damage() {
    let order = Order::Little;
    let header = pcap_header(order, MICROSECONDS, 1);
    let longest = vec![7; 256 * 1024];
    let mut file = [header.clone(), pcap_record(order, 1, 0, 262_144, &longest)].concat();
    assert_eq!(read(&file).packets(), [longest.as_slice()]);

    let damage = file.len() as u64;
    file.extend(pcap_record(order, 2, 0, 262_145, &vec![7; 256 * 1024 + 1]));
    let reading = read(&file);
    assert_eq!(reading.frames.len(), 1, "what comes before is read");
    assert!(matches!(reading.error, Some(CaptureError::Format { offset, .. }) if offset == damage));
}

#[test]
fn compressed_files_are_read_as_they_are() {
    let order = Order::Little;
    let mut plain = pcap_header(order, MICROSECONDS, 1);
    for second in 0..1000 {
        plain.extend(pcap_record(order, second, 0, 60, &[second as u8; 60]));
    }
    let frames = read(&plain).frames;
    assert_eq!(frames.len(), 1000);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(read(&gzip).frames, frames, "gzip");
    let zstandard = zstd::encode_all(plain.as_slice(), 0).unwrap();
    assert_eq!(read(&zstandard).frames, frames, "Zstandard");

    // Two members in one file, as `cat a.gz b.gz` makes them (RFC 1952, section 2.2).
    let mut second_member = GzEncoder::new(Vec::new(), Compression::fast());
    second_member.write_all(&pcap_record(order, 1000, 0, 1, b"x")).unwrap();
    let joined = [gzip.clone(), second_member.finish().unwrap()].concat();
    assert_eq!(read(&joined).frames.len(), 1001);

    let cut = read(&gzip[..gzip.len() / 2]);
    assert!(cut.error.is_none() && cut.statistics.truncated == 1, "{:?}", cut.error);
    assert!(!cut.frames.is_empty() && frames.starts_with(&cut.frames));
}

#[test]
fn an_unknown_version_is_refused() {
    let mut file = pcap_header(Order::Little, MICROSECONDS, 1);
    file[4] = 3;
    let path = written(&file);
    let error = read_path(path.path()).unwrap_err().to_string();
    assert!(error.contains("version 3.4") && error.contains(&path.path().display().to_string()), "{error}");
}

#[test]
fn a_source_tells_what_it_is() {
    let path = written(&pcap_header(Order::Big, NANOSECONDS, 1));
    let name = path.path().display();
    let file = CaptureFile::open(path.path(), Pace::Full).unwrap();
    assert_eq!(file.describe(), format!("capture file {name} (pcap, big endian, nanoseconds) at full speed"));
}
