//! A packet as dissectors are shown it: who sent it to whom, the bytes, and what the header in front of them says.

use wardwatch_dissect::{self as dissect, Address, Carrier, Input};
use wardwatch_flow::Mac;
use wardwatch_flow::packet::{Llc, Network, Packet, Transport, protocol};
use wardwatch_flow::table;

/// What dissectors are shown of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The end that sent it.
    pub sender: Address,
    /// The end it was sent to.
    pub receiver: Address,
    /// What the last header says.
    pub carrier: Carrier,
    /// What stands behind that.
    pub bytes: &'a [u8],
}

impl<'a> Shown<'a> {
    /// Nothing where no dissector is shown it: SCTP, a fragment by itself, and what a standard says has to be ignored.
    pub fn of(packet: &Packet<'a>) -> Option<Self> {
        let (carrier, bytes) = match &packet.network {
            Network::Arp(bytes) | Network::Other(bytes) => (Carrier::EtherType(packet.ethertype), *bytes),
            Network::Llc(Llc { snap: Some((organisation, protocol)), payload, .. }) => {
                (Carrier::Snap { organisation: *organisation, protocol: *protocol }, *payload)
            }
            Network::Llc(Llc { dsap, ssap, payload, .. }) => {
                (Carrier::Llc { dsap: *dsap, ssap: *ssap }, *payload)
            }
            Network::Ip(ip) => {
                let carrier = match &packet.transport {
                    Transport::Tcp(_) | Transport::Udp { .. } => Carrier::Transport,
                    // Neighbour discovery in fragments has to be ignored (RFC 6980, 5).
                    Transport::Icmp { .. } if ip.protocol == protocol::ICMPV6 && packet.frames > 1 => {
                        return None;
                    }
                    Transport::Icmp { kind, code, .. } if ip.protocol == protocol::ICMPV6 => {
                        Carrier::Icmpv6 { kind: *kind, code: *code, hop_limit: ip.hop_limit }
                    }
                    Transport::Icmp { kind, code, .. } => Carrier::Icmp { kind: *kind, code: *code },
                    Transport::Other => Carrier::Ip(ip.protocol),
                    Transport::Sctp { .. } | Transport::Fragment => return None,
                };
                (carrier, packet.payload)
            }
        };
        let [sender, receiver] = ends(packet);
        Some(Self { sender, receiver, carrier, bytes })
    }

    /// On its way through this flow, at its time.
    pub(super) fn input(self, direction: dissect::Direction, at: u64, flow: u64) -> Input<'a> {
        let Self { sender, receiver, carrier, bytes } = self;
        Input { direction, sender, receiver, at, flow, carrier, bytes }
    }
}

/// The dissectors' word for the flow table's.
pub fn direction_of(direction: table::Direction) -> dissect::Direction {
    match direction {
        table::Direction::FromInitiator => dissect::Direction::FromInitiator,
        table::Direction::FromResponder => dissect::Direction::FromResponder,
    }
}

/// The sender's and the receiver's.
fn ends(packet: &Packet<'_>) -> [Address; 2] {
    let (source_port, destination_port) = packet.ports().unwrap_or_default();
    let end = |mac: Option<Mac>, ip, port| Address { mac: mac.map(|mac| mac.0), ip, port };
    let ip = packet.ip();
    [
        end(packet.source_mac, ip.map(|ip| ip.source), source_port),
        end(packet.destination_mac, ip.map(|ip| ip.destination), destination_port),
    ]
}
