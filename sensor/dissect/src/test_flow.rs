//! A flow for the dissectors' tests: bytes go in as a network would bring them, what was said comes out.

use std::net::IpAddr;

use wardwatch_proto::address::{ip_text, mac_text};
use wardwatch_proto::v1::{Attribute, Observation, subject::Role};

use crate::{Address, Candidate, Carrier, Conversation, Direction, Input, Statements};

/// One flow between two ends.
pub(crate) struct TestFlow {
    pub(crate) initiator: Address,
    pub(crate) responder: Address,
    pub(crate) carrier: Carrier,
    pub(crate) conversation: Conversation,
    pub(crate) statements: Statements,
}

impl TestFlow {
    /// Between 192.0.2.1 port 40000 and 192.0.2.2 port 7, a port that tells nothing.
    pub(crate) fn new(candidates: &'static [Candidate]) -> Self {
        Self {
            initiator: address("192.0.2.1", 40_000),
            responder: address("192.0.2.2", 7),
            carrier: Carrier::default(),
            conversation: Conversation::new(candidates),
            statements: Statements::default(),
        }
    }

    pub(crate) fn with_responder(mut self, address: Address) -> Self {
        self.responder = address;
        self
    }

    pub(crate) fn with_initiator(mut self, address: Address) -> Self {
        self.initiator = address;
        self
    }

    /// As a frame or packet with this header brings the bytes.
    pub(crate) fn with_carrier(mut self, carrier: Carrier) -> Self {
        self.carrier = carrier;
        self
    }

    /// The initiator's next TCP bytes.
    pub(crate) fn ask(mut self, bytes: &[u8]) -> Self {
        self.bytes(Direction::FromInitiator, bytes);
        self
    }

    /// The responder's next TCP bytes.
    pub(crate) fn answer(mut self, bytes: &[u8]) -> Self {
        self.bytes(Direction::FromResponder, bytes);
        self
    }

    pub(crate) fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let (sender, receiver) = self.ends(direction);
        let input = Input { direction, sender, receiver, at: 1, flow: 1, carrier: self.carrier, bytes };
        self.conversation.bytes(&input, &mut self.statements);
    }

    pub(crate) fn datagram(mut self, direction: Direction, bytes: &[u8]) -> Self {
        let (sender, receiver) = self.ends(direction);
        let input = Input { direction, sender, receiver, at: 1, flow: 1, carrier: self.carrier, bytes };
        self.conversation.datagram(&input, &mut self.statements);
        self
    }

    /// What was said, one line for each: `whom attribute value`, where whom is `sender 192.0.2.1`.
    pub(crate) fn said(&self) -> Vec<String> {
        self.statements.observations.iter().map(line).collect()
    }

    /// The values that were stated of one attribute.
    pub(crate) fn values(&self, attribute: Attribute) -> Vec<&str> {
        let stated = self.statements.observations.iter();
        stated.filter(|told| told.attribute == attribute as i32).map(|told| told.value.as_str()).collect()
    }

    fn ends(&self, direction: Direction) -> (Address, Address) {
        match direction {
            Direction::FromInitiator => (self.initiator, self.responder),
            Direction::FromResponder => (self.responder, self.initiator),
        }
    }
}

/// An end of which only the IP address and the port are known.
pub(crate) fn address(ip: &str, port: u16) -> Address {
    Address { mac: None, ip: Some(ip.parse::<IpAddr>().expect("a literal address")), port }
}

fn line(observation: &Observation) -> String {
    let subject = observation.subject.clone().unwrap_or_default();
    let whom = match subject.role() {
        Role::Sender => "sender",
        Role::Peer => "peer",
        Role::Third => "third",
        Role::Unspecified => "nobody",
    };
    let end = subject.endpoint.unwrap_or_default();
    let address = [mac_text(&end.mac), ip_text(&end.ip), subject.key].join(" ");
    let name = observation.attribute().as_str_name().trim_start_matches("ATTRIBUTE_").to_ascii_lowercase();
    format!("{whom} {} {name} {}", address.trim(), observation.value)
}
