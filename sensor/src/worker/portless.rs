//! What IP carries without ports: ICMP, ICMPv6, IGMP. Each packet says all by itself: one packet, one look, and nothing is
//! kept for the flow.

use wardwatch_dissect::{Conversation, IP, Statements};
use wardwatch_flow::packet::Packet;
use wardwatch_flow::table;
use wardwatch_proto::v1::Protocol;

use super::{Shown, direction_of};

/// Reads the packet and says what it was recognised as.
pub(super) fn dissect(
    packet: &Packet<'_>,
    direction: table::Direction,
    at: u64,
    flow: u64,
    statements: &mut Statements,
) -> Protocol {
    let Some(shown) = Shown::of(packet) else { return Protocol::Unspecified };
    let mut conversation = Conversation::new(IP);
    conversation.datagram(&shown.input(direction_of(direction), at, flow), statements);
    conversation.protocol()
}
