//! The pcapng format, as draft-ietf-opsawg-pcapng defines it; numbers of sections are the draft's.

use wardwatch_capture::{CaptureError, LinkType};

use crate::bytes::{
    Order, block, enhanced_packet, if_tsoffset, if_tsresol, interface, obsolete_packet, option, section,
    simple_packet,
};
use crate::reading::{Seen, read};

const ETHERNET: u16 = 1;
/// 2012-06-29 07:28:25.298858 UTC in microseconds: the example of section 4.6.
const TIME: u64 = 0x0004_c397_64ca_47aa;

#[test]
fn an_enhanced_packet_in_both_byte_orders() {
    for order in Order::BOTH {
        let file = [
            section(order),
            interface(order, ETHERNET, 0, &[]),
            enhanced_packet(order, 0, TIME, 9, b"frame"),
        ]
        .concat();
        let expected = Seen {
            at: 1_340_954_905_298_858_000,
            wire_length: 9,
            link: LinkType::Ethernet,
            bytes: b"frame".to_vec(), // without the padding
        };
        assert_eq!(read(&file).frames, [expected], "{order:?}");
    }
}

#[test]
fn the_obsolete_packet_block_is_read_too() {
    for order in Order::BOTH {
        let file = [
            section(order),
            interface(order, ETHERNET, 0, &[]),
            interface(order, 113, 0, &[]),
            obsolete_packet(order, 1, TIME, 9, b"frame"),
        ]
        .concat();
        let expected = Seen {
            at: 1_340_954_905_298_858_000,
            wire_length: 9,
            link: LinkType::LinuxSll,
            bytes: b"frame".to_vec(),
        };
        assert_eq!(read(&file).frames, [expected], "{order:?}");
    }
}

#[test]
fn a_simple_packet_has_no_time_and_belongs_to_the_first_interface() {
    for order in Order::BOTH {
        let file = [
            section(order),
            interface(order, 101, 0, &[]),
            interface(order, ETHERNET, 0, &[]),
            enhanced_packet(order, 1, 7, 1, b"x"),
            simple_packet(order, 5, b"frame"),
        ]
        .concat();
        let reading = read(&file);
        let expected = Seen { at: 7_000, wire_length: 5, link: LinkType::RawIp, bytes: b"frame".to_vec() };
        assert_eq!(reading.frames[1], expected, "{order:?}");
        assert_eq!(reading.statistics.untimed, 1);
    }
}

#[test]
fn a_simple_packet_is_as_long_as_the_snapshot_length_allows() {
    // Section 4.4: the captured length is the lesser of the original and the snapshot length; the rest is padding.
    let order = Order::Little;
    let file =
        [section(order), interface(order, ETHERNET, 5, &[]), simple_packet(order, 60, b"frame")].concat();
    let reading = read(&file);
    assert_eq!(reading.packets(), [b"frame"]);
    assert_eq!(reading.frames[0].wire_length, 60);
}

#[test]
fn resolutions_are_powers_of_ten_or_of_two() {
    // Section 4.2: the upper bit chooses the base, the others are the negative exponent.
    let known = [
        (0, 3, 3_000_000_000),
        (3, 1_500, 1_500_000_000),
        (6, 1_500_000, 1_500_000_000),
        (9, 1_500_000_001, 1_500_000_001),
        (12, 1_500_000_001_999, 1_500_000_001),
        (0x81, 3, 1_500_000_000),
        (0x8a, 1_536, 1_500_000_000),
        (0xa0, 3 << 31, 1_500_000_000),
    ];
    for order in Order::BOTH {
        for (resolution, units, nanoseconds) in known {
            let options = if_tsresol(order, resolution);
            let packet = enhanced_packet(order, 0, units, 1, b"x");
            let file = [section(order), interface(order, ETHERNET, 0, &options), packet].concat();
            assert_eq!(read(&file).times(), [nanoseconds], "resolution {resolution:#x} {order:?}");
        }
    }
}

#[test]
fn the_offset_of_an_interface_is_added() {
    for order in Order::BOTH {
        let options =
            [option(order, 2, b"eth0"), if_tsoffset(order, 1_340_954_905), option(order, 0, b"")].concat();
        let packet = enhanced_packet(order, 0, 298_858, 1, b"x");
        let file = [section(order), interface(order, ETHERNET, 0, &options), packet].concat();
        assert_eq!(read(&file).times(), [1_340_954_905_298_858_000], "{order:?}");
    }
}

