//! Who began a flow.
//!
//! A TCP handshake says it. Where it was not seen, the sender of the first packet is taken, unless the ports speak
//! against it: the rules are those of Zeek (a sender on a server's port, to a port that is none, is the responder; if
//! both are, the lower port is), with two differences: the sender of a SYN-ACK is always the responder, and so is the
//! sender of an ICMP reply.

use super::{
    key::Side,
    server_ports::{self, Ports},
};
use crate::packet::{Ip, Packet, Transport, protocol, tcp_flags};

/// The side that began the flow whose first packet this is, and whether that is only a guess.
pub(super) fn of_first_packet(packet: &Packet<'_>, ip: &Ip, sender: Side) -> (Side, bool) {
    match packet.transport {
        Transport::Tcp(tcp) => match tcp.flags & (tcp_flags::SYN | tcp_flags::ACK) {
            tcp_flags::SYN => (sender, false),
            syn_ack if syn_ack & tcp_flags::SYN != 0 => (sender.other(), false),
            _ => {
                let to_server = server_ports::TCP.contains(tcp.destination_port);
                let flip = server_ports::TCP.contains(tcp.source_port)
                    && (!to_server || tcp.source_port < tcp.destination_port);
                (if flip { sender.other() } else { sender }, true)
            }
        },
        Transport::Udp { source_port, destination_port } => {
            by_port(&server_ports::UDP, packet, ip, sender, source_port, destination_port)
        }
        Transport::Sctp { source_port, destination_port } => {
            by_port(&server_ports::TCP, packet, ip, sender, source_port, destination_port)
        }
        Transport::Icmp { kind, .. } => {
            let is_reply = match ip.protocol {
                protocol::ICMP => matches!(kind, 0 | 14 | 16 | 18),
                _ => matches!(kind, 129 | 140),
            };
            (if is_reply { sender.other() } else { sender }, false)
        }
        Transport::Fragment | Transport::Other => (sender, false),
    }
}

/// Connectionless transports: one who addresses a group began it; an answer comes from a server's port.
fn by_port(
    servers: &Ports,
    packet: &Packet<'_>,
    ip: &Ip,
    sender: Side,
    source_port: u16,
    destination_port: u16,
) -> (Side, bool) {
    let to_group = packet.destination_mac.is_some_and(crate::Mac::is_multicast) || is_group(ip);
    if !to_group && servers.contains(source_port) && !servers.contains(destination_port) {
        (sender.other(), true)
    } else {
        (sender, false)
    }
}

fn is_group(ip: &Ip) -> bool {
    match ip.destination {
        std::net::IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        std::net::IpAddr::V6(v6) => v6.is_multicast(),
    }
}
