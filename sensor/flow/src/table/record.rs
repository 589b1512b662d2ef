//! What the table states about a flow.

use std::net::IpAddr;

use crate::{
    community_id::CommunityId,
    packet::{Mac, Tunnels, VlanTag},
};

/// Which way a packet of a flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the endpoint that began the flow.
    FromInitiator,
    /// From the endpoint that was addressed.
    FromResponder,
}

impl Direction {
    /// The opposite way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::FromInitiator => Self::FromResponder,
            Self::FromResponder => Self::FromInitiator,
        }
    }

    /// 0 from the initiator, 1 from the responder: a place in an array of two.
    pub const fn index(self) -> usize {
        match self {
            Self::FromInitiator => 0,
            Self::FromResponder => 1,
        }
    }
}

/// Why a flow record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The flow goes on; the active interval has passed.
    Active,
    /// Nothing was seen for the idle timeout of its transport.
    Idle,
    /// TCP ended it: a FIN from both sides, or an RST.
    Finished,
    /// The table was full, and this flow had been idle longest.
    Evicted,
    /// A SYN began a new connection between the same ports.
    Reused,
    /// The table was finished.
    Shutdown,
}

impl EndReason {
    /// Whether this is the last record of its flow.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Active)
    }
}

/// One endpoint of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Hardware address of its packets: its own, or that of the router it is behind.
    pub mac: Option<Mac>,
    /// IP address.
    pub ip: IpAddr,
    /// Port; for ICMP what Community ID takes in its place (see [`crate::community_id::icmp_ports`]); otherwise 0.
    pub port: u16,
}

/// What one direction carried in the interval of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames; each fragment of a joined datagram counts.
    pub packets: u64,
    /// Bytes of frames on the wire, without the frame check sequence.
    pub frame_bytes: u64,
    /// Bytes of IP packets, headers included.
    pub ip_bytes: u64,
    /// Bytes carried by the transport, by its headers; retransmissions count.
    pub payload_bytes: u64,
}

/// A statement about one interval of a flow; counters cover this interval only.
///
/// The records of one flow have the same `id` and ascending `segment` numbers from 0, without holes; the last one has
/// an end reason other than [`EndReason::Active`]. Their sum is the whole flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRecord {
    /// Number of the flow, unique within its table.
    pub id: u64,
    /// Number of this record within the flow.
    pub segment: u32,
    /// Community ID, the same for all flows of this 5-tuple.
    pub community_id: CommunityId,
    /// The endpoint that began the flow.
    pub initiator: Endpoint,
    /// The endpoint that was addressed.
    pub responder: Endpoint,
    /// Whether the initiator was concluded from ports because the beginning was not seen. A later SYN corrects it, and
    /// then initiator and responder may change places between two records of a flow.
    pub initiator_guessed: bool,
    /// IP protocol number.
    pub ip_protocol: u8,
    /// VLAN identifiers of the flow's first frame, outermost first; 0 marks an unused place.
    pub vlans: [u16; crate::packet::Vlans::MAX],
    /// What the flow's first packet was carried in.
    pub tunnels: Tunnels,
    /// Time of the first packet of the interval, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// Time of the last packet of the interval, in nanoseconds since the Unix epoch.
    pub end: u64,
    /// What the initiator sent.
    pub from_initiator: Counters,
    /// What the responder sent.
    pub from_responder: Counters,
    /// TCP flags the initiator has sent since the flow began, or-ed.
    pub tcp_flags_initiator: u8,
    /// TCP flags the responder has sent since the flow began, or-ed.
    pub tcp_flags_responder: u8,
    /// Why the record was made.
    pub end_reason: EndReason,
    /// What the owner of the table set for this flow in [`super::Flow::tag`].
    pub tag: u32,
}

impl FlowRecord {
    /// VLAN identifiers, outermost first.
    pub fn vlan_ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.vlans.iter().copied().filter(|id| *id != 0)
    }
}

/// The identifiers of tags, as records keep them: priority tags name no VLAN and are left out.
pub(super) fn vlan_ids(tags: &[VlanTag]) -> [u16; crate::packet::Vlans::MAX] {
    let mut ids = [0; crate::packet::Vlans::MAX];
    for (place, tag) in ids.iter_mut().zip(tags.iter().filter(|tag| tag.id() != 0)) {
        *place = tag.id();
    }
    ids
}
