//! Datagrams between names (RFC 1002, 4.4).

use std::net::Ipv4Addr;

use super::name::{Name, Names};
use crate::octets::{be16, piece};

/// A datagram, or its first fragment.
#[derive(Debug)]
pub(super) struct Datagram<'a> {
    /// The address that the sender gives for itself.
    pub(super) source: Ipv4Addr,
    pub(super) names: Names,
    pub(super) data: &'a [u8],
}

/// To one name, to a group, to all; not errors, and not questions to a distribution server.
const MESSAGE_TYPES: std::ops::RangeInclusive<u8> = 0x10..=0x12;

/// The fragment does not begin the datagram when this flag is missing.
const FIRST: u8 = 2;

pub(super) fn datagram(bytes: &[u8]) -> Option<Datagram<'_>> {
    let ([kind, flags], _) = bytes.split_first_chunk::<2>()?;
    let source: [u8; 4] = piece(bytes, 4)?;
    let behind = bytes.get(14..)?;
    let is_first = flags & FIRST != 0 && be16(bytes, 12)? == 0;
    let fits =
        MESSAGE_TYPES.contains(kind) && flags & 0xF0 == 0 && usize::from(be16(bytes, 10)?) == behind.len();
    if !is_first || !fits {
        return None;
    }
    let (from, rest) = Name::read(behind)?;
    let (to, data) = Name::read(rest)?;
    Some(Datagram { source: source.into(), names: Names { from, to }, data })
}
