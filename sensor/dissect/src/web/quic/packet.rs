//! Long headers (RFC 8999, 5.1; RFC 9000, 17.2; RFC 9369, 3.2), which are in clear but for the packet's number.

use crate::octets::{be16, be32, part, piece};

/// Longest connection identifier in the versions that are read (RFC 9000, 17.2).
const LONGEST_IDENTIFIER: usize = 20;

/// Number, contents and tag of the smallest packet there can be: header protection takes 16 octets from behind four
/// (RFC 9001, 5.4.2).
const SHORTEST_PROTECTED: usize = 4 + 16;

/// Versions whose Initial packets can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Drafts 29 to 32, which devices still speak.
    Draft29,
    /// RFC 9000.
    One,
    /// RFC 9369.
    Two,
}

impl Version {
    fn of(number: u32) -> Option<Self> {
        match number {
            0xFF00_001D..=0xFF00_0020 => Some(Self::Draft29),
            0x0000_0001 => Some(Self::One),
            0x6B33_43CF => Some(Self::Two),
            _ => None,
        }
    }
}

/// What a long header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) version: Version,
    pub(super) kind: Kind,
    /// The connection identifier of the receiver.
    pub(super) destination: &'a [u8],
    /// The whole packet.
    pub(super) bytes: &'a [u8],
    /// Where the protected number begins.
    pub(super) number_at: usize,
}

/// The packet at the beginning of these bytes, and what is behind it in the datagram.
pub(super) fn first(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let form = *bytes.first()?;
    // Long header, and the bit that is always set (RFC 9000, 17.2).
    if form & 0xC0 != 0xC0 {
        return None;
    }
    let version = Version::of(be32(bytes, 1)?)?;
    let (destination, at) = identifier(bytes, 5)?;
    let (_, at) = identifier(bytes, at)?;
    let kind = kind(version, form);
    if kind == Kind::Retry {
        // A token and a tag up to the datagram's end.
        return Some((Packet { version, kind, destination, bytes, number_at: at }, &[]));
    }
    let at = if kind == Kind::Initial {
        let (length, at) = number(bytes, at)?;
        at.checked_add(usize::try_from(length).ok()?)?
    } else {
        at
    };
    let (length, number_at) = number(bytes, at)?;
    let length = usize::try_from(length).ok().filter(|length| *length >= SHORTEST_PROTECTED)?;
    let (packet, behind) = bytes.split_at_checked(number_at.checked_add(length)?)?;
    Some((Packet { version, kind, destination, bytes: packet, number_at }, behind))
}

/// A client asks in a version that nobody speaks, to be told which are spoken (RFC 9000, 15), or a server tells it
/// (RFC 8999, 6): the next datagram may be one that can be read.
pub(super) fn is_negotiation(bytes: &[u8]) -> bool {
    let is_long = bytes.first().is_some_and(|form| form & 0x80 != 0);
    let version = be32(bytes, 1).unwrap_or(1);
    is_long && (version == 0 || version & 0x0F0F_0F0F == 0x0A0A_0A0A) && bytes.len() >= 7
}

/// All packets with long headers of a datagram, and what stands behind them: a packet with a short header, or filling.
pub(super) fn all(datagram: &[u8]) -> (Vec<Packet<'_>>, &[u8]) {
    let (mut packets, mut rest) = (Vec::new(), datagram);
    // A datagram of 64 KiB could hold more, but no endpoint sends more than one of each kind and level.
    while packets.len() < 8
        && let Some((packet, behind)) = first(rest)
    {
        packets.push(packet);
        rest = behind;
    }
    (packets, rest)
}

/// Bits 4 and 5, which version 2 counts from another beginning (RFC 9369, 3.2).
fn kind(version: Version, form: u8) -> Kind {
    let bits = form >> 4 & 3;
    let turned = if version == Version::Two { bits.wrapping_sub(1) & 3 } else { bits };
    match turned {
        0 => Kind::Initial,
        1 => Kind::ZeroRtt,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    }
}

fn identifier(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length = usize::from(*bytes.get(at)?);
    let identifier = part(bytes, at + 1, length).filter(|_| length <= LONGEST_IDENTIFIER)?;
    Some((identifier, at + 1 + length))
}

/// A number of variable length (RFC 9000, 16), and where it ends.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    Some(match first >> 6 {
        0 => (u64::from(first), at + 1),
        1 => (u64::from(be16(bytes, at)? & 0x3FFF), at + 2),
        2 => (u64::from(be32(bytes, at)? & 0x3FFF_FFFF), at + 4),
        _ => (u64::from_be_bytes(piece(bytes, at)?) & 0x3FFF_FFFF_FFFF_FFFF, at + 8),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_rfc() {
        // RFC 9000, A.1.
        let all = [
            (&[0xC2, 0x19, 0x7C, 0x5E, 0xFF, 0x14, 0xE8, 0x8C][..], 151_288_809_941_952_652),
            (&[0x9D, 0x7F, 0x3E, 0x7D], 494_878_333),
            (&[0x7B, 0xBD], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ];
        for (bytes, value) in all {
            assert_eq!(number(bytes, 0), Some((value, bytes.len())));
            assert_eq!(number(bytes.get(..bytes.len() - 1).unwrap_or_default(), 0), None);
        }
    }

    #[test]
    fn version_2_counts_the_kinds_from_another_beginning() {
        for (form, one, two) in [
            (0xC0, Kind::Initial, Kind::Retry),
            (0xD0, Kind::ZeroRtt, Kind::Initial),
            (0xE0, Kind::Handshake, Kind::ZeroRtt),
            (0xF0, Kind::Retry, Kind::Handshake),
        ] {
            assert_eq!((kind(Version::One, form), kind(Version::Two, form)), (one, two));
        }
    }
}
