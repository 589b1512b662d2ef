//! Packets of a NetBIOS session (RFC 1002, 4.3), which SMB directly on TCP has only one kind of.

use crate::network::netbios::Name;

/// Kinds of packets.
pub(super) const MESSAGE: u8 = 0x00;
pub(super) const SESSION_REQUEST: u8 = 0x81;
pub(super) const POSITIVE_RESPONSE: u8 = 0x82;
pub(super) const NEGATIVE_RESPONSE: u8 = 0x83;
pub(super) const RETARGET: u8 = 0x84;
pub(super) const KEEPALIVE: u8 = 0x85;

/// Longest pair of names (RFC 1002, 4.1).
pub(super) const LONGEST_REQUEST: usize = 2 * 255;

/// The names of the called and the calling end, where they are those of hosts: users have others.
pub(super) fn names(body: &[u8]) -> Option<[Option<String>; 2]> {
    let (called, rest) = Name::read(body)?;
    let (calling, rest) = Name::read(rest)?;
    let of_host = |name: Name| name.is_of_host().then(|| name.text());
    rest.is_empty().then(|| [called, calling].map(of_host))
}
