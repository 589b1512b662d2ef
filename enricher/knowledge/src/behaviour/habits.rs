//! What is kept of one device while its habits are being learned or held against a model.

use std::collections::BTreeSet;
use std::mem::size_of;

use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Endpoint, Flow, Observation, Protocol, TunnelKind};

use super::kind::Kind;
use super::said;

/// How long a device is watched, in nanoseconds from its first packet: what it does when it comes up.
pub const WINDOW: u64 = 10 * 60 * 1_000_000_000;

/// Flows that are kept of a device.
pub const MOST_FLOWS: usize = 256;

/// Values that are kept of what it says, and of what is said in its flows.
const MOST_VALUES: usize = 96;

/// The longest value that is kept, in octets.
const LONGEST_VALUE: usize = 160;

/// The first minutes of a device, from one run of one sensor (flows are known by their number there).
///
/// At most [`MOST_FLOWS`] flows of 64 octets each and 192 values of 160 octets: 55 KiB. Of 368 devices that were set up, half
/// took less than 1 KiB and the largest took 10 KiB.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    mac: [u8; 6],
    pub(super) flows: Vec<Sketch>,
    pub(super) said: BTreeSet<(Attribute, Box<str>)>,
    /// What was said about peers, by the number of the flow.
    pub(super) overheard: BTreeSet<(u64, Attribute, Box<str>)>,
    ignored: Ignored,
}

/// What was not kept, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Flows that began after the window.
    pub late: u64,
    /// Flows beyond [`MOST_FLOWS`].
    pub flows: u64,
    /// Values beyond their number, or too long.
    pub values: u64,
}

/// A flow, all its records added up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sketch {
    pub(super) id: u64,
    pub(super) start: u64,
    /// Octets of payload that the device itself sent.
    pub(super) octets: u64,
    pub(super) kind: Kind,
    /// See [`Kind::shared_port`].
    pub(super) shared_port: Option<u16>,
}

impl Habits {
    /// Of the device with this MAC address.
    pub fn new(mac: [u8; 6]) -> Self {
        Self { mac, ..Self::default() }
    }

    /// Takes in a record of a flow; one of others' is passed over, and one in which the device itself sent nothing.
    pub fn flow(&mut self, flow: &Flow) {
        let is = |end: &Option<Endpoint>| end.as_ref().is_some_and(|end| end.mac == self.mac);
        let (is_opened, sent) = match (is(&flow.initiator), is(&flow.responder)) {
            (true, false) => (true, flow.from_initiator),
            (false, true) => (false, flow.from_responder),
            _ => return,
        };
        let sent = sent.unwrap_or_default();
        if sent.packets == 0 || is_carried(flow) {
            return;
        }
        if let Some(known) = self.flows.iter_mut().rev().find(|known| known.id == flow.id) {
            let recognised = Some(flow.protocol()).filter(|protocol| *protocol != Protocol::Unspecified);
            known.kind = Kind::of(flow, is_opened, recognised.unwrap_or(known.kind.protocol));
            known.octets = known.octets.saturating_add(sent.payload_bytes);
            known.start = known.start.min(flow.start);
            return;
        }
        if flow.start > self.until() {
            self.ignored.late += 1;
        } else if self.flows.len() >= MOST_FLOWS {
            self.ignored.flows += 1;
        } else {
            self.flows.push(Sketch {
                id: flow.id,
                start: flow.start,
                octets: sent.payload_bytes,
                kind: Kind::of(flow, is_opened, flow.protocol()),
                shared_port: Kind::shared_port(flow),
            });
        }
    }

    /// Takes in what was said: about the device, or about another in a flow that may be the device's. Which flows are
    /// is known later, when they are stated; of many devices, only hand over what may be this one's.
    pub fn observation(&mut self, observation: &Observation) {
        let Some(subject) = &observation.subject else { return };
        let is_own = subject.endpoint.as_ref().is_some_and(|end| end.mac == self.mac);
        let attribute = observation.attribute();
        let is_kept = if is_own {
            subject.role() != Role::Peer && said::of_device(attribute).is_some()
        } else {
            observation.flow != 0 && subject.role() != Role::Third && said::is_of_peer(attribute)
        };
        if !is_kept || observation.at > self.until() {
            return;
        }
        if observation.value.len() > LONGEST_VALUE {
            self.ignored.values += 1;
            return;
        }
        let value = said::without_mac(&observation.value, self.mac).into_boxed_str();
        let (is_full, is_new) = if is_own {
            (self.said.len() >= MOST_VALUES, !self.said.contains(&(attribute, value.clone())))
        } else {
            let key = (observation.flow, attribute, value.clone());
            (self.overheard.len() >= MOST_VALUES, !self.overheard.contains(&key))
        };
        if is_full {
            self.ignored.values += u64::from(is_new);
        } else if is_own {
            self.said.insert((attribute, value));
        } else {
            self.overheard.insert((observation.flow, attribute, value));
        }
    }

