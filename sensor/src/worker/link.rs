//! Protocols directly on the link, which have no flow: one frame, one look.

use wardwatch_dissect::{Address, Conversation, Direction, Input, LINK, Statements};
use wardwatch_flow::packet::Packet;

pub(super) fn dissect(packet: &Packet<'_>, bytes: &[u8], at: u64, statements: &mut Statements) {
    let address = |mac: Option<wardwatch_flow::Mac>| Address { mac: mac.map(|mac| mac.0), ip: None, port: 0 };
    let input = Input {
        direction: Direction::FromInitiator,
        sender: address(packet.source_mac),
        receiver: address(packet.destination_mac),
        at,
        flow: 0,
        bytes,
    };
    Conversation::new(LINK).datagram(&input, statements);
}
