//! The data link layer (IEEE 1815, clause 9): a header of ten octets, and up to 250 octets in blocks, each with its check.

use crate::octets::{be16, le16, part};
use crate::{Input, Probe};

/// The first octet of a frame; 64 follows.
pub(super) const START: u8 = 0x05;
const SECOND: u8 = 0x64;

/// Start, length, control, destination, source, check.
const HEADER: usize = 10;
/// Octets of a full block, without its check.
const BLOCK: usize = 16;

/// Of a device; those above are broadcasts, or for the link's own use (9.2.3).
pub(super) const HIGHEST_ADDRESS: u16 = 65_519;

/// What the next octets of a stream are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A frame, its user data without the checks, and how long it was with them.
    Whole(Header, Vec<u8>, usize),
    Partial,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_from_master: bool,
    pub(super) source: u16,
}

/// Reads one frame.
pub(super) fn read(bytes: &[u8]) -> Frame {
    let begins = bytes.get(..2.min(bytes.len())).unwrap_or_default();
    if !matches!(begins, [] | [START] | [START, SECOND]) {
        return Frame::Other;
    }
    let Some(header) = part(bytes, 0, HEADER) else { return Frame::Partial };
    let (Some(&length), Some(&control), Some(source)) = (header.get(2), header.get(3), le16(header, 6))
    else {
        return Frame::Other;
    };
    if length < 5 || !is_checked(header) {
        return Frame::Other;
    }
    let mut left = usize::from(length) - 5;
    let mut data = Vec::with_capacity(left);
    let mut at = HEADER;
    while left > 0 {
        let size = left.min(BLOCK);
        let Some(block) = part(bytes, at, size + 2) else { return Frame::Partial };
        if !is_checked(block) {
            return Frame::Other;
        }
        data.extend_from_slice(block.get(..size).unwrap_or_default());
        at += size + 2;
        left -= size;
    }
    // The top bit of the control octet: from a master.
    Frame::Whole(Header { is_from_master: control & 0x80 != 0, source }, data, at)
}

/// The check of the first header is enough.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    match (read(input.bytes), part(input.bytes, 0, HEADER)) {
        (Frame::Other, _) => Probe::NotForUs,
        (_, Some(_)) => Probe::Certain,
        (_, None) => Probe::Unsure,
    }
}

/// Whether the last two octets, the low one first, check those before them.
fn is_checked(block: &[u8]) -> bool {
    let (data, check) = block.split_at(block.len().saturating_sub(2));
    be16(check, 0).is_some_and(|check| check.swap_bytes() == checksum(data))
}

/// The cyclic redundancy check of clause 9.2.4.3: 0x3D65, lowest bit first, complemented.
pub(super) fn checksum(data: &[u8]) -> u16 {
    let remainder = data.iter().fold(0_u16, |sum, octet| {
        (0..8).fold(sum ^ u16::from(*octet), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xA6BC })
    });
    !remainder
}
