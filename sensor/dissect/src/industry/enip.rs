//! EtherNet/IP (CIP volume 2, chapter 2) and of CIP (volume 1) the Identity object, class 1.
//!
//! Stated is what ListIdentity answers say, and what the Identity object says in unconnected messages and over connections:
//! vendor, device type, product code, revision, serial number, product name. Tags and their values are not looked at.
//!
//! The traps. Everything is little endian but the socket address in an identity, which is big endian and may be another
//! than the packet's. A request may be routed on through a backplane: then the module in the slot answers, not the adapter
//! at the address, and it is stated as a third device. An answer does not repeat what was asked for, so that only answers
//! to questions that were seen are read. Those over a connection are read only where its opening was seen: else it is not
//! known where it ends.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::cip::Question;
use self::connections::Connections;
use self::frame::{Command, Frame, Packet};
use super::once::Once;
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress};

mod cip;
mod connections;
mod frame;
mod identity;

/// On TCP.
pub(crate) const OVER_TCP: Candidate = Candidate {
    protocol: Protocol::EthernetIp,
    probe: frame::probe_stream,
    start: || Box::new(Enip::default()),
};

/// On UDP: ListIdentity, and the messages of I/O connections.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::EthernetIp,
    probe: frame::probe_datagram,
    start: || Box::new(Datagrams::default()),
};

/// Questions that wait for their answer.
const MOST_QUESTIONS: usize = 16;

const CLIENT: u32 = 0;
const SERVER: u32 = 1;

/// One TCP connection.
#[derive(Debug, Default)]
struct Enip {
    lost: [bool; 2],
    state: State,
}

/// Datagrams between two addresses.
#[derive(Debug, Default)]
struct Datagrams(State);

#[derive(Debug, Default)]
struct State {
    stated: Once,
    /// By the sender context, which an answer repeats.
    questions: Vec<([u8; 8], Question)>,
    connections: Connections,
}

impl Dissector for Enip {
    fn protocol(&self) -> Protocol {
        Protocol::EthernetIp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match frame::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not an encapsulation header"),
            Frame::Whole(packet) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                self.state.packet(&packet, facts);
                Progress::Consumed(packet.length)
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
        Protocol::EthernetIp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Frame::Whole(packet) = frame::read(input.bytes) {
            self.0.packet(&packet, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl State {
    fn packet(&mut self, packet: &Packet<'_>, facts: &mut Facts<'_>) {
        match packet.command {
            Command::ListIdentity => {
                let said = identity::listed(packet.data);
                if said.is_empty() {
                    self.role(CLIENT, facts);
                } else {
                    self.role(SERVER, facts);
                    for (attribute, value) in said {
                        facts.of_sender(attribute, &value);
                    }
                }
            }
            // The answer lists services; the question has no data.
            Command::ListServices | Command::ListInterfaces if packet.data.is_empty() => {
                self.role(CLIENT, facts);
            }
            // The question has no session yet.
            Command::RegisterSession if packet.session == 0 => self.role(CLIENT, facts),
            Command::ListServices | Command::ListInterfaces | Command::RegisterSession => {
                self.role(SERVER, facts);
            }
            Command::SendRrData => {
                if let Some(message) = frame::unconnected(packet.data) {
                    self.unconnected(packet.context, message, facts);
                }
            }
            Command::SendUnitData => {
                if let Some((number, sequence, message)) = frame::connected(packet.data)
                    && let Some(question) = self.connections.connected(number, sequence, message)
                {
                    state_answer(&question, message, facts);
                }
            }
            // Both sides send all of these.
            Command::Nop | Command::UnregisterSession | Command::Status => {}
        }
    }

    fn unconnected(&mut self, context: [u8; 8], message: &[u8], facts: &mut Facts<'_>) {
        self.connections.unconnected(context, message);
        let place = self.questions.iter().position(|(of, _)| *of == context);
        let asked = place.map(|place| self.questions.swap_remove(place).1);
        if !cip::is_answer(message) {
            self.role(CLIENT, facts);
            if let Some(question) = cip::question(message)
                && self.questions.len() < MOST_QUESTIONS
            {
                self.questions.push((context, question));
            }
            return;
        }
        self.role(SERVER, facts);
        if let Some(question) = asked {
            state_answer(&question, message, facts);
        }
    }

    fn role(&mut self, role: u32, facts: &mut Facts<'_>) {
        if self.stated.first(role) {
            let name = if role == CLIENT { "cip-client" } else { "cip-server" };
            facts.of_sender(Attribute::Role, name);
        }
    }
}

fn state_answer(question: &Question, message: &[u8], facts: &mut Facts<'_>) {
    for (attribute, value) in question.answer(message) {
        question.whom.state(attribute, &value, facts);
    }
}

#[cfg(test)]
mod tests;
