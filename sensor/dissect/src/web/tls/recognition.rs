//! How TLS is told from other bytes: the record header (RFC 8446, 5.1), and behind it a hello or another record.

use super::{CLIENT_HELLO, SERVER_HELLO, ssl2};
use crate::{Input, Probe};

/// Content types (RFC 8446, B.1; heartbeat RFC 6520).
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

/// Longest encrypted record: 2^14 octets and 2048 for what encryption adds (RFC 5246, 6.2.3).
pub(super) const LONGEST_RECORD: usize = (1 << 14) + 2048;

/// What stands before each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) kind: u8,
    version: [u8; 2],
    pub(super) length: usize,
}

impl From<[u8; 5]> for RecordHeader {
    fn from([kind, major, minor, high, low]: [u8; 5]) -> Self {
        Self { kind, version: [major, minor], length: usize::from(u16::from_be_bytes([high, low])) }
    }
}

impl RecordHeader {
    pub(super) fn is_plausible(self) -> bool {
        (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&self.kind)
            && matches!(self.version, [3, 0..=4])
            && self.length <= LONGEST_RECORD
    }
}

/// A flow that is seen from its start begins with a hello. One that is joined later shows records that lie end to
/// end. One header is only five octets, so that either another must stand behind the record, or the bytes must end
/// where the record does.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    match ssl2::probe(input.bytes) {
        Probe::NotForUs => records(input.bytes),
        other => other,
    }
}

/// The same where a hello and nothing else may stand.
pub(super) fn hellos(bytes: &[u8]) -> Probe {
    match bytes {
        [HANDSHAKE, ..] => records(bytes),
        _ => Probe::NotForUs,
    }
}

fn records(bytes: &[u8]) -> Probe {
    let header = match bytes {
        [kind, major, minor, high, low, ..] => RecordHeader::from([*kind, *major, *minor, *high, *low]),
        [CHANGE_CIPHER_SPEC..=HEARTBEAT] | [CHANGE_CIPHER_SPEC..=HEARTBEAT, 3, ..] => return Probe::Unsure,
        _ => return Probe::NotForUs,
    };
    if !header.is_plausible() || header.length == 0 {
        return Probe::NotForUs;
    }
    let record = bytes.get(5..).unwrap_or_default();
    match (header.kind, record) {
        // Type, length and version of a hello; where a record is too short for them the next one must tell.
        (HANDSHAKE, [CLIENT_HELLO | SERVER_HELLO, rest @ ..]) if header.length >= 6 => return hello(rest),
        (HANDSHAKE | ALERT, []) => return Probe::Unsure,
        (ALERT, [level, ..]) if header.length == 2 && !matches!(level, 1 | 2) => return Probe::NotForUs,
        (ALERT | APPLICATION_DATA, record) if record.len() == header.length => return Probe::Certain,
        _ => {}
    }
    match record.get(header.length..).and_then(<[u8]>::first_chunk::<5>) {
        Some(next) if RecordHeader::from(*next).is_plausible() => Probe::Certain,
        Some(_) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

/// Behind the type of a hello: its length in three octets, and the version. The hello of a draft of TLS 1.3 has
/// version 0x7Fxx.
fn hello(rest: &[u8]) -> Probe {
    match rest {
        [0..=1, _, _, 3, 0..=4, ..] | [0..=1, _, _, 0x7F, _, ..] => Probe::Certain,
        [0..=1, _, _, 3 | 0x7F] | [0..=1, _, _] | [0..=1, _] | [0..=1] | [] => Probe::Unsure,
        _ => Probe::NotForUs,
    }
}