    /// The end of the window.
    pub(super) fn until(&self) -> u64 {
        self.flows.iter().map(|flow| flow.start).min().map_or(u64::MAX, |start| start.saturating_add(WINDOW))
    }

    /// What was not kept.
    pub fn ignored(&self) -> Ignored {
        self.ignored
    }

    /// Octets of memory that its content takes, without the containers' own.
    pub fn octets(&self) -> usize {
        let said = self.said.iter().map(|(_, value)| value.len() + size_of::<(Attribute, Box<str>)>());
        let overheard =
            self.overheard.iter().map(|(.., value)| value.len() + size_of::<(u64, Attribute, Box<str>)>());
        size_of::<Self>()
            + self.flows.len() * size_of::<Sketch>()
            + said.sum::<usize>()
            + overheard.sum::<usize>()
    }
}

/// Whether it was carried in a tunnel between others: the MAC addresses are the tunnel's.
fn is_carried(flow: &Flow) -> bool {
    flow.tunnels.iter().any(|tunnel| !matches!(tunnel.kind(), TunnelKind::Mpls | TunnelKind::Pppoe))
}

#[cfg(test)]
mod tests {
    use wardwatch_proto::v1::{Counters, Subject};

    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0xab, 0xcd];

    fn flow(id: u64, start: u64, mac: [u8; 6]) -> Flow {
        let end = |mac: [u8; 6], port| Some(Endpoint { mac: mac.into(), ip: vec![10, 0, 0, mac[5]], port });
        Flow {
            id,
            start,
            ip_protocol: 6,
            initiator: end(mac, 50_000),
            responder: end([2, 0, 0, 0, 0, 1], 80),
            from_initiator: Some(Counters { packets: 1, payload_bytes: 10, ..Counters::default() }),
            ..Flow::default()
        }
    }

    fn said(attribute: Attribute, value: &str, mac: [u8; 6], flow: u64) -> Observation {
        let endpoint = Some(Endpoint { mac: mac.into(), ..Endpoint::default() });
        Observation {
            attribute: attribute.into(),
            value: value.to_owned(),
            subject: Some(Subject { role: Role::Sender.into(), endpoint, ..Subject::default() }),
            flow,
            ..Observation::default()
        }
    }

    #[test]
    fn records_of_a_flow_add_up_and_flows_of_others_are_passed_over() {
        let mut habits = Habits::new(MAC);
        habits.flow(&flow(7, 5, MAC));
        habits.flow(&flow(7, 9, MAC));
        habits.flow(&flow(8, 9, [2, 0, 0, 0, 0, 9]));
        let silent = Flow { from_initiator: None, ..flow(9, 9, MAC) };
        habits.flow(&silent);
        assert_eq!(
            habits.flows.iter().map(|flow| (flow.id, flow.start, flow.octets)).collect::<Vec<_>>(),
            [(7, 5, 20)]
        );
    }

    #[test]
    fn what_is_beyond_the_bounds_is_counted() {
        let mut habits = Habits::new(MAC);
        for id in 0..300 {
            habits.flow(&flow(id, 1, MAC));
        }
        habits.flow(&flow(301, WINDOW + 2, MAC));
        for number in 0..100 {
            habits.observation(&said(Attribute::ServiceType, &format!("_{number}._tcp"), MAC, 1));
        }
        habits.observation(&said(Attribute::Model, &"x".repeat(161), MAC, 1));
        assert_eq!(habits.ignored(), Ignored { late: 1, flows: 44, values: 5 });
        assert_eq!(habits.flows.len(), MOST_FLOWS);
        assert!(habits.octets() < 55 * 1024);
        assert!(size_of::<Sketch>() <= 64);
    }

    #[test]
    fn serial_numbers_are_not_kept() {
        let mut habits = Habits::new(MAC);
        habits.observation(&said(Attribute::SerialNumber, "42", MAC, 1));
        habits.observation(&said(Attribute::HostName, "pump-ABCD", MAC, 1));
        habits.observation(&said(Attribute::Model, "P1", [2, 0, 0, 0, 0, 1], 1));
        let kept: Vec<_> = habits.said.iter().map(|(attribute, value)| (*attribute, &**value)).collect();
        assert_eq!(kept, [(Attribute::HostName, "pump-*")]);
    }
}