#[test]
fn times_that_nanoseconds_since_the_epoch_cannot_tell_are_counted() {
    let order = Order::Little;
    let unusable = [
        if_tsoffset(order, -1_000),                                    // before the epoch
        if_tsoffset(order, i64::MAX),                                  // long after
        [if_tsresol(order, 0), if_tsoffset(order, i64::MAX)].concat(), // and with more units
    ];
    for options in unusable {
        let file = [
            section(order),
            interface(order, ETHERNET, 0, &options),
            enhanced_packet(order, 0, 5, 1, b"x"),
            enhanced_packet(order, 0, u64::MAX, 1, b"y"),
        ]
        .concat();
        let reading = read(&file);
        assert_eq!(reading.packets(), [b"x", b"y"], "the packets count all the same");
        assert_eq!(reading.statistics.untimed, 2);
    }
    // 10^-127 s: nothing counts in these, and 2^64 of them are no time at all.
    let file = [
        section(order),
        interface(order, ETHERNET, 0, &if_tsresol(order, 127)),
        enhanced_packet(order, 0, u64::MAX, 1, b"x"),
    ]
    .concat();
    assert_eq!(read(&file).statistics.untimed, 1);
}

#[test]
fn each_section_has_its_own_byte_order_and_interfaces() {
    let (little, big) = (Order::Little, Order::Big);
    let file = [
        section(big),
        interface(big, ETHERNET, 0, &[]),
        interface(big, 113, 0, &if_tsresol(big, 9)),
        enhanced_packet(big, 1, 1, 1, b"a"),
        enhanced_packet(big, 0, 1, 1, b"b"),
        section(little),
        interface(little, 101, 0, &[]),
        enhanced_packet(little, 0, 2, 1, b"c"),
        enhanced_packet(little, 1, 3, 1, b"d"), // there is no second interface in this section
        section(big),
        interface(big, 0, 0, &[]),
        enhanced_packet(big, 0, 4, 1, b"e"),
    ]
    .concat();
    let reading = read(&file);
    let seen: Vec<_> =
        reading.frames.iter().map(|frame| (frame.bytes.as_slice(), frame.at, frame.link)).collect();
    assert_eq!(
        seen,
        [
            (&b"a"[..], 1, LinkType::LinuxSll),
            (b"b", 1_000, LinkType::Ethernet),
            (b"c", 2_000, LinkType::RawIp),
            (b"e", 4_000, LinkType::Null),
        ]
    );
    assert_eq!(reading.statistics.malformed, 1);
}

#[test]
fn blocks_that_hold_no_packet_are_passed_however_long_they_are() {
    for order in Order::BOTH {
        let file = [
            section(order),
            block(order, 5, &[0; 12]),           // interface statistics
            block(order, 10, &vec![1; 3 << 20]), // decryption secrets, more than is ever held in memory
            interface(order, ETHERNET, 0, &[]),
            block(order, 0x0bad, &[0; 4]), // custom
            enhanced_packet(order, 0, 1, 5, b"frame"),
            block(order, 4, &[0; 4]), // names
        ]
        .concat();
        let reading = read(&file);
        assert_eq!(reading.packets(), [b"frame"]);
        assert!(reading.error.is_none());
    }
}

#[test]
fn a_packet_that_claims_more_than_its_block_holds_is_left_out() {
    let order = Order::Little;
    for kind in [2, 6] {
        let mut body = vec![0; 12];
        body.extend(order.u32(400)); // captured length
        body.extend(order.u32(400));
        body.extend(b"frame");
        let file = [
            section(order),
            interface(order, ETHERNET, 0, &[]),
            block(order, kind, &body),
            enhanced_packet(order, 0, 1, 1, b"x"),
        ]
        .concat();
        let reading = read(&file);
        assert_eq!(reading.packets(), [b"x"], "block type {kind}");
        assert_eq!(reading.statistics.malformed, 1);
    }
}

#[test]
fn a_block_whose_two_lengths_differ_is_damage() {
    let order = Order::Little;
    let before =
        [section(order), interface(order, ETHERNET, 0, &[]), enhanced_packet(order, 0, 1, 1, b"x")].concat();
    for kind in [5, 6] {
        let mut wrong = block(order, kind, &[0; 40]);
        let end = wrong.len() - 4;
        wrong[end..].copy_from_slice(&order.u32(56));
        let reading = read(&[before.clone(), wrong, enhanced_packet(order, 0, 1, 1, b"y")].concat());
        assert_eq!(reading.packets(), [b"x"]);
        let Some(CaptureError::Format { offset, reason, .. }) = reading.error else {
            panic!("block type {kind}: {:?}", reading.error);
        };
        assert!(reason.contains("52") && reason.contains("56"), "{reason}");
        assert_eq!(offset, before.len() as u64);
    }
}

#[test]
fn a_packet_block_longer_than_any_packet_is_damage() {
    let order = Order::Little;
    let mut file = [section(order), interface(order, ETHERNET, 0, &[])].concat();
    let damage = file.len() as u64;
    file.extend(order.u32(6));
    file.extend(order.u32(0xffff_fff0));
    file.extend([0; 100]);
    let reading = read(&file);
    assert!(matches!(reading.error, Some(CaptureError::Format { offset, .. }) if offset == damage));
}

#[test]
fn interfaces_without_end_are_damage() {
    let order = Order::Little;
    let mut file = section(order);
    for _ in 0..5_000 {
        file.extend(interface(order, ETHERNET, 0, &[]));
    }
    assert!(matches!(read(&file).error, Some(CaptureError::Format { .. })));
}
