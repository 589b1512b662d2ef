//! Who talked to whom: what flows of different tools are found by.

use std::fmt;
use std::net::SocketAddr;

/// Two ends of a transport, in an order of no meaning, so that two tools name them alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Conversation {
    /// `tcp`, `udp`, `icmp` (of either IP version), or `ip` for every other protocol.
    pub transport: &'static str,
    /// The lesser end first. For ICMP the ports are type and code.
    pub ends: [SocketAddr; 2],
}

impl Conversation {
    /// Between two ends in any order; says as well whether the first one given is the first one kept.
    pub fn between(transport: &'static str, one: SocketAddr, other: SocketAddr) -> (Self, bool) {
        let is_ordered = one <= other;
        let ends = if is_ordered { [one, other] } else { [other, one] };
        (Self { transport, ends }, is_ordered)
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} <-> {}", self.transport, self.ends[0], self.ends[1])
    }
}

/// A flow that a tool recognised, and what it calls it.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// Who talked to whom.
    pub conversation: Conversation,
    /// The tool's name for the protocol.
    pub name: String,
}

/// What one end sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Packets.
    pub packets: u64,
    /// Their bytes: of frames or of IP packets, as the oracle counts.
    pub bytes: u64,
}

impl std::ops::AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets, {} bytes", self.packets, self.bytes)
    }
}
