//! HART-IP (FieldComm Group HCF_SPEC-085) on TCP and UDP: field devices, and gateways and multiplexers for them.
//!
//! Stated are who asks and who answers, and of answers to commands 0, 11 and 21 (identity), 13 and 20 (tags), 16 (final
//! assembly) and 84 (devices behind a gateway): maker, device type, device id, revisions. Measured values are not looked at.
//!
//! The traps. What is passed through may be of a device behind the address, on a loop or a wireless network: only an
//! answer at polling address 0 without a long address, or one that says that it is a bridge, is the address's own; others
//! are third devices, told apart by their unique address. Over UDP a server may answer from another port than it was
//! asked on, so that both sides are told by the type of the message and not by who began.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::frame::{Frame, Kind, Message, Pdu};
use super::once::Once;
use super::whom::Whom;
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress};

mod command;
mod frame;

/// On any TCP port.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::HartIp, probe: frame::probe, start: || Box::new(HartIp::default()) };

/// On any UDP port.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::HartIp,
    probe: frame::probe_datagram,
    start: || Box::new(Datagrams::default()),
};

const CLIENT: u32 = 0;
const SERVER: u32 = 1;

/// One TCP connection.
#[derive(Debug, Default)]
struct HartIp {
    lost: [bool; 2],
    state: State,
}

/// Datagrams between two addresses.
#[derive(Debug, Default)]
struct Datagrams(State);

#[derive(Debug, Default)]
struct State {
    stated: Once,
    /// The unique address of the server itself, once it has told.
    own: Option<[u8; 5]>,
}

impl Dissector for HartIp {
    fn protocol(&self) -> Protocol {
        Protocol::HartIp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match frame::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not a HART-IP header"),
            Frame::Whole(message, length) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                self.state.message(&message, facts);
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        true
    }
}

impl Dissector for Datagrams {
    fn protocol(&self) -> Protocol {
        Protocol::HartIp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Frame::Whole(message, length) = frame::read(input.bytes)
            && length == input.bytes.len()
        {
            self.0.message(&message, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl State {
    fn message(&mut self, message: &Message<'_>, facts: &mut Facts<'_>) {
        let (number, role) = match message.kind {
            Kind::Request => (CLIENT, "hart-ip-client"),
            Kind::Response | Kind::Publish => (SERVER, "hart-ip-server"),
        };
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
        if message.kind != Kind::Request
            && let Some(pdu) = message.pdu.filter(|pdu| pdu.is_answer && pdu.is_good())
        {
            self.answer(&pdu, facts);
        }
    }

    fn answer(&mut self, pdu: &Pdu<'_>, facts: &mut Facts<'_>) {
        if pdu.command == command::READ_SUB_DEVICE {
            let Some((address, said)) = command::sub_device(pdu.data) else { return };
            return state(&Whom::Behind(key(address)), said, facts);
        }
        let identity = command::identity(pdu);
        let address = pdu.long.or_else(|| identity.as_ref().map(|identity| identity.address));
        let is_bridge = identity.as_ref().is_some_and(|identity| identity.is_bridge);
        if is_bridge || pdu.polling == Some(0) && pdu.long.is_none() {
            self.own = self.own.or(address);
        }
        let Some(address) = address else { return };
        let whom = if self.own == Some(address) { Whom::Sender } else { Whom::Behind(key(address)) };
        let said = identity.map_or_else(|| command::other(pdu), |identity| identity.said);
        state(&whom, said, facts);
    }
}

fn state(whom: &Whom, said: Vec<(Attribute, String)>, facts: &mut Facts<'_>) {
    if said.is_empty() {
        return;
    }
    whom.state(Attribute::Role, "hart-device", facts);
    for (attribute, value) in said {
        whom.state(attribute, &value, facts);
    }
}

/// The key of a device by its unique address: `hart=264e0000d2`.
fn key(address: [u8; 5]) -> String {
    format!("hart={}", address.map(|octet| format!("{octet:02x}")).concat())
}

#[cfg(test)]
mod tests;
