//! The encapsulation header (CIP volume 2, 2-3), and the Common Packet Format behind it (2-6).

use crate::octets::{le16, le32, part, piece};
use crate::{Input, Probe};

/// Command, length, session, status, sender context, options.
const HEADER: usize = 24;

/// The longest data that the length may tell of.
const LONGEST: usize = 65_511;

const PORT: u16 = 44_818;

/// Items of the Common Packet Format.
const NULL_ADDRESS: u16 = 0x0000;
pub(super) const IDENTITY: u16 = 0x000C;
const CONNECTED_ADDRESS: u16 = 0x00A1;
const CONNECTED_DATA: u16 = 0x00B1;
const UNCONNECTED_DATA: u16 = 0x00B2;
const SEQUENCED_ADDRESS: u16 = 0x8002;

/// Commands (table 2-3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Nop,
    ListServices,
    ListIdentity,
    ListInterfaces,
    RegisterSession,
    UnregisterSession,
    SendRrData,
    SendUnitData,
    /// Indicate and cancel.
    Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) command: Command,
    pub(super) session: u32,
    pub(super) context: [u8; 8],
    pub(super) data: &'a [u8],
    /// Of the whole, with its header.
    pub(super) length: usize,
}

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(Packet<'a>),
    Partial,
    Other,
}

fn command(number: u16) -> Option<Command> {
    Some(match number {
        0x00 => Command::Nop,
        0x04 => Command::ListServices,
        0x63 => Command::ListIdentity,
        0x64 => Command::ListInterfaces,
        0x65 => Command::RegisterSession,
        0x66 => Command::UnregisterSession,
        0x6F => Command::SendRrData,
        0x70 => Command::SendUnitData,
        0x72 | 0x73 => Command::Status,
        _ => return None,
    })
}

/// Reads one packet. Options are 0 in all there is; the status is one of the few that are defined (table 2-3.3).
pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    let Some(number) = le16(bytes, 0) else { return Frame::Partial };
    let Some(command) = command(number) else { return Frame::Other };
    if le32(bytes, 8).is_some_and(|status| !matches!(status, 0..=3 | 0x64 | 0x65 | 0x69 | 0x6A))
        || le32(bytes, 20).is_some_and(|options| options != 0)
        || le16(bytes, 2).is_some_and(|length| usize::from(length) > LONGEST)
    {
        return Frame::Other;
    }
    let (Some(length), Some(session), Some(context)) =
        (le16(bytes, 2).map(usize::from), le32(bytes, 4), piece(bytes, 12))
    else {
        return Frame::Partial;
    };
    match part(bytes, HEADER, length) {
        Some(data) => Frame::Whole(Packet { command, session, context, data, length: HEADER + length }),
        None => Frame::Partial,
    }
}

/// Certain on a packet whose data have the form that its command gives them; where there are no data, on the protocol's
/// port.
pub(super) fn probe_stream(input: &Input<'_>) -> Probe {
    match read(input.bytes) {
        Frame::Whole(packet) => judge(&packet, input),
        // A connection that is joined begins with connected messages, which are short.
        Frame::Partial if input.bytes.len() < 1024 => Probe::Unsure,
        Frame::Partial | Frame::Other => Probe::NotForUs,
    }
}

/// On UDP a datagram is one packet, or one message of an I/O connection (volume 2, 2-6.3).
pub(super) fn probe_datagram(input: &Input<'_>) -> Probe {
    if is_io(input.bytes) {
        return Probe::Certain;
    }
    match read(input.bytes) {
        Frame::Whole(packet) if packet.length == input.bytes.len() => match packet.command {
            Command::ListServices | Command::ListIdentity | Command::ListInterfaces => judge(&packet, input),
            _ => Probe::NotForUs,
        },
        _ => Probe::NotForUs,
    }
}

fn judge(packet: &Packet<'_>, input: &Input<'_>) -> Probe {
    let is_certain = match (packet.command, packet.data) {
        (Command::RegisterSession, data) => data == [1, 0, 0, 0],
        // A header that is nearly all zeros: other protocols have such, too. Elsewhere the answer will tell.
        (
            Command::ListServices
            | Command::ListIdentity
            | Command::ListInterfaces
            | Command::UnregisterSession,
            [],
        ) => {
            let is_alone = packet.length == input.bytes.len();
            let is_on_port = [input.sender.port, input.receiver.port].contains(&PORT);
            if is_alone && !is_on_port {
                return Probe::Unsure;
            }
            is_alone
        }
        (Command::ListServices, data) => {
            // One item, 0100, whose text begins with the name of the service.
            items(data).any(|(kind, value)| {
                kind == 0x0100 && value.get(4..).is_some_and(|name| name.starts_with(b"Comm"))
            })
        }
        (Command::ListIdentity, data) => {
            items(data).any(|(kind, value)| kind == IDENTITY && value.len() > 32)
        }
        // Interface handle 0 is CIP.
        (Command::SendRrData | Command::SendUnitData, data) => {
            packet.session != 0 && le32(data, 0) == Some(0) && {
                let kinds: Vec<u16> =
                    items(data.get(6..).unwrap_or_default()).map(|(kind, _)| kind).collect();
                matches!(
                    *kinds,
                    [NULL_ADDRESS, UNCONNECTED_DATA, ..] | [CONNECTED_ADDRESS, CONNECTED_DATA, ..]
                )
            }
        }
        _ => false,
    };
    if is_certain { Probe::Certain } else { Probe::NotForUs }
}

fn is_io(datagram: &[u8]) -> bool {
    let Some(&[2, 0, 2, 0x80, 8, 0]) = datagram.first_chunk::<6>() else { return false };
    let kinds: Vec<_> = items(datagram).map(|(kind, value)| (kind, value.len())).collect();
    match *kinds {
        [(SEQUENCED_ADDRESS, 8), (CONNECTED_DATA, length)] => datagram.len() == 18 + length,
        _ => false,
    }
}

/// Most items of one packet that are looked at.
const MOST_ITEMS: usize = 8;

/// Items: how many, then each with kind, length and value. Ends where they do not fit.
pub(super) fn items(data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let count = le16(data, 0).map_or(0, usize::from).min(MOST_ITEMS);
    let mut rest = data.get(2..).unwrap_or_default();
    (0..count).map_while(move |_| {
        let (kind, length) = (le16(rest, 0)?, le16(rest, 2)?);
        let value = part(rest, 4, length.into())?;
        rest = rest.get(4 + usize::from(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The message in SendRRData: behind interface handle and timeout, the item of unconnected data.
pub(super) fn unconnected(data: &[u8]) -> Option<&[u8]> {
    if le32(data, 0)? != 0 {
        return None;
    }
    items(data.get(6..)?).find(|(kind, _)| *kind == UNCONNECTED_DATA).map(|(_, value)| value)
}

/// The message in SendUnitData: the number of its connection, its sequence count, and what comes behind that.
pub(super) fn connected(data: &[u8]) -> Option<(u32, u16, &[u8])> {
    if le32(data, 0)? != 0 {
        return None;
    }
    let item = |wanted| items(data.get(6..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let (number, value) = (le32(item(CONNECTED_ADDRESS)?, 0)?, item(CONNECTED_DATA)?);
    Some((number, le16(value, 0)?, value.get(2..)?))
}
