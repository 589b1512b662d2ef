//! Protocols directly on the link, which have no flow: one frame, one look.

use wardwatch_dissect::{Conversation, Direction, LINK, Statements};
use wardwatch_flow::packet::Packet;

use super::Shown;

pub(super) fn dissect(packet: &Packet<'_>, at: u64, statements: &mut Statements) {
    if let Some(shown) = Shown::of(packet) {
        Conversation::new(LINK).datagram(&shown.input(Direction::FromInitiator, at, 0), statements);
    }
}
