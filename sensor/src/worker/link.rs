//! Protocols directly on the link, which have no flow: one frame, one look.

use wardwatch_dissect::{Address, Carrier, Conversation, Direction, Input, LINK, Statements};
use wardwatch_flow::packet::{Llc, Network, Packet};

pub(super) fn dissect(packet: &Packet<'_>, at: u64, statements: &mut Statements) {
    let (carrier, bytes) = match &packet.network {
        Network::Arp(bytes) | Network::Other(bytes) => (Carrier::EtherType(packet.ethertype), *bytes),
        Network::Llc(Llc { snap: Some((organisation, protocol)), payload, .. }) => {
            (Carrier::Snap { organisation: *organisation, protocol: *protocol }, *payload)
        }
        Network::Llc(Llc { dsap, ssap, payload, .. }) => {
            (Carrier::Llc { dsap: *dsap, ssap: *ssap }, *payload)
        }
        Network::Ip(_) => return,
    };
    let address = |mac: Option<wardwatch_flow::Mac>| Address { mac: mac.map(|mac| mac.0), ip: None, port: 0 };
    let input = Input {
        direction: Direction::FromInitiator,
        sender: address(packet.source_mac),
        receiver: address(packet.destination_mac),
        at,
        flow: 0,
        carrier,
        bytes,
    };
    Conversation::new(LINK).datagram(&input, statements);
}
