//! The header of HART-IP, and the token-passing PDU that a message passes through (HCF_SPEC-081).

use crate::octets::{be16, be32, part, piece};
use crate::{Input, Probe};

/// Version, type, id, status, sequence, length of the whole.
const HEADER: usize = 8;
const LONGEST: usize = 1024;

/// What messages are for.
const INITIATE: u8 = 0;
const CLOSE: u8 = 1;
const KEEP_ALIVE: u8 = 2;
const PASS_THROUGH: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    Publish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    id: u8,
    body: &'a [u8],
    /// Of a pass-through, if its check is right.
    pub(super) pdu: Option<Pdu<'a>>,
}

/// A token-passing PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pdu<'a> {
    pub(super) is_answer: bool,
    /// The unique address, without the bits of master and burst mode.
    pub(super) long: Option<[u8; 5]>,
    pub(super) polling: Option<u8>,
    pub(super) command: u8,
    /// Of an answer: response code and device status.
    status: [u8; 2],
    pub(super) data: &'a [u8],
}

impl Pdu<'_> {
    /// Whether the command was carried out: the code of an answer, but for the warnings (8, 14, 30, 31 and 96 to 111).
    pub(super) fn is_good(&self) -> bool {
        let [code, _] = self.status;
        matches!(code, 0 | 8 | 14 | 30 | 31 | 96..=111)
    }
}

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(Message<'a>, usize),
    Partial,
    Other,
}

/// Reads one message.
pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    let kind = match bytes {
        [] | [1 | 2] => return Frame::Partial,
        [1 | 2, 0, ..] => Kind::Request,
        [1 | 2, 1, ..] => Kind::Response,
        [1 | 2, 2, ..] => Kind::Publish,
        _ => return Frame::Other,
    };
    let Some(length) = be16(bytes, 6).map(usize::from) else {
        return if bytes.get(2).is_some_and(|id| *id > PASS_THROUGH) { Frame::Other } else { Frame::Partial };
    };
    let id = bytes.get(2).copied().unwrap_or_default();
    let is_possible = match id {
        INITIATE => matches!(length, 8 | 13),
        CLOSE | KEEP_ALIVE => length == HEADER,
        PASS_THROUGH => (HEADER..=LONGEST).contains(&length),
        _ => false,
    };
    if !is_possible {
        return Frame::Other;
    }
    let Some(body) = part(bytes, HEADER, length - HEADER) else { return Frame::Partial };
    let pdu = (id == PASS_THROUGH).then(|| pdu(body)).flatten();
    Frame::Whole(Message { kind, id, body, pdu }, length)
}

/// Delimiter, address, expansion, command, length, data, check: an exclusive or over all of them.
fn pdu(body: &[u8]) -> Option<Pdu<'_>> {
    let preambles = body.iter().take_while(|octet| **octet == 0xFF).count();
    let frame = body.get(preambles..)?;
    let delimiter = *frame.first()?;
    let is_answer = match delimiter & 0x07 {
        1 | 6 => true,
        2 => false,
        _ => return None,
    };
    let (long, polling, at) = if delimiter & 0x80 != 0 {
        let [first, rest @ ..] = piece::<5>(frame, 1)?;
        let [b, c, d, e] = rest;
        (Some([first & 0x3F, b, c, d, e]), None, 6)
    } else {
        (None, Some(frame.get(1)? & 0x3F), 2)
    };
    let at = at + usize::from(delimiter >> 5 & 0x03);
    let (command, length) = (*frame.get(at)?, usize::from(*frame.get(at + 1)?));
    let mut data = part(frame, at + 2, length)?;
    let checked = frame.get(..at + 3 + length)?;
    if checked.iter().fold(0, |sum, octet| sum ^ octet) != 0 {
        return None;
    }
    let mut status = [0; 2];
    if is_answer {
        status = piece(data, 0)?;
        data = data.get(2..)?;
    }
    Some(Pdu { is_answer, long, polling, command, status, data })
}

/// Certain on the first message of a session, whose length and timer are what the specification has, and on what is
/// passed through with a right check. Closing and keeping alive say too little alone.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    match read(input.bytes) {
        Frame::Whole(message, length) if message.is_strong() => {
            // Nothing but another message follows.
            let rest = input.bytes.get(length..).unwrap_or_default();
            if matches!(read(rest), Frame::Other) { Probe::NotForUs } else { Probe::Certain }
        }
        Frame::Whole(message, length) if matches!(message.id, CLOSE | KEEP_ALIVE) => {
            match read(input.bytes.get(length..).unwrap_or_default()) {
                Frame::Whole(next, _) if next.is_strong() => Probe::Certain,
                Frame::Other => Probe::NotForUs,
                Frame::Whole(..) | Frame::Partial => Probe::Unsure,
            }
        }
        Frame::Partial => Probe::Unsure,
        Frame::Whole(..) | Frame::Other => Probe::NotForUs,
    }
}

/// A datagram is one message.
pub(super) fn probe_datagram(input: &Input<'_>) -> Probe {
    match read(input.bytes) {
        Frame::Whole(message, length) if length == input.bytes.len() => {
            if message.is_strong() {
                Probe::Certain
            } else {
                Probe::Unsure
            }
        }
        _ => Probe::NotForUs,
    }
}

impl Message<'_> {
    fn is_strong(&self) -> bool {
        match self.id {
            // A primary or secondary master, and a timer of up to a day in milliseconds.
            INITIATE => {
                matches!(self.body, [0 | 1, ..])
                    && be32(self.body, 1).is_some_and(|timer| (1..=86_400_000).contains(&timer))
            }
            PASS_THROUGH => self.pdu.is_some(),
            _ => false,
        }
    }
}
