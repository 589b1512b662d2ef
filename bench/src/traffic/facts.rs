//! Conversations as a sensor states them.

use std::net::IpAddr;

use fastrand::Rng;
use wardwatch_flow::community_id::CommunityId;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{
    Attribute, Counters, EndReason, Endpoint, Fact, Flow, Observation, Protocol, Subject, fact,
};

use super::{Conversation, End, Network};

/// Of so many facts one is an observation: a device's host name or what its client calls itself, as often as a sensor
/// that holds repeats back would state it.
const OBSERVATIONS: u64 = 50;

/// Octets of Ethernet, IPv4, and TCP or UDP headers.
const ETHERNET: u64 = 14;
const IPV4: u64 = 20;

/// States what goes on in a network.
#[derive(Debug)]
pub(crate) struct Stating {
    network: Network,
    rng: Rng,
    flows: u64,
    stated: u64,
}

impl Stating {
    /// Facts of this network; flows are numbered from 1.
    pub(crate) fn of(network: Network) -> Self {
        Self { network, rng: Rng::with_seed(7), flows: 0, stated: 0 }
    }

    /// How many of the facts so far were flows.
    pub(crate) fn flows(&self) -> u64 {
        self.flows
    }

    /// The next fact; a flow ends at `now`, in nanoseconds since the Unix epoch.
    pub(crate) fn next(&mut self, now: u64) -> Fact {
        let talk = self.network.talk();
        self.stated += 1;
        if self.stated.is_multiple_of(OBSERVATIONS) {
            return Fact { fact: Some(fact::Fact::Observation(observation(&talk, now))) };
        }
        self.flows += 1;
        Fact { fact: Some(fact::Fact::Flow(self.flow(&talk, now))) }
    }

    fn flow(&mut self, talk: &Conversation, now: u64) -> Flow {
        let is_tcp = talk.ip_protocol == 6;
        let [from, to] = [talk.initiator, talk.responder].map(|end| (IpAddr::V4(end.ip), end.port));
        // SYN, PSH, ACK, FIN.
        let flags = if is_tcp { 0x1b } else { 0 };
        Flow {
            id: self.flows,
            segment: 0,
            community_id: CommunityId::new(talk.ip_protocol, from, to).0.to_vec(),
            initiator: Some(endpoint(talk.initiator)),
            responder: Some(endpoint(talk.responder)),
            ip_protocol: u32::from(talk.ip_protocol),
            protocol: talk.protocol.into(),
            vlans: vec![100 + self.rng.u32(..4) * 10],
            start: now.saturating_sub(talk.lasted),
            end: now,
            from_initiator: Some(counters(talk.up, is_tcp)),
            from_responder: Some(counters(talk.down, is_tcp)),
            end_reason: if is_tcp { EndReason::Finished } else { EndReason::Idle }.into(),
            initiator_guessed: false,
            initiator_tcp_flags: flags,
            responder_tcp_flags: flags,
            tunnels: Vec::new(),
            network: String::new(),
        }
    }
}

fn observation(talk: &Conversation, now: u64) -> Observation {
    let (attribute, value, protocol) = match talk.device % 3 {
        0 => (
            Attribute::HttpUserAgent,
            format!("ward-client/{}.{}", talk.device % 7, talk.device % 11),
            Protocol::Http,
        ),
        1 => (Attribute::DhcpVendorClass, format!("MSFT {}.0", talk.device % 5), Protocol::Dhcp),
        _ => (Attribute::HostName, format!("dev-{:05}.ward.example", talk.device), Protocol::Dhcp),
    };
    Observation {
        attribute: attribute.into(),
        value,
        protocol: protocol.into(),
        subject: Some(Subject {
            role: Role::Sender.into(),
            endpoint: Some(endpoint(talk.initiator)),
            key: String::new(),
        }),
        at: now,
        flow: 0,
        count: 1,
        network: String::new(),
    }
}

fn endpoint(end: End) -> Endpoint {
    Endpoint { mac: end.mac.to_vec(), ip: end.ip.octets().to_vec(), port: u32::from(end.port) }
}

/// What a volume amounts to in packets of up to 1,460 octets, and in headers.
fn counters(payload: u32, is_tcp: bool) -> Counters {
    let payload_bytes = u64::from(payload);
    let packets = payload_bytes.div_ceil(1460) + if is_tcp { 4 } else { 0 };
    let ip_bytes = payload_bytes + packets * (IPV4 + if is_tcp { 20 } else { 8 });
    Counters { packets, frame_bytes: ip_bytes + packets * ETHERNET, ip_bytes, payload_bytes }
}
