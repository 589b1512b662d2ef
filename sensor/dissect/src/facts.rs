//! The way out for facts: nothing passes that is not on the closed list in its grammar.

use wardwatch_proto::attribute;
use wardwatch_proto::v1::{Attribute, Endpoint, Observation, Protocol, Subject, subject::Role};

use crate::{Address, Input};

/// Observations as they are stated, and how many were refused.
#[derive(Debug, Default)]
pub struct Statements {
    /// Accepted, in the order in which they were stated.
    pub observations: Vec<Observation>,
    /// Values that were empty, a word for nothing, or outside their attribute's grammar.
    pub refused: u64,
}

/// What a dissector states facts through: it knows whose bytes are being read.
#[derive(Debug)]
pub struct Facts<'a> {
    statements: &'a mut Statements,
    protocol: Protocol,
    sender: Address,
    receiver: Address,
    at: u64,
    flow: u64,
}

impl<'a> Facts<'a> {
    /// For the bytes of this input, read as this protocol.
    pub fn new(statements: &'a mut Statements, protocol: Protocol, input: &Input<'_>) -> Self {
        let Input { sender, receiver, at, flow, .. } = *input;
        Self { statements, protocol, sender, receiver, at, flow }
    }

    /// The same way out, for what these bytes carry in another protocol: a device's description within HTTP.
    pub fn within(&mut self, protocol: Protocol) -> Facts<'_> {
        let Self { sender, receiver, at, flow, .. } = *self;
        Facts { statements: self.statements, protocol, sender, receiver, at, flow }
    }

    /// When the packet passed whose bytes are read, in nanoseconds since the Unix epoch.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What the sender of these bytes says about itself.
    pub fn of_sender(&mut self, attribute: Attribute, value: &str) {
        self.state(Role::Sender, self.sender.into(), "", attribute, value);
    }

    /// What the sender says about the end it talks to.
    pub fn of_receiver(&mut self, attribute: Attribute, value: &str) {
        self.state(Role::Peer, self.receiver.into(), "", attribute, value);
    }

    /// What the sender says about a third device that has an address of its own (a lease, a DNS answer).
    pub fn of_address(&mut self, address: Address, attribute: Attribute, value: &str) {
        self.state(Role::Third, address.into(), "", attribute, value);
    }

    /// What the sender says about a third device without an address, told apart by `key` (see
    /// [`Facts::third_key`]). The observation's endpoint is the sender, who told it. Without a key nothing is
    /// stated: the fact would land on the wrong device.
    pub fn of_third(&mut self, key: &str, attribute: Attribute, value: &str) {
        if key.is_empty() {
            self.statements.refused += 1;
        } else {
            self.state(Role::Third, self.sender.into(), key, attribute, value);
        }
    }

    /// A key for a third device out of what identifies it: `kind=part|part|...` with every part accepted in the
    /// grammar of its attribute, so that a key carries nothing that a value may not. Empty when nothing is left.
    pub fn third_key(kind: &str, parts: &[(Attribute, &str)]) -> String {
        let parts: Vec<_> = parts.iter().map(|(name, value)| attribute::accept(*name, value)).collect();
        if parts.iter().all(Option::is_none) {
            return String::new();
        }
        let parts: Vec<&str> = parts.iter().map(|part| part.as_deref().unwrap_or_default()).collect();
        format!("{kind}={}", parts.join("|"))
    }

    fn state(&mut self, role: Role, endpoint: Endpoint, key: &str, attribute: Attribute, value: &str) {
        let Some(value) = attribute::accept(attribute, value) else {
            self.statements.refused += 1;
            return;
        };
        self.statements.observations.push(Observation {
            attribute: attribute.into(),
            value: value.into_owned(),
            protocol: self.protocol.into(),
            subject: Some(Subject { role: role.into(), endpoint: Some(endpoint), key: key.to_owned() }),
            at: self.at,
            flow: self.flow,
            count: 1,
            network: String::new(),
        });
    }
}
