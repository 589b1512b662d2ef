//! The BACnet network layer (ASHRAE 135, clause 6.2): where a message comes from, behind how many routers ever.

use crate::octets::{be16, part};

/// The longest address that a data link has (LonTalk's is 7, IPv6's 18 with its port).
const LONGEST_ADDRESS: usize = 18;

/// A network message of a router: that it leads to these networks (6.4.3), or answers who is (6.4.19).
const I_AM_ROUTER_TO_NETWORK: u8 = 0x01;

/// What an NPDU holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// The network and the address of a device that is behind the sender, which then is a router.
    pub(super) source: Option<Source<'a>>,
    pub(super) content: Content<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Application(&'a [u8]),
    /// The sender says that it is a router.
    RouterAnnouncement,
    /// Another message between routers.
    Routing,
}

/// A device's place in the internetwork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source<'a> {
    network: u16,
    address: &'a [u8],
}

impl Source<'_> {
    /// As the key of a third device: `bacnet=2001:0a`.
    pub(super) fn key(&self) -> String {
        use std::fmt::Write as _;
        let mut key = format!("bacnet={}:", self.network);
        for octet in self.address {
            // Writing to a string does not fail.
            let _ = write!(key, "{octet:02x}");
        }
        key
    }
}

/// Whether this begins like an NPDU: version 1, and the reserved bits of its control octet clear.
pub(super) fn is_plausible(npdu: &[u8]) -> bool {
    matches!(npdu, [1, control, ..] if control & 0x50 == 0)
}

/// Reads an NPDU; nothing where it is none.
pub(super) fn message(npdu: &[u8]) -> Option<Message<'_>> {
    if !is_plausible(npdu) {
        return None;
    }
    let control = *npdu.get(1)?;
    let mut at = 2;
    let has_destination = control & 0x20 != 0;
    if has_destination {
        at += 3 + usize::from(*npdu.get(at + 2)?);
    }
    let mut source = None;
    if control & 0x08 != 0 {
        let network = be16(npdu, at)?;
        let length = usize::from(*npdu.get(at + 2)?);
        let address = part(npdu, at + 3, length)?;
        // Neither of these can be a source (6.2.2.1): no address, or the network of all networks.
        if !(1..=LONGEST_ADDRESS).contains(&length) || network == 0 || network == 0xFFFF {
            return None;
        }
        source = Some(Source { network, address });
        at += 3 + length;
    }
    if has_destination {
        // The hop count.
        at += 1;
    }
    let rest = npdu.get(at..)?;
    let content = if control & 0x80 == 0 {
        Content::Application(rest)
    } else if rest.first() == Some(&I_AM_ROUTER_TO_NETWORK) {
        Content::RouterAnnouncement
    } else {
        Content::Routing
    };
    Some(Message { source, content })
}
