//! HDLC frames of type 3 (62056-46, 6.4), and the wrapper (62056-47, 5.3).

use crate::octets::{be16, le16, part};
use crate::{Input, Probe};

pub(super) const FLAG: u8 = 0x7E;
const PORT: u16 = 4059;

/// Of the wrapper: version, ports of source and destination, length.
const WRAPPER: usize = 8;
const VERSION: u16 = 1;

/// Control fields of the frames that open a connection on the link: the client's and the server's.
const SET_NORMAL_RESPONSE_MODE: u8 = 0x93;
const UNNUMBERED_ACKNOWLEDGE: u8 = 0x73;

/// An association's application context, behind its tags: joint-iso-ccitt, country 756, DLMS UA.
const CONTEXT: [u8; 10] = [0xA1, 9, 6, 7, 0x60, 0x85, 0x74, 5, 8, 1];

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole { side: Option<Side>, apdu: &'a [u8], length: usize },
    Partial,
    Other,
}

pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    match bytes {
        [] | [0] => Frame::Partial,
        [FLAG, ..] => hdlc(bytes),
        [0, 1, ..] => wrapped(bytes),
        _ => Frame::Other,
    }
}

fn hdlc(bytes: &[u8]) -> Frame<'_> {
    // The flag that ends a frame may begin the next, or another follows it.
    let flags = bytes.iter().take_while(|octet| **octet == FLAG).count();
    let body = bytes.get(flags..).unwrap_or_default();
    let Some(format) = be16(body, 0) else {
        return if body.first().is_some_and(|octet| octet & 0xF0 != 0xA0) {
            Frame::Other
        } else {
            Frame::Partial
        };
    };
    let length = usize::from(format & 0x07FF);
    if format & 0xF000 != 0xA000 || length < 7 {
        return Frame::Other;
    }
    let Some(frame) = part(body, 0, length) else { return Frame::Partial };
    let (checked, check) = frame.split_at(length - 2);
    if le16(check, 0) != Some(checksum(checked)) {
        return Frame::Other;
    }
    let (side, apdu) = information(checked).unwrap_or_default();
    // The closing flag goes with it if it is there; if not, it is the next frame's.
    let closing =
        usize::from(body.get(length) == Some(&FLAG) && body.get(length + 1).is_none_or(|next| *next == FLAG));
    Frame::Whole { side, apdu, length: flags + length + closing }
}

/// Destination and source, each as many octets as it takes until the lowest bit is set; control; check; information,
/// which begins with the address of the link's service: E6 E6 00 from a client, E6 E7 00 from a server.
fn information(frame: &[u8]) -> Option<(Option<Side>, &[u8])> {
    let mut rest = frame.get(2..)?;
    for _ in 0..2 {
        let length = rest.iter().take(4).position(|octet| octet & 1 == 1)? + 1;
        rest = rest.get(length..)?;
    }
    let (&control, rest) = rest.split_first()?;
    Some(match (control, rest.get(2..)) {
        (SET_NORMAL_RESPONSE_MODE, _) => (Some(Side::Client), &[]),
        (UNNUMBERED_ACKNOWLEDGE, _) => (Some(Side::Server), &[]),
        (_, Some([0xE6, 0xE6, 0, apdu @ ..])) => (Some(Side::Client), apdu),
        (_, Some([0xE6, 0xE7, 0, apdu @ ..])) => (Some(Side::Server), apdu),
        _ => (None, &[]),
    })
}

fn wrapped(bytes: &[u8]) -> Frame<'_> {
    let (Some(VERSION), Some(source), Some(destination), Some(length)) =
        (be16(bytes, 0), be16(bytes, 2), be16(bytes, 4), be16(bytes, 6))
    else {
        return Frame::Partial;
    };
    if source == 0 || destination == 0 || length < 2 {
        return Frame::Other;
    }
    let Some(apdu) = part(bytes, WRAPPER, length.into()) else {
        let is_known = bytes.get(WRAPPER).is_none_or(|tag| side(*tag).is_some());
        return if is_known { Frame::Partial } else { Frame::Other };
    };
    match apdu.first().and_then(|tag| side(*tag)) {
        None => Frame::Other,
        side => Frame::Whole { side, apdu, length: WRAPPER + apdu.len() },
    }
}

/// Who sends an APDU of this tag (62056-53, 8.3): associations and releases, readings, settings and actions, and those
/// that are ciphered.
fn side(tag: u8) -> Option<Side> {
    match tag {
        0x60 | 0x62 | 0xC0 | 0xC1 | 0xC3 | 0xC8 | 0xC9 | 0xCB | 0xD0 | 0xD1 | 0xD3 => Some(Side::Client),
        0x61 | 0x63 | 0xC2 | 0xC4 | 0xC5 | 0xC7 | 0xCC | 0xCD | 0xCF | 0xD4 | 0xD5 | 0xD7 => {
            Some(Side::Server)
        }
        _ => None,
    }
}

/// HDLC is certain by its check; the wrapper by an association in it, or on its port.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    let is_on_port = [input.sender.port, input.receiver.port].contains(&PORT);
    match (read(input.bytes), input.bytes.first()) {
        (Frame::Whole { .. }, Some(&FLAG)) => Probe::Certain,
        (Frame::Whole { apdu, .. }, _) if is_on_port || is_association(apdu) => Probe::Certain,
        (Frame::Partial, _) => Probe::Unsure,
        _ => Probe::NotForUs,
    }
}

/// A datagram holds whole frames.
pub(super) fn probe_datagram(input: &Input<'_>) -> Probe {
    match probe(input) {
        Probe::Unsure => Probe::NotForUs,
        other => other,
    }
}

fn is_association(apdu: &[u8]) -> bool {
    matches!(apdu, [0x60 | 0x61, length, rest @ ..] if usize::from(*length) == rest.len() && contains(rest, &CONTEXT))
}

/// The context stands first, but for a version that may stand before it.
fn contains(elements: &[u8], context: &[u8]) -> bool {
    elements.windows(context.len()).take(8).any(|window| window == context)
}

/// The frame check sequence of ISO/IEC 13239: 0x1021, lowest bit first, from ones, complemented.
pub(super) fn checksum(octets: &[u8]) -> u16 {
    let remainder = octets.iter().fold(0xFFFF_u16, |sum, octet| {
        (0..8).fold(sum ^ u16::from(*octet), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0x8408 })
    });
    !remainder
}
