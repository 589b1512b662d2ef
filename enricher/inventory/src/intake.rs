//! Facts into dossiers: whose evidence is it?
//!
//! - A flow's end that sent packets exists; an end that did not answer is looked up and never made a device, so that
//!   a scan of empty addresses finds no ghosts.
//! - What a device says of itself goes to its own dossier.
//! - What its peer or a third device says about an address is hearsay: it is kept, and belongs to the device there
//!   once something was heard from that device itself. ARP and DHCP that name a MAC address are no hearsay: they are
//!   the link's own, and their subject is the interface.
//! - What is told of a third device under a key never lands on the teller.

use std::sync::Arc;

use wardwatch_knowledge::{Field, Knowledge, Said};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Counters, Endpoint, Flow, Observation, Protocol};
use wardwatch_proto::{address, attribute};

use crate::dossier::{Conversation, Dossier, Sighting};
use crate::identity::{self, EndpointId, Mac};
use crate::network;
use crate::register::Register;
use crate::scope::{Ip, Scope};
use crate::statement::{Heard, Outcome};

/// How far a sensor's clock may run ahead of the broker's before its times are no longer believed: one day.
const CLOCK_AHEAD: u64 = 86_400 * 1_000_000_000;

/// One message of facts being taken in.
pub(crate) struct Intake<'a> {
    pub(crate) register: &'a mut Register,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) sensor: Arc<str>,
    /// Of the fact that is taken in: where the sensor stands, or a network within that.
    pub(crate) scope: Scope,
    /// The broker's time of the message.
    pub(crate) log_time: u64,
    /// Event time of the newest fact.
    pub(crate) newest: u64,
    pub(crate) findings: Vec<Pending>,
}

/// A finding whose device is told when the whole message was taken in.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) dossier: u32,
    pub(crate) attribute: Attribute,
    pub(crate) value: String,
    pub(crate) protocol: Protocol,
    pub(crate) at: u64,
    pub(crate) flow: u64,
}

/// An endpoint as far as it can be one device's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) mac: Option<Mac>,
    pub(crate) ip: Option<Ip>,
}

impl End {
    /// As it stood in the packets of a scope.
    pub(crate) fn of(scope: Scope, endpoint: Option<&Endpoint>) -> Self {
        let at = |endpoint: &Endpoint| Self {
            mac: identity::mac(&endpoint.mac),
            ip: address::ip(&endpoint.ip).filter(|ip| network::is_host(*ip)).map(|ip| scope.at(ip)),
        };
        endpoint.map(at).unwrap_or_default()
    }
}

/// Whether a side of a flow sent anything.
pub(crate) fn has_sent(counters: Option<&Counters>) -> bool {
    counters.is_some_and(|counters| counters.packets > 0)
}

