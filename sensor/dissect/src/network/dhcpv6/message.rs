//! Messages, relays' messages around them, and options (RFC 8415, 8, 9 and 21).

use std::net::Ipv6Addr;

use crate::octets::{be16, part, piece};

const SOLICIT: u8 = 1;
const ADVERTISE: u8 = 2;
const REQUEST: u8 = 3;
const CONFIRM: u8 = 4;
pub(super) const RENEW: u8 = 5;
pub(super) const REBIND: u8 = 6;
pub(super) const REPLY: u8 = 7;
const RELEASE: u8 = 8;
const DECLINE: u8 = 9;
const RECONFIGURE: u8 = 10;
pub(super) const INFORMATION_REQUEST: u8 = 11;
const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;

pub(super) const CLIENT: u16 = 1;
pub(super) const SERVER: u16 = 2;
pub(super) const ADDRESSES: u16 = 3;
pub(super) const TEMPORARY_ADDRESSES: u16 = 4;
pub(super) const ADDRESS: u16 = 5;
pub(super) const REQUESTED: u16 = 6;
const RELAYED: u16 = 9;
const STATUS: u16 = 13;
pub(super) const VENDOR_CLASS: u16 = 16;
pub(super) const VENDOR_OPTIONS: u16 = 17;
pub(super) const NAME_SERVERS: u16 = 23;
pub(super) const FULL_NAME: u16 = 39;
const CLIENT_LINK_LAYER: u16 = 79;
pub(super) const MUD_URL: u16 = 112;

/// Relays in a row (RFC 8415, 7.6: HOP_COUNT_LIMIT).
const MOST_RELAYS: usize = 8;

/// Options of one message that are read.
const MOST_OPTIONS: usize = 64;

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Option6<'a> {
    pub(super) code: u16,
    pub(super) value: &'a [u8],
}

/// Code and length in two octets each, as far as they fit.
pub(super) fn options(bytes: &[u8]) -> impl Iterator<Item = Option6<'_>> {
    let mut rest = bytes;
    let next = move || {
        let (code, length) = (be16(rest, 0)?, usize::from(be16(rest, 2)?));
        let value = part(rest, 4, length)?;
        rest = rest.get(length + 4..)?;
        Some(Option6 { code, value })
    };
    std::iter::from_fn(next).take(MOST_OPTIONS)
}

/// Whether options fill these bytes to the last.
fn are_whole(bytes: &[u8]) -> bool {
    let read: usize = options(bytes).map(|option| option.value.len() + 4).sum();
    read == bytes.len()
}

/// A message of a client or a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u8,
    options: &'a [u8],
}

/// What the relays around a message tell of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outer {
    pub(super) is_reply: bool,
    /// Whether the innermost relay heard the client itself.
    pub(super) is_next_to_client: bool,
    /// The client's address, if so.
    pub(super) peer: Ipv6Addr,
    /// The client's hardware address as that relay saw it.
    pub(super) client_mac: Option<[u8; 6]>,
}

/// The message, taken out of its relays' messages.
pub(super) fn read(bytes: &[u8]) -> Option<(Option<Outer>, Message<'_>)> {
    let (mut bytes, mut outer) = (bytes, None);
    for _ in 0..=MOST_RELAYS {
        let kind = *bytes.first()?;
        if !matches!(kind, RELAY_FORWARD | RELAY_REPLY) {
            let options = bytes.get(4..)?;
            let is_known = matches!(kind, SOLICIT..=INFORMATION_REQUEST) && are_whole(options);
            return is_known.then_some((outer, Message { kind, options }));
        }
        let [hops] = piece(bytes, 1)?;
        let peer = Ipv6Addr::from(piece::<16>(bytes, 18)?);
        let around = bytes.get(34..).filter(|around| are_whole(around))?;
        outer = Some(Outer {
            is_reply: kind == RELAY_REPLY,
            is_next_to_client: hops == 0,
            peer,
            client_mac: options(around).find(|option| option.code == CLIENT_LINK_LAYER).and_then(ethernet),
        });
        bytes = options(around).find(|option| option.code == RELAYED)?.value;
    }
    None
}

/// The type of hardware, and the address (RFC 6939, 4).
fn ethernet(option: Option6<'_>) -> Option<[u8; 6]> {
    let mac = option.value.strip_prefix(&[0, 1])?;
    mac.try_into().ok()
}

impl<'a> Message<'a> {
    pub(super) fn options(&self) -> impl Iterator<Item = Option6<'a>> + use<'a> {
        options(self.options)
    }

    /// The first option of this code.
    pub(super) fn option(&self, code: u16) -> Option<&'a [u8]> {
        self.options().find(|option| option.code == code).map(|option| option.value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    pub(super) fn is_of_client(&self) -> bool {
        matches!(self.kind, SOLICIT | REQUEST..=REBIND | RELEASE | DECLINE | INFORMATION_REQUEST)
    }

    /// Whether identifiers stand where they must, and not where they must not (RFC 8415, 16).
    pub(super) fn client_and_server_are_valid(&self) -> bool {
        let [client, server] = [CLIENT, SERVER].map(|code| self.option(code).is_some());
        match self.kind {
            SOLICIT | CONFIRM | REBIND => client && !server,
            REQUEST | RENEW | RELEASE | DECLINE | ADVERTISE | RECONFIGURE => client && server,
            REPLY => server,
            _ => true,
        }
    }

    /// The status of the whole message, 0 for success (RFC 8415, 21.13).
    pub(super) fn is_refused(&self) -> bool {
        self.option(STATUS).and_then(|value| be16(value, 0)).is_some_and(|status| status != 0)
    }
}
