//! The MBAP header (guide, 3.1.3), and which shapes each function's messages have (specification, clause 6).

use crate::octets::{be16, part};

/// Octets before the length counts: transaction, protocol, length.
const HEADER: usize = 6;

/// Unit and PDU of the longest message: 253 octets of PDU; UMAS goes up to 1024.
const LONGEST: usize = 254;
const LONGEST_UMAS: usize = 1040;

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(Message<'a>),
    /// So far a message; more is needed.
    Partial,
    /// No message.
    Other,
}

/// A request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) transaction: u16,
    pub(super) unit: u8,
    /// With the high bit set on exceptions.
    pub(super) function: u8,
    /// Behind the function.
    pub(super) data: &'a [u8],
    /// Of the whole, with its header.
    pub(super) length: usize,
}

/// What a message can be by its function and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Request,
    Response,
    /// Nothing in it tells.
    Both,
    /// It breaks the specification, or its function is nobody's.
    Neither,
}

/// Reads one message.
pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    let begins = bytes.get(2..4.min(bytes.len())).unwrap_or_default();
    if begins.iter().any(|octet| *octet != 0) {
        return Frame::Other;
    }
    let Some(length) = be16(bytes, 4).map(usize::from) else {
        return if bytes.get(4).is_some_and(|high| usize::from(*high) > LONGEST_UMAS >> 8) {
            Frame::Other
        } else {
            Frame::Partial
        };
    };
    if !(2..=LONGEST_UMAS).contains(&length) {
        return Frame::Other;
    }
    let (Some(unit), Some(function)) = (bytes.get(6).copied(), bytes.get(7).copied()) else {
        return Frame::Partial;
    };
    if length > LONGEST && function != super::UMAS {
        return Frame::Other;
    }
    let Some(data) = part(bytes, HEADER + 2, length - 2) else { return Frame::Partial };
    let transaction = be16(bytes, 0).unwrap_or_default();
    Frame::Whole(Message { transaction, unit, function, data, length: HEADER + length })
}

impl Message<'_> {
    pub(super) fn is_exception(&self) -> bool {
        self.function & 0x80 != 0
    }

    /// Whether this asks for a device identification or gives it, with everything in its place: nothing else looks so.
    pub(super) fn is_identification(&self) -> bool {
        match *self.data {
            [0x0E, 1..=4, _] => self.function == super::ENCAPSULATED,
            [0x0E, 1..=4, 1..=3 | 0x81..=0x83, 0 | 0xFF, _, count, ref objects @ ..] if count > 0 => {
                self.function == super::ENCAPSULATED && objects.len() > 2
            }
            _ => false,
        }
    }

    pub(super) fn shape(&self) -> Shape {
        match (is_request(self.function, self.data), is_response(self.function, self.data)) {
            (true, false) => Shape::Request,
            (false, true) => Shape::Response,
            (true, true) => Shape::Both,
            (false, false) => Shape::Neither,
        }
    }
}

fn is_request(function: u8, data: &[u8]) -> bool {
    let quantity = be16(data, 2).unwrap_or_default();
    match (function, data.len()) {
        (0x01 | 0x02, 4) => (1..=2000).contains(&quantity),
        (0x03 | 0x04, 4) => (1..=125).contains(&quantity),
        (0x05 | 0x06 | 0x08, 4) | (0x07 | 0x0B | 0x0C | 0x11, 0) | (0x16, 6) | (0x18, 2) => true,
        (0x0F, 6..) => counts(data, 4) && data.get(4).map(|n| u16::from(*n)) == Some(quantity.div_ceil(8)),
        (0x10, 7..) => counts(data, 4) && data.get(4).map(|n| u16::from(*n)) == quantity.checked_mul(2),
        // Sub-requests of seven octets, each with the reference type 6.
        (0x14, 8..) => counts(data, 0) && data.len() % 7 == 1 && data.get(1) == Some(&6),
        (0x15, 10..) => counts(data, 0) && data.get(1) == Some(&6),
        (0x17, 11..) => counts(data, 8),
        (0x2B, 3) => matches!(data, [0x0E, 1..=4, _]),
        (0x2B, 2..) => data.first() == Some(&0x0D),
        (0x5A, 2..) => data.get(1).is_some_and(|code| *code < 0xF0),
        _ => false,
    }
}

fn is_response(function: u8, data: &[u8]) -> bool {
    let words = || data.first().is_some_and(|count| count % 2 == 0);
    match (function, data.len()) {
        (0x01 | 0x02 | 0x0C, 2..) | (0x11 | 0x15, 3..) => counts(data, 0),
        (0x03 | 0x04 | 0x17, 3..) => counts(data, 0) && words(),
        (0x05 | 0x06 | 0x08 | 0x0B | 0x0F | 0x10, 4) | (0x07, 1) | (0x16, 6) => true,
        // Each sub-response begins with its length and the reference type 6.
        (0x14, 3..) => counts(data, 0) && data.get(2) == Some(&6),
        (0x18, 4..) => be16(data, 0).map(usize::from) == Some(data.len() - 2),
        (0x2B, 6..) => matches!(data, [0x0E, 1..=4, ..]),
        (0x2B, 2..) => data.first() == Some(&0x0D),
        (0x5A, 2..) => data.get(1).is_some_and(|code| *code >= 0xF0),
        (0x81..=0xAB | 0xDA, 1) => matches!(data, [1..=8 | 0x0A | 0x0B]),
        _ => false,
    }
}

/// Whether the octet at this place counts all those behind it, and there are some.
fn counts(data: &[u8], at: usize) -> bool {
    data.get(at).is_some_and(|count| *count > 0 && data.len() == at + 1 + usize::from(*count))
}
