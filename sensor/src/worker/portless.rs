//! What IP carries without ports: ICMP, ICMPv6, IGMP. Each packet says all by itself: one packet, one look, and nothing is
//! kept for the flow.

use wardwatch_dissect::{self as dissect, Carrier, Conversation, IP, Input, Statements};
use wardwatch_flow::packet::{Packet, Transport, protocol};
use wardwatch_flow::table;
use wardwatch_proto::v1::Protocol;

use super::application::addresses;

/// Reads the packet and says what it was recognised as.
pub(super) fn dissect(
    packet: &Packet<'_>,
    direction: table::Direction,
    at: u64,
    flow: u64,
    statements: &mut Statements,
) -> Protocol {
    let (Some(ip), Some((sender, receiver))) = (packet.ip(), addresses(packet)) else {
        return Protocol::Unspecified;
    };
    let carrier = match packet.transport {
        // Neighbour discovery in fragments has to be ignored (RFC 6980, 5).
        Transport::Icmp { .. } if ip.protocol == protocol::ICMPV6 && packet.frames > 1 => {
            return Protocol::Unspecified;
        }
        Transport::Icmp { kind, code, .. } if ip.protocol == protocol::ICMPV6 => {
            Carrier::Icmpv6 { kind, code, hop_limit: ip.hop_limit }
        }
        Transport::Icmp { kind, code, .. } => Carrier::Icmp { kind, code },
        _ => Carrier::Ip(ip.protocol),
    };
    let direction = match direction {
        table::Direction::FromInitiator => dissect::Direction::FromInitiator,
        table::Direction::FromResponder => dissect::Direction::FromResponder,
    };
    let input = Input { direction, sender, receiver, at, flow, carrier, bytes: packet.payload };
    let mut conversation = Conversation::new(IP);
    conversation.datagram(&input, statements);
    conversation.protocol()
}
