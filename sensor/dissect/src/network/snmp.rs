//! SNMP (RFC 1157, 1901, 3412 to 3418) on any UDP port: managers ask, agents answer and tell of events.
//!
//! An agent's answers say what its device is: product number, description, name, place; of the chassis maker, model, serial
//! number and versions; of printers and UPS the same. What it tells unasked names its maker by that maker's events and objects.
//! In version 3 the number of its engine names the maker, and often a hardware address, even when the rest is encrypted. Never
//! stated: contacts, users, other objects' values, and the community, a password in clear: that it was sent is, and whether
//! devices are delivered with it, once an agent answered.
//!
//! Traps of version 1 say which agent they are about, which a relay in between is not. The engine in a message that wants an
//! answer is the receiver's, and a proxy's answer is about another engine: neither says anything about the sender.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::identity::Tables;
use self::message::{Kind, Message, Pdu, message};
use crate::scope::is_unicast;
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress};

mod ber;
mod engine;
mod identity;
mod message;

/// SNMP on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Snmp, probe, start: || Box::new(Snmp::default()) };

/// The port for traps and informs (RFC 3417, 3.2): whoever sends to it encrypted is an agent, whoever answers from it is not.
const TRAP_PORT: u16 = 162;

/// `snmpEngineID.0` (RFC 3411).
const SNMP_ENGINE_ID: &[u8] = &[0x2B, 6, 1, 6, 3, 10, 2, 1, 1, 0];

/// `usmStats` (RFC 3414): what is wrong with a message, a number and a zero behind it.
const USM_STATS: &[u8] = &[0x2B, 6, 1, 6, 3, 15, 1, 1];

/// Communities that agents are delivered with.
const DEFAULT_COMMUNITIES: [&[u8]; 2] = [b"public", b"private"];

fn probe(input: &Input<'_>) -> Probe {
    if message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// Messages between two addresses.
#[derive(Debug, Default)]
struct Snmp {
    /// For each side, whether the other sent it an inform, so that its responses are those of a manager.
    was_informed: [bool; 2],
    tables: [Tables; 2],
}

/// Whom a message describes: its sender, or an agent that the sender speaks for.
#[derive(Clone, Copy)]
struct Agent(Option<Address>);

impl Agent {
    fn state(self, attribute: Attribute, value: &str, facts: &mut Facts<'_>) {
        match self.0 {
            None => facts.of_sender(attribute, value),
            Some(address) => facts.of_address(address, attribute, value),
        }
    }
}

impl Dissector for Snmp {
    fn protocol(&self) -> Protocol {
        Protocol::Snmp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match message(input.bytes) {
            Some(Message::Community { version, community, pdu }) => {
                facts.of_sender(Attribute::WeakProtocol, version);
                let is_agent = self.pdu(&pdu, input, facts);
                // A manager may be wrong about it, and about there being an agent at all.
                if is_agent && !community.is_empty() {
                    facts.of_sender(Attribute::CleartextCredential, "snmp-community");
                    if pdu.kind == Kind::Response && DEFAULT_COMMUNITIES.contains(&community) {
                        facts.of_sender(Attribute::DefaultCredential, "snmp-community");
                    }
                }
            }
            Some(Message::Secured { engine, is_reportable, scoped }) => {
                if !is_reportable {
                    state_engine(engine, facts);
                }
                match scoped {
                    Some((context, pdu)) if is_reportable || context == engine => {
                        self.pdu(&pdu, input, facts);
                    }
                    Some(_) => {}
                    None => state_encrypted(is_reportable, input, facts),
                }
            }
            None => {}
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl Snmp {
    /// Says whether an agent speaks.
    fn pdu(&mut self, pdu: &Pdu<'_>, input: &Input<'_>, facts: &mut Facts<'_>) -> bool {
        let (mine, others) = (input.direction.index(), input.direction.reverse().index());
        let agent = match pdu.kind {
            Kind::Request => {
                facts.of_sender(Attribute::Role, "snmp-manager");
                return false;
            }
            Kind::Response if self.was_informed.get(mine) == Some(&true) => {
                facts.of_sender(Attribute::Role, "snmp-manager");
                return false;
            }
            Kind::Response | Kind::Trap => Agent(None),
            Kind::Inform => {
                self.was_informed.get_mut(others).into_iter().for_each(|informed| *informed = true);
                Agent(None)
            }
            Kind::Report => {
                state_refusal(pdu, facts);
                Agent(None)
            }
            Kind::TrapV1(address) => {
                let is_other = is_unicast(address.into()) && input.sender.ip != Some(address.into());
                Agent(is_other.then(|| Address { ip: Some(address.into()), ..Address::default() }))
            }
        };
        agent.state(Attribute::Role, "snmp-agent", facts);
        if let Some(tables) = self.tables.get_mut(mine)
            && pdu.kind != Kind::Report
        {
            // Which row is the device's may stand behind what it says.
            pdu.bindings().for_each(|(name, tag, value)| tables.learn(name, tag, value));
            if let Some(maker) = pdu.maker() {
                agent.state(Attribute::EnterpriseNumber, &maker.to_string(), facts);
            }
            for (name, tag, value) in pdu.bindings() {
                for (attribute, value) in tables.facts(name, tag, value) {
                    agent.state(attribute, &value, facts);
                }
                if name == SNMP_ENGINE_ID && tag == ber::OCTET_STRING && agent.0.is_none() {
                    state_engine(value, facts);
                }
            }
        }
        true
    }
}

fn state_engine(id: &[u8], facts: &mut Facts<'_>) {
    if let Some(engine) = engine::engine(id) {
        facts.of_sender(Attribute::EnterpriseNumber, &engine.enterprise.to_string());
        if let Some(mac) = engine.mac {
            facts.of_sender(Attribute::MacAddress, &mac);
        }
    }
}

/// Of an encrypted message it shows whether it wants an answer.
fn state_encrypted(is_reportable: bool, input: &Input<'_>, facts: &mut Facts<'_>) {
    match is_reportable {
        true if input.receiver.port == TRAP_PORT => facts.of_sender(Attribute::Role, "snmp-agent"),
        true => facts.of_sender(Attribute::Role, "snmp-manager"),
        false if input.sender.port == TRAP_PORT => facts.of_sender(Attribute::Role, "snmp-manager"),
        false => facts.of_sender(Attribute::Role, "snmp-agent"),
    }
}

/// An unknown user, or a wrong digest: what does not know the password sends. Unknown engines and clocks that differ are how
/// every conversation begins.
fn state_refusal(pdu: &Pdu<'_>, facts: &mut Facts<'_>) {
    let refused = pdu.bindings().any(|(name, _, _)| matches!(name.strip_prefix(USM_STATS), Some([3 | 5, 0])));
    if refused {
        facts.of_receiver(Attribute::FailedLogin, "snmp");
    }
}

#[cfg(test)]
mod tests;
