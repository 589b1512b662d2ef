//! The application layer's protocol data units (ASHRAE 135, clause 20.1).

use super::tag::{Tag, Tags};

/// Services that are read (clause 21).
pub(super) const I_AM: u8 = 0;
pub(super) const I_HAVE: u8 = 1;
pub(super) const WHO_AM_I: u8 = 13;
pub(super) const READ_PROPERTY: u8 = 12;
pub(super) const READ_PROPERTY_MULTIPLE: u8 = 14;
const DEVICE_COMMUNICATION_CONTROL: u8 = 17;
const REINITIALIZE_DEVICE: u8 = 20;

/// A PDU, as far as it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pdu<'a> {
    ConfirmedRequest {
        service: u8,
        parameters: &'a [u8],
    },
    UnconfirmedRequest {
        service: u8,
        parameters: &'a [u8],
    },
    Answer {
        service: u8,
        parameters: &'a [u8],
    },
    /// One segment of an answer.
    Segment {
        invoke: u8,
        sequence: u8,
        has_more: bool,
        service: u8,
        parameters: &'a [u8],
    },
    Other,
}

/// Reads the fixed part; nothing where it does not fit.
pub(super) fn pdu(apdu: &[u8]) -> Option<Pdu<'_>> {
    let first = *apdu.first()?;
    let is_segmented = first & 0x08 != 0;
    let service_at = |at: usize| Some((*apdu.get(at)?, apdu.get(at + 1..)?));
    Some(match first >> 4 {
        // A request in segments is long, and what is looked for in requests is short.
        0 if is_segmented => Pdu::Other,
        0 => {
            let (service, parameters) = service_at(3)?;
            Pdu::ConfirmedRequest { service, parameters }
        }
        1 => {
            let (service, parameters) = service_at(1)?;
            Pdu::UnconfirmedRequest { service, parameters }
        }
        3 if is_segmented => {
            let (service, parameters) = service_at(4)?;
            let has_more = first & 0x04 != 0;
            Pdu::Segment { invoke: *apdu.get(1)?, sequence: *apdu.get(2)?, has_more, service, parameters }
        }
        3 => {
            let (service, parameters) = service_at(2)?;
            Pdu::Answer { service, parameters }
        }
        2 | 4..=7 => Pdu::Other,
        _ => return None,
    })
}

/// Whether a request carries a password in clear: ReinitializeDevice (16.4) in its second parameter,
/// DeviceCommunicationControl (16.1) in its third. The password is not kept.
pub(super) fn has_password(service: u8, parameters: &[u8]) -> bool {
    let number = match service {
        REINITIALIZE_DEVICE => 1,
        DEVICE_COMMUNICATION_CONTROL => 2,
        _ => return false,
    };
    // The first octet of the string only says how it is encoded.
    Tags(parameters).any(|tag| matches!(tag, Tag::Context(of, value) if of == number && value.len() > 1))
}
