//! The one shape that all dissectors share.

use std::net::IpAddr;

use wardwatch_proto::v1::{Endpoint, Protocol};

use crate::Facts;

/// Which side of the flow sent the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The side that opened the flow: the client.
    FromInitiator,
    /// The side that answered: the server.
    FromResponder,
}

impl Direction {
    /// The other side.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::FromInitiator => Self::FromResponder,
            Self::FromResponder => Self::FromInitiator,
        }
    }

    /// 0 for the initiator's bytes, 1 for the responder's: for arrays that hold a thing for each side.
    pub const fn index(self) -> usize {
        match self {
            Self::FromInitiator => 0,
            Self::FromResponder => 1,
        }
    }
}

/// One end as it stands in the packet that carried the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// The MAC address, where the link has one.
    pub mac: Option<[u8; 6]>,
    /// The IP address, where the packet has one.
    pub ip: Option<IpAddr>,
    /// The TCP or UDP port, otherwise 0.
    pub port: u16,
}

impl From<Address> for Endpoint {
    fn from(address: Address) -> Self {
        Self {
            mac: address.mac.map(|mac| mac.to_vec()).unwrap_or_default(),
            ip: address.ip.map(wardwatch_proto::address::ip_bytes).unwrap_or_default(),
            port: u32::from(address.port),
        }
    }
}

/// What a dissector gets to see: on TCP the bytes of one direction that were not consumed yet, in order; on UDP one
/// datagram; on the link one frame's payload.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Who sent them.
    pub direction: Direction,
    /// The end that sent them.
    pub sender: Address,
    /// The end they were sent to.
    pub receiver: Address,
    /// When the packet passed that brought the last of them, in nanoseconds since the Unix epoch.
    pub at: u64,
    /// The flow's number, 0 where there is no flow.
    pub flow: u64,
    /// What the header in front of the bytes says of them.
    pub carrier: Carrier,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What the header in front of the bytes says of them, beside addresses and ports. Where a protocol has a number of its
/// own there, that is its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// TCP or UDP, which say nothing: a port is only a hint.
    #[default]
    Transport,
    /// A frame with this EtherType (IEEE 802.3, 3.2.6); 0 where the link names none.
    EtherType(u16),
    /// An LLC frame (IEEE 802.2, clause 3) between these service access points.
    Llc {
        /// Destination service access point.
        dsap: u8,
        /// Source service access point.
        ssap: u8,
    },
    /// An LLC frame with a SNAP header (IEEE 802, clause 9): an organisation's protocol.
    Snap {
        /// The organisation's identifier.
        organisation: [u8; 3],
        /// Its number for the protocol.
        protocol: u16,
    },
    /// An ICMP message (RFC 792) of this type and code; the bytes begin behind its checksum.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
    /// An ICMPv6 message (RFC 4443) of this type and code; the bytes begin behind its checksum.
    Icmpv6 {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Hop limit of the packet: 255 only where no router passed it on.
        hop_limit: u8,
    },
    /// Another IP protocol without ports, by its number; the bytes begin behind the IP header.
    Ip(u8),
}

/// A protocol's answer to the first bytes of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// These bytes are this protocol and no other.
    Certain,
    /// They may become so; show more.
    Unsure,
    /// They are not, and more bytes of this direction will not change it.
    NotForUs,
}

/// What a dissector did with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is done with this many of them. More than it was given means: skip the rest unseen as it arrives (an
    /// image, a document). On a datagram the number does not matter.
    Consumed(usize),
    /// It needs more bytes behind these before it can go on.
    NeedMore,
    /// There is nothing more to learn from this flow.
    Done,
    /// The bytes are not what the protocol allows, for this reason; the flow keeps its protocol, and is left alone.
    Broken(&'static str),
}

/// A protocol's state for one flow.
pub trait Dissector: Send {
    /// Which protocol this is. May become more precise as bytes pass (mDNS is DNS first).
    fn protocol(&self) -> Protocol;

    /// Reads on. Called again with the rest as long as it consumes something and bytes are left.
    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress;

    /// `missing` bytes of this direction were lost, or fell before the capture began. `true` to go on behind the
    /// hole (the dissector must find its footing again), `false` to leave the flow alone.
    fn gap(&mut self, direction: Direction, missing: u64) -> bool {
        let _ = (direction, missing);
        false
    }
}
