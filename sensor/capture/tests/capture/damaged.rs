//! Files that are not what they should be: cut off, overwritten, or never a capture at all.

use std::path::Path;

use proptest::prelude::*;
use wardwatch_capture::{CaptureError, CaptureFile, Pace};

use crate::bytes::{
    MICROSECONDS, Order, block, enhanced_packet, if_tsresol, interface, obsolete_packet, pcap_header,
    pcap_record, section, simple_packet,
};
use crate::reading::{Seen, read, read_path, written};

/// A pcap file, and where its records end.
fn pcap() -> (Vec<u8>, Vec<usize>) {
    let order = Order::Little;
    parts(&(0..5).fold(vec![pcap_header(order, MICROSECONDS, 1)], |mut parts, n| {
        parts.push(pcap_record(order, 100 + n, n, 60, &vec![n as u8; 10 + n as usize]));
        parts
    }))
}

/// A pcapng file with every kind of block that is read, and where its blocks end.
fn pcapng() -> (Vec<u8>, Vec<usize>) {
    let mut blocks = Vec::new();
    for order in Order::BOTH {
        blocks.push(section(order));
        blocks.push(interface(order, 1, 40, &if_tsresol(order, 9)));
        blocks.push(enhanced_packet(order, 0, 1_000, 60, b"enhanced"));
        blocks.push(simple_packet(order, 60, &[3; 40]));
        blocks.push(block(order, 5, &[0; 12]));
        blocks.push(obsolete_packet(order, 0, 2_000, 60, b"obsolete"));
    }
    parts(&blocks)
}

fn parts(parts: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut file = Vec::new();
    let ends = parts.iter().map(|part| {
        file.extend(part);
        file.len()
    });
    let ends = ends.collect();
    (file, ends)
}

#[test]
fn a_file_cut_anywhere_gives_what_comes_before_the_cut() {
    for (file, ends) in [pcap(), pcapng()] {
        let whole = read(&file);
        assert!(whole.error.is_none() && whole.statistics.truncated == 0 && whole.statistics.malformed == 0);
        let header = ends[0];
        for cut in header..file.len() {
            let reading = read(&file[..cut]);
            assert!(reading.error.is_none(), "cut at {cut}: {:?}", reading.error);
            let at_a_boundary = ends.contains(&cut);
            assert_eq!(reading.statistics.truncated, u64::from(!at_a_boundary), "cut at {cut}");
            assert!(whole.frames.starts_with(&reading.frames), "cut at {cut}");
            let complete = read(&file[..*ends.iter().rfind(|&&end| end <= cut).unwrap()]);
            assert_eq!(reading.frames, complete.frames, "every whole record before the cut at {cut} is read");
        }
    }
}

#[test]
fn a_file_cut_in_its_header_is_no_capture() {
    let (file, ends) = pcap();
    for cut in 0..ends[0] {
        let path = written(&file[..cut]);
        let error = read_path(path.path()).unwrap_err();
        assert!(
            matches!(&error, CaptureError::Format { path: named, .. } if named == path.path()),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_another_kind_is_named_with_the_place() {
    let path = written(b"PK\x03\x04 is how a zip archive begins");
    let error = read_path(path.path()).unwrap_err().to_string();
    let name = path.path().display().to_string();
    assert!(
        error.contains(&name) && error.contains("at byte 0") && error.contains("[50, 4b, 03, 04]"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = CaptureFile::open("/nowhere/missing.pcap", Pace::Full).err().unwrap();
    assert_eq!(error.to_string(), "cannot open capture file /nowhere/missing.pcap");
    assert!(
        matches!(error, CaptureError::Open { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound)
    );
}

#[test]
fn a_folder_is_no_file() {
    let error = read_path(Path::new("/")).unwrap_err().to_string();
    assert!(error.contains("capture file /"), "{error}");
}

#[test]
fn damaged_compression_is_an_error_behind_what_was_read() {
    use std::io::Write;
    let order = Order::Little;
    let mut plain = pcap_header(order, MICROSECONDS, 1);
    for second in 0..20_000_u32 {
        // Bytes that do not compress away, so that the damage is far behind the beginning.
        let packet: Vec<u8> =
            (0..60).map(|n| (second.wrapping_mul(2_654_435_761) >> (n % 24)) as u8).collect();
        plain.extend(pcap_record(order, second, 0, 60, &packet));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let mut gzip = gzip.finish().unwrap();
    let end = gzip.len();
    gzip[end - 6] ^= 0xff; // the checksum (RFC 1952, section 2.3.1)
    let reading = read(&gzip);
    assert!(matches!(reading.error, Some(CaptureError::Read { .. })), "{:?}", reading.error);
    assert!(!reading.frames.is_empty());
}

/// Reads whatever there is, and checks that nothing was made up.
fn survive(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(reading) = read_path(written(file).path()) else {
        return Ok(());
    };
    let bytes: usize = reading.frames.iter().map(|Seen { bytes, .. }| bytes.len()).sum();
    prop_assert!(bytes <= file.len());
    prop_assert!(reading.frames.iter().all(|frame| frame.bytes.len() <= 256 * 1024));
    Ok(())
}

proptest! {
    #[test]
    fn garbage_is_survived(garbage in prop::collection::vec(any::<u8>(), 0..2_000)) {
        survive(&garbage)?;
    }

    #[test]
    fn garbage_behind_a_good_beginning_is_survived(garbage in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for order in Order::BOTH {
            survive(&[pcap_header(order, MICROSECONDS, 1), garbage.clone()].concat())?;
            survive(&[section(order), interface(order, 1, 0, &[]), garbage.clone()].concat())?;
            survive(&[section(order), interface(order, 1, 0, &garbage), enhanced_packet(order, 0, 1, 1, b"x")].concat())?;
            for kind in [1, 2, 3, 6] {
                survive(&[section(order), interface(order, 1, 0, &[]), block(order, kind, &garbage)].concat())?;
            }
        }
    }

    #[test]
    fn overwritten_bytes_are_survived(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for (mut file, _) in [pcap(), pcapng()] {
            for (place, byte) in &places {
                let place = place.index(file.len());
                file[place] = *byte;
            }
            survive(&file)?;
        }
    }
}
