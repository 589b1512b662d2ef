//! Modbus/TCP (Modbus Application Protocol V1.1b3; Messaging on TCP/IP Implementation Guide V1.0b), with Schneider's UMAS
//! in function 90.
//!
//! Stated are who asks and who answers, who writes, and what answers say of identity: Read Device Identification (2B/0E),
//! Report Server ID (11) and the UMAS identity. Values of registers and coils are not looked at.
//!
//! The traps. Unit identifiers 0 and 255 are the device at the address itself; 1 to 247 is a device on a serial line
//! behind it (guide, 4.4.2.3), and is stated as a third device, for else a gateway would be taken for each of its meters.
//! The seven octets of the header are weak, and whatever else comes to port 502 must not match: a message counts only
//! when its function has the length and the ranges that the specification gives it, and on other ports it takes two of
//! them. A request and an answer can look alike (functions 5 and 6): then the side that asked before asks again.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::frame::{Frame, Shape};
use super::once::Once;
use super::whom::Whom;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod frame;
mod identity;

/// Modbus/TCP on any port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Modbus, probe, start: || Box::new(Modbus::default()) };

const PORT: u16 = 502;

/// Function codes (specification, clause 5.1).
const REPORT_SERVER_ID: u8 = 0x11;
const ENCAPSULATED: u8 = 0x2B;
const UMAS: u8 = 0x5A;

/// Exceptions that a gateway raises on its own: no path to the unit, no answer from it (clause 7).
const OF_GATEWAYS: [u8; 2] = [0x0A, 0x0B];

/// UMAS: the request for the identity.
const UMAS_READ_ID: u8 = 0x02;

/// Questions for the UMAS identity that wait for their answer.
const MOST_QUESTIONS: usize = 8;

/// What is stated once of a flow.
const CLIENT: u32 = 0;
const WRITER: u32 = 1;
const SERVER: u32 = 2;
const GATEWAY: u32 = 3;
const UMAS_CLIENT: u32 = 4;
const UMAS_SERVER: u32 = 5;
const PROGRAMMER: u32 = 6;

/// Certain after two messages in a row, after one on the protocol's port, and after one that asks for or gives a device
/// identification.
fn probe(input: &Input<'_>) -> Probe {
    let is_on_port = [input.sender.port, input.receiver.port].contains(&PORT);
    let (mut rest, mut is_second) = (input.bytes, false);
    loop {
        match frame::read(rest) {
            Frame::Whole(message) if message.shape() != Shape::Neither => {
                if is_second || is_on_port || message.is_identification() {
                    return Probe::Certain;
                }
                is_second = true;
                rest = rest.get(message.length..).unwrap_or_default();
            }
            Frame::Partial => return Probe::Unsure,
            Frame::Whole(_) | Frame::Other => return Probe::NotForUs,
        }
    }
}

/// One TCP connection.
#[derive(Debug, Default)]
struct Modbus {
    /// Which side asks, once a message has shown it.
    client: Option<Direction>,
    /// For each side, whether octets were lost and the next message has to be found.
    lost: [bool; 2],
    stated: Once,
    /// Units that have answered.
    units: Once,
    /// Transactions in which the UMAS identity was asked for.
    questions: Vec<u16>,
}

impl Dissector for Modbus {
    fn protocol(&self) -> Protocol {
        Protocol::Modbus
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match frame::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            // A device begins a message in a segment of its own: the next one is as good a place as any.
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Whole(message) if is_lost && message.shape() == Shape::Neither => {
                Progress::Consumed(input.bytes.len())
            }
            Frame::Other => Progress::Broken("not a Modbus/TCP header"),
            Frame::Whole(message) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                if self.is_request(&message, input.direction) {
                    self.request(&message, facts);
                } else {
                    self.response(&message, facts);
                }
                Progress::Consumed(message.length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        true
    }
}

impl Modbus {
    fn is_request(&mut self, message: &frame::Message<'_>, direction: Direction) -> bool {
        let client = match message.shape() {
            Shape::Request => direction,
            Shape::Response => direction.reverse(),
            Shape::Both | Shape::Neither => {
                return self.client.unwrap_or(Direction::FromInitiator) == direction;
            }
        };
        self.client = Some(client);
        client == direction
    }

    fn request(&mut self, message: &frame::Message<'_>, facts: &mut Facts<'_>) {
        if message.shape() == Shape::Neither {
            return;
        }
        let mut role = |number, role| {
            if self.stated.first(number) {
                facts.of_sender(Attribute::Role, role);
            }
        };
        role(CLIENT, "modbus-client");
        match (message.function, message.data) {
            (0x05 | 0x06 | 0x0F | 0x10 | 0x15 | 0x16 | 0x17, _) => role(WRITER, "modbus-writer"),
            (UMAS, [_session, code, ..]) => {
                role(UMAS_CLIENT, "umas-client");
                match *code {
                    UMAS_READ_ID if self.questions.len() < MOST_QUESTIONS => {
                        self.questions.push(message.transaction);
                    }
                    // A program is carried to the controller or from it, started, stopped.
                    0x30..=0x35 | 0x40 | 0x41 => role(PROGRAMMER, "plc-programmer"),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn response(&mut self, message: &frame::Message<'_>, facts: &mut Facts<'_>) {
        if message.shape() == Shape::Neither {
            return;
        }
        let mut role = |number, role| {
            if self.stated.first(number) {
                facts.of_sender(Attribute::Role, role);
            }
        };
        role(SERVER, "modbus-server");
        if message.is_exception() {
            if matches!(message.data, [code] if OF_GATEWAYS.contains(code)) {
                role(GATEWAY, "modbus-gateway");
            }
            return;
        }
        if message.function == UMAS {
            role(UMAS_SERVER, "umas-server");
        }
        let whom = unit(message.unit);
        if let Whom::Behind(_) = whom
            && self.units.first(message.unit.into())
        {
            if self.units.len() == 2 {
                role(GATEWAY, "modbus-gateway");
            }
            whom.state(Attribute::Role, "modbus-server", facts);
        }
        let said = match message.function {
            ENCAPSULATED => identity::device_identification(message.data),
            REPORT_SERVER_ID => identity::server_id(message.data),
            UMAS => {
                let asked = self.questions.iter().position(|transaction| *transaction == message.transaction);
                let asked = asked.map(|place| self.questions.swap_remove(place)).is_some();
                if asked { identity::umas(message.data) } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        for (attribute, value) in said {
            whom.state(attribute, &value, facts);
        }
    }
}

/// Whom a unit identifier names.
fn unit(number: u8) -> Whom {
    match number {
        1..=247 => Whom::Behind(format!("modbus={number}")),
        _ => Whom::Sender,
    }
}

#[cfg(test)]
mod tests;
