//! Messages of the connection protocol and chunks of the secure conversation (OPC 10000-6, 6.7.2 and 7.1.2).

use crate::octets::{le32, part};
use crate::{Input, Probe};

/// Type, whether it is final, size.
const HEADER: usize = 8;

/// The longest chunk that there may be, and the longest that is read.
const LONGEST: usize = 16 * 1024 * 1024;
const LONGEST_READ: usize = 128 * 1024;

/// What every security policy's URI begins with.
const POLICY: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Hello,
    Acknowledge,
    Error,
    ReverseHello,
    OpenChannel,
    CloseChannel,
    Message,
}

/// Whether a message ends with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Final,
    Intermediate,
    Abort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    pub(super) kind: Kind,
    pub(super) end: End,
    /// Behind the size.
    pub(super) body: &'a [u8],
}

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(Chunk<'a>, usize),
    /// A chunk of this length that is not read.
    Long(usize),
    Partial,
    Other,
}

const KINDS: [(&[u8; 3], Kind); 7] = [
    (b"HEL", Kind::Hello),
    (b"ACK", Kind::Acknowledge),
    (b"ERR", Kind::Error),
    (b"RHE", Kind::ReverseHello),
    (b"OPN", Kind::OpenChannel),
    (b"CLO", Kind::CloseChannel),
    (b"MSG", Kind::Message),
];

/// Reads one chunk.
pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    let name = bytes.get(..3.min(bytes.len())).unwrap_or_default();
    let Some((_, kind)) = KINDS.into_iter().find(|(known, _)| known.starts_with(name)) else {
        return Frame::Other;
    };
    let end = match bytes.get(3) {
        Some(b'F') => End::Final,
        Some(b'C') if kind == Kind::Message => End::Intermediate,
        Some(b'A') if kind == Kind::Message => End::Abort,
        Some(_) => return Frame::Other,
        None => return Frame::Partial,
    };
    let Some(length) = le32(bytes, 4).map(|length| length as usize) else { return Frame::Partial };
    if !(HEADER..=LONGEST).contains(&length) {
        return Frame::Other;
    }
    if length > LONGEST_READ {
        return Frame::Long(length);
    }
    match part(bytes, HEADER, length - HEADER) {
        Some(body) => Frame::Whole(Chunk { kind, end, body }, length),
        None => Frame::Partial,
    }
}

/// Certain on the messages that open a connection and a channel by what they hold; in the middle of a connection on a
/// message with the next one behind it, or that ends where the bytes do.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    let (chunk, length) = match read(input.bytes) {
        Frame::Whole(chunk, length) => (chunk, length),
        Frame::Partial => return Probe::Unsure,
        Frame::Long(_) | Frame::Other => return Probe::NotForUs,
    };
    let url = |at: usize| part(chunk.body, at + 4, 6) == Some(b"opc.tc");
    let is_ours = match chunk.kind {
        // Version, four limits, the endpoint's URL.
        Kind::Hello => url(20),
        Kind::Acknowledge => chunk.body.len() == 20,
        // The server's URI, the endpoint's URL.
        Kind::ReverseHello => le32(chunk.body, 0).is_some_and(|uri| url((uri as usize).saturating_add(4))),
        Kind::OpenChannel => part(chunk.body, 8, POLICY.len()) == Some(POLICY),
        Kind::Message | Kind::CloseChannel | Kind::Error if chunk.body.len() >= 8 => {
            let rest = input.bytes.get(length..).unwrap_or_default();
            rest.is_empty() || !matches!(read(rest), Frame::Other)
        }
        _ => false,
    };
    if is_ours { Probe::Certain } else { Probe::NotForUs }
}
