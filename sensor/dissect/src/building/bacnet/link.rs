//! BACnet virtual link control over IP (ASHRAE 135, annex J.2): who hands the message on, and for whom.

use std::net::{IpAddr, Ipv4Addr};

use crate::octets::{be16, piece};
use crate::{Address, Input, Probe};

/// The type octet of BACnet/IP (IPv4).
const TYPE: u8 = 0x81;

/// The standard port, and those that installations count up to for further networks.
const PORTS: std::ops::RangeInclusive<u16> = 0xBAC0..=0xBACF;

/// A BVLC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// A network message of the sender.
    Network(&'a [u8]),
    /// A network message of the device at this address, forwarded by a broadcast management device.
    Forwarded(Address, &'a [u8]),
    /// A foreign device asks for broadcasts to be forwarded to it.
    RegisterForeignDevice,
    /// The answer to a request of a management device's tables or to a registration.
    Result(u16),
    /// Contents of a table that only a management device has.
    Table,
    /// Others: requests for tables, secured messages.
    Other,
}

/// Reads the header; nothing where this is no BVLC message.
pub(super) fn link(datagram: &[u8]) -> Option<Link<'_>> {
    let [kind, function] = piece(datagram, 0)?;
    if kind != TYPE || usize::from(be16(datagram, 2)?) != datagram.len() {
        return None;
    }
    message(function, datagram.get(4..)?)
}

fn message(function: u8, body: &[u8]) -> Option<Link<'_>> {
    Some(match (function, body.len()) {
        (0x00, 2) => Link::Result(be16(body, 0)?),
        // Broadcast distribution table (10 octets an entry), foreign device table (10 octets an entry).
        (0x03 | 0x07, length) if length % 10 == 0 => Link::Table,
        (0x04, _) => {
            let ip = IpAddr::V4(Ipv4Addr::from(piece::<4>(body, 0)?));
            let origin = Address { mac: None, ip: Some(ip), port: be16(body, 4)? };
            Link::Forwarded(origin, body.get(6..)?)
        }
        (0x05, 2) => Link::RegisterForeignDevice,
        // 0x09: a foreign device wants it broadcast; its own message all the same.
        (0x09..=0x0B, _) => Link::Network(body),
        (0x01 | 0x02 | 0x06 | 0x08 | 0x0C, _) => Link::Other,
        _ => return None,
    })
}

/// Certain where a network message of version 1 stands behind the header; the short messages without one are believed
/// on BACnet's ports only. There a network message is recognised as well whose header has a wrong length: no device takes
/// it, and nothing is read of it.
pub(super) fn probe(input: &Input<'_>) -> Probe {
    let is_on_port = PORTS.contains(&input.sender.port) || PORTS.contains(&input.receiver.port);
    match link(input.bytes) {
        Some(Link::Network(message) | Link::Forwarded(_, message))
            if super::network::is_plausible(message) =>
        {
            Probe::Certain
        }
        None if is_on_port && is_misjudged(input.bytes) => Probe::Certain,
        Some(Link::Network(_) | Link::Forwarded(..)) | None => Probe::NotForUs,
        Some(_) if is_on_port => Probe::Certain,
        Some(_) => Probe::Unsure,
    }
}

/// Whether all of a network message is there but the right length.
fn is_misjudged(datagram: &[u8]) -> bool {
    let Some(([TYPE, function, _, _], body)) = datagram.split_first_chunk() else { return false };
    matches!(message(*function, body), Some(Link::Network(message)) if super::network::is_plausible(message))
}