impl Intake<'_> {
    pub(crate) fn flow(&mut self, flow: &Flow) {
        self.register.counters.flows += 1;
        let first = self.event_time(flow.start);
        let last = self.event_time(flow.end).max(first);
        self.newest = self.newest.max(last);
        let initiator = End::of(self.scope, flow.initiator.as_ref());
        let responder = End::of(self.scope, flow.responder.as_ref());
        let (sent, answered) =
            (has_sent(flow.from_initiator.as_ref()), has_sent(flow.from_responder.as_ref()));
        for (end, other, initiated, is_seen) in
            [(initiator, responder, true, sent), (responder, initiator, false, answered)]
        {
            if !is_seen {
                continue;
            }
            let Some(at) = self.register.sight(end.mac, end.ip, first, last) else { continue };
            let internet = other.ip.is_some_and(|ip| self.register.is_outside(ip));
            let sensor = Arc::clone(&self.sensor);
            let Some(dossier) = self.register.dossier_mut(at) else { continue };
            let (mut has_news, mut has_changed) = (dossier.seen_by(&sensor), false);
            for vlan in &flow.vlans {
                has_news |= dossier.seen_in(*vlan);
            }
            let protocol = known_protocol(flow.protocol);
            if sent && answered && (internet || protocol != Protocol::Unspecified) {
                let heard = Conversation { protocol: protocol.into(), initiated, internet, last_seen: last };
                let sighting = dossier.spoke(heard);
                has_news |= sighting == Sighting::First;
                has_changed |= sighting != Sighting::Known;
            }
            if has_news || has_changed {
                self.register.touch(at, has_news);
            }
        }
    }

    pub(crate) fn observation(&mut self, observation: &Observation) {
        self.register.counters.observations += 1;
        let about = Attribute::try_from(observation.attribute).unwrap_or_default();
        if about == Attribute::Unspecified {
            self.register.counters.refused_values += 1;
            return;
        }
        let Some(subject) = &observation.subject else {
            self.register.counters.without_subject += 1;
            return;
        };
        let role = Role::try_from(subject.role).unwrap_or_default();
        let end = End::of(self.scope, subject.endpoint.as_ref());
        let at = self.event_time(observation.at);
        self.newest = self.newest.max(at);
        let protocol = known_protocol(observation.protocol);
        let is_nested = role == Role::Third && !subject.key.is_empty();
        if about == Attribute::IpAddress
            && !is_nested
            && role != Role::Unspecified
            && self.knowledge.binds(protocol)
            && let (Some(mac), Ok(ip)) = (end.mac, observation.value.parse())
        {
            self.register.bind(self.scope.at(ip), mac, at);
        }
        let Some(dossier) = self.dossier_of(role, end, &subject.key, protocol, at) else { return };
        let teller = match role {
            Role::Sender => end.ip,
            Role::Third if is_nested => end.ip,
            _ => None,
        };
        let teller = teller.map(|teller| teller.ip);
        let sensor = Arc::clone(&self.sensor);
        let heard = Heard {
            attribute: observation.attribute,
            value: &observation.value,
            protocol: protocol.into(),
            sensor: &sensor,
            role: role.into(),
            teller,
            at,
            count: observation.count.max(1),
        };
        self.hear(dossier, about, role, protocol, &heard, observation.flow);
    }

    /// Whose dossier an observation belongs in; `None` for nobody's, which is counted.
    fn dossier_of(&mut self, role: Role, end: End, key: &str, protocol: Protocol, at: u64) -> Option<u32> {
        let is_nested = role == Role::Third && !key.is_empty();
        let key = if is_nested { identity::third_key(key) } else { Some("") };
        let (Some(key), true) = (key, role != Role::Unspecified && (end.mac.is_some() || end.ip.is_some()))
        else {
            self.register.counters.without_subject += 1;
            return None;
        };
        let is_link = self.knowledge.binds(protocol) && !is_nested && role != Role::Sender;
        if !is_link && end.ip.is_some_and(|ip| self.register.is_outside(ip)) {
            self.register.counters.outside_site += 1;
            return None;
        }
        match role {
            Role::Third if is_nested => {
                let teller = self.register.sight(end.mac, end.ip, at, at)?;
                let scope = if self.knowledge.same_by(key).is_some() {
                    None
                } else {
                    Some(Box::new(self.register.dossier(teller)?.id.clone()))
                };
                self.register.tell_of(EndpointId::Third(scope, key.into()), teller, at)
            }
            Role::Peer | Role::Third => match end.mac.filter(|_| is_link) {
                Some(mac) => self.register.sight(Some(mac), None, at, at),
                None => self.register.hear_of(end.mac, end.ip),
            },
            _ => self.register.sight(end.mac, end.ip, at, at),
        }
    }

    fn hear(
        &mut self,
        at: u32,
        about: Attribute,
        role: Role,
        protocol: Protocol,
        heard: &Heard<'_>,
        flow: u64,
    ) {
        let Register { dossiers, counters, settings, .. } = &mut *self.register;
        let Some(dossier) = dossiers.get_mut(at as usize) else { return };
        // What was said before was accepted before.
        let (canonical, outcome) = if let Some(outcome) = dossier.statements.hear_again(heard) {
            (heard.value.into(), outcome)
        } else if let Some(accepted) = attribute::accept(about, heard.value) {
            let outcome = dossier.statements.hear(&Heard { value: &accepted, ..*heard }, settings);
            (accepted, outcome)
        } else {
            counters.refused_values += 1;
            return;
        };
        let heard = Heard { value: &canonical, ..*heard };
        if matches!(outcome, Outcome::Evicted(_)) {
            counters.statements_evicted += 1;
        }
        let is_new_sensor = dossier.seen_by(heard.sensor);
        let has_news = is_new_sensor || outcome != Outcome::Repeated;
        let said = Said {
            field: Field::Stated(about),
            value: heard.value,
            protocol,
            told_by: role,
            last_seen: heard.at,
        };
        if self.knowledge.is_finding(&said) {
            let value = heard.value.to_owned();
            self.findings.push(Pending {
                dossier: at,
                attribute: about,
                value,
                protocol,
                at: heard.at,
                flow,
            });
        }
        self.register.touch(at, has_news);
        if role == Role::Sender && outcome != Outcome::Repeated {
            self.register.claims(at, about, heard.value);
        }
        if outcome != Outcome::Repeated {
            self.register.judge_teller(at, about);
        }
        let is_third = |dossier: &Dossier| matches!(dossier.id, EndpointId::Third(..));
        let is_own = role == Role::Sender || self.register.dossier(at).is_some_and(is_third);
        if is_own && outcome != Outcome::Repeated {
            self.register.row_claims(at, about, heard.value);
        }
        if let Outcome::Evicted(given_up) = &outcome {
            self.register.claims_no_longer(at, given_up);
            let attribute = Attribute::try_from(given_up.attribute).unwrap_or_default();
            self.register.judge_teller(at, attribute);
            self.register.row_claims_no_longer(at, attribute, &given_up.value);
        }
    }

    /// A time on the wire, unless the sensor's clock runs so far ahead that evidence would never age.
    fn event_time(&mut self, at: u64) -> u64 {
        if self.log_time > 0 && at > self.log_time.saturating_add(CLOCK_AHEAD) {
            self.register.counters.clock_ahead += 1;
            self.log_time
        } else {
            at
        }
    }
}

/// A protocol of a newer contract is as good as none.
fn known_protocol(number: i32) -> Protocol {
    Protocol::try_from(number).unwrap_or_default()
}
