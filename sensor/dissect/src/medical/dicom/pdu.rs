//! Protocol data units of the DICOM upper layer (PS3.8, 9.3): how they begin and how they are told from others.

use crate::octets::{be16, be32, part};
use crate::{Input, Probe};

/// Octets of a PDU's header: type, reserved, length.
pub(super) const HEADER_BYTES: usize = 6;

/// Octets before the variable items of A-ASSOCIATE-RQ and -AC, without the PDU's header.
pub(super) const ASSOCIATE_FIXED_BYTES: usize = 68;

/// Octets of the longest association request or answer that is read: 128 contexts and a user identity of 64 KiB.
pub(super) const LONGEST_ASSOCIATE: u32 = 128 * 1024;

/// `1.2.840.10008.3.1.1.1`, the only application context there is (PS3.7, A.2.1).
const APPLICATION_CONTEXT: &[u8] = b"1.2.840.10008.3.1.1.1";

/// The kinds of PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    AssociateRequest,
    AssociateAccept,
    AssociateReject,
    Data,
    ReleaseRequest,
    ReleaseReply,
    Abort,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::AssociateRequest,
            2 => Self::AssociateAccept,
            3 => Self::AssociateReject,
            4 => Self::Data,
            5 => Self::ReleaseRequest,
            6 => Self::ReleaseReply,
            7 => Self::Abort,
            _ => return None,
        })
    }
}

/// The first six bytes of a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Nothing where the standard knows no such type.
    pub(super) kind: Option<Kind>,
    /// Octets that follow.
    pub(super) length: u32,
}

/// A PDU's header, once its bytes are there.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let length = be32(bytes, 2)?;
    Some(Header { kind: bytes.first().copied().and_then(Kind::from_code), length })
}

/// Octets of a presentation data value's header: length, context, control.
pub(super) const VALUE_HEADER_BYTES: u32 = 6;

/// A presentation data value (PS3.8, 9.3.5.1 and E.2): a fragment of a command or of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueHeader {
    /// Octets of the fragment, its context and its control.
    item: u32,
    pub(super) context: u8,
    pub(super) is_command: bool,
    pub(super) is_last: bool,
}

/// A presentation data value's header, once its bytes are there.
pub(super) fn value_header(bytes: &[u8]) -> Option<ValueHeader> {
    let item = be32(bytes, 0)?;
    let (context, control) = (*bytes.get(4)?, *bytes.get(5)?);
    Some(ValueHeader { item, context, is_command: control & 1 != 0, is_last: control & 2 != 0 })
}

impl ValueHeader {
    /// Octets of the fragment, when it fits into a PDU of which this many octets are left.
    pub(super) fn length_within(self, left: u32) -> Option<u32> {
        self.item
            .checked_sub(2)
            .filter(|length| length.checked_add(VALUE_HEADER_BYTES).is_some_and(|all| all <= left))
    }
}

/// Certain on an association's request or answer, and on a command of an association that was opened before.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    match bytes.first() {
        Some(1 | 2) => probe_associate(bytes),
        Some(4) => probe_command(bytes),
        Some(_) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

fn probe_associate(bytes: &[u8]) -> Probe {
    if be32(bytes, 2)
        .is_some_and(|length| length > LONGEST_ASSOCIATE || (length as usize) < ASSOCIATE_FIXED_BYTES)
        || be16(bytes, 6).is_some_and(|version| version & 1 == 0)
    {
        return Probe::NotForUs;
    }
    let items = HEADER_BYTES + ASSOCIATE_FIXED_BYTES;
    let Some(name) = part(bytes, items + 4, APPLICATION_CONTEXT.len()) else {
        return Probe::Unsure;
    };
    if bytes.get(items) == Some(&0x10) && name == APPLICATION_CONTEXT {
        Probe::Certain
    } else {
        Probe::NotForUs
    }
}

/// A P-DATA-TF whose first value begins a command set, whose first element is its group length (0000,0000), an UL of
/// four octets (PS3.7, 6.3.1).
fn probe_command(bytes: &[u8]) -> Probe {
    const GROUP_LENGTH: &[u8] = &[0, 0, 0, 0, 4, 0, 0, 0];
    let Some(header) = header(bytes) else { return Probe::Unsure };
    let Some(value) = value_header(bytes.get(HEADER_BYTES..).unwrap_or_default()) else {
        return Probe::Unsure;
    };
    if header.kind != Some(Kind::Data)
        || !value.is_command
        || value.context & 1 == 0
        || value.length_within(header.length).is_none()
    {
        return Probe::NotForUs;
    }
    match part(bytes, COMMAND_START_BYTES - GROUP_LENGTH.len(), GROUP_LENGTH.len()) {
        Some(start) if start == GROUP_LENGTH => Probe::Certain,
        Some(_) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

/// Octets that [`probe_command`] looks at.
const COMMAND_START_BYTES: usize = HEADER_BYTES + VALUE_HEADER_BYTES as usize + 8;

/// Where a PDU is sure to begin in the bytes of a direction that is read from somewhere on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Footing {
    /// Behind this many octets.
    Behind(usize),
    /// Not in these octets, but perhaps in those behind this many.
    Unknown(usize),
}

/// Looks for a PDU: an association's request or answer, a refusal, a release or an abort at the very beginning; the
/// beginning of a command anywhere.
pub(super) fn footing(bytes: &[u8]) -> Footing {
    match bytes.first() {
        Some(1 | 2) => match probe_associate(bytes) {
            Probe::Certain => return Footing::Behind(0),
            Probe::Unsure => return Footing::Unknown(0),
            Probe::NotForUs => {}
        },
        Some(3 | 5..=7) => match header(bytes) {
            Some(header) if header.length == 4 => return Footing::Behind(0),
            None => return Footing::Unknown(0),
            Some(_) => {}
        },
        _ => {}
    }
    let found = bytes
        .windows(COMMAND_START_BYTES)
        .position(|window| window.first() == Some(&4) && probe_command(window) == Probe::Certain);
    match found {
        Some(at) => Footing::Behind(at),
        None => Footing::Unknown((bytes.len() + 1).saturating_sub(COMMAND_START_BYTES)),
    }
}
