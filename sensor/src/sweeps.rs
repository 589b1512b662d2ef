//! Sweeps: one end tries many others, or many ports of one, and is not let in.
//!
//! What counts is an attempt to connect over TCP (RFC 9293) of which the initiator's side has nothing but SYN, and the other
//! side none: no answer, or a refusal. Whoever was let in goes on, and that is seen in a mirror that shows one direction alone,
//! too. So clients of many servers and servers of many clients are none, nor is what a sweep finds open counted.
//!
//! A client behind a firewall tries many addresses of the internet in vain without sweeping them; it does not try many of one
//! network. Sweeps by UDP and ICMP do not show: much of both is never answered.

use std::hash::BuildHasher as _;
use std::net::IpAddr;

use hashbrown::DefaultHashBuilder;
use wardwatch_proto::address;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Endpoint, Flow, Observation, Protocol, Subject};

use crate::generations::Generations;

/// So many hosts of one network, or of all private ones, that do not let one end in.
const HOSTS: usize = 25;

/// So many ports of one host that do not.
const PORTS: usize = 15;

/// Within so much packet time, in nanoseconds.
const WINDOW: u64 = 300_000_000_000;

/// Initiators, and pairs of hosts, that are remembered twice over: some 10 MiB of each at most.
const REMEMBERED: usize = 16_384;

/// TCP's number, and flags (RFC 9293, 3.1) without those of congestion.
const TCP: u32 = 6;
const FLAGS: u32 = 0x3F;
const SYN: u32 = 0x02;

/// What was tried in vain.
#[derive(Debug)]
pub(crate) struct Sweeps {
    hasher: DefaultHashBuilder,
    hosts: Generations<Tried>,
    ports: Generations<Tried>,
}

impl Default for Sweeps {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            hosts: Generations::new(REMEMBERED),
            ports: Generations::new(REMEMBERED),
        }
    }
}

/// What one end has tried since the window began, by fingerprint.
#[derive(Debug, Default)]
struct Tried {
    since: u64,
    targets: Vec<u64>,
}

impl Tried {
    /// Whether with this target it is enough; then it begins anew.
    fn add(&mut self, target: u64, at: u64, enough: usize) -> bool {
        if at.abs_diff(self.since) > WINDOW {
            self.since = at;
            self.targets.clear();
        }
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
        let is_enough = self.targets.len() >= enough;
        if is_enough {
            self.targets.clear();
        }
        is_enough
    }
}

impl Sweeps {
    /// Takes a flow's record; says what its initiator does where this one makes it plain.
    pub(crate) fn see(&mut self, flow: &Flow) -> Option<Observation> {
        let is_attempt = flow.ip_protocol == TCP
            && flow.initiator_tcp_flags & FLAGS == SYN
            && flow.responder_tcp_flags & SYN == 0;
        if !is_attempt {
            return None;
        }
        let (initiator, responder) = (flow.initiator.as_ref()?, flow.responder.as_ref()?);
        let ip = address::ip(&responder.ip)?;
        let who = (&initiator.ip, &flow.vlans, &flow.network);
        let host = self.hasher.hash_one(ip);
        let of_host = self.hasher.hash_one((who, ip));
        let of_network = self.hasher.hash_one((who, network(ip)));
        let ports = self.ports.entry(of_host).add(u64::from(responder.port), flow.end, PORTS);
        let hosts = self.hosts.entry(of_network).add(host, flow.end, HOSTS);
        let what = match (ports, hosts) {
            (true, _) => "tcp-ports",
            (false, true) => "tcp-hosts",
            (false, false) => return None,
        };
        let endpoint = Endpoint { port: 0, ..initiator.clone() };
        Some(Observation {
            attribute: Attribute::NetworkSweep.into(),
            value: what.to_owned(),
            protocol: Protocol::Tcp.into(),
            subject: Some(Subject {
                role: Role::Sender.into(),
                endpoint: Some(endpoint),
                key: String::new(),
            }),
            at: flow.end,
            flow: flow.id,
            count: 1,
            network: flow.network.clone(),
        })
    }
}

/// Within what hosts are counted together: all private and link-local addresses (RFC 1918, 3927, 4193, 4291), or else the 256
/// neighbours of an IPv4 address and the subnet of an IPv6 one.
fn network(ip: IpAddr) -> Option<[u8; 8]> {
    let mut network = [0; 8];
    match ip {
        IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() => return None,
        IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => return None,
        IpAddr::V4(ip) => network[..3].copy_from_slice(&ip.octets()[..3]),
        IpAddr::V6(ip) => network.copy_from_slice(&ip.octets()[..8]),
    }
    Some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RST_ACK: u32 = 0x14;
    const SECOND: u64 = 1_000_000_000;

    fn attempt(at: u64, to: [u8; 4], port: u32) -> Flow {
        let end = |ip: [u8; 4], port| Some(Endpoint { mac: vec![2, 0, 0, 0, 0, 1], ip: ip.to_vec(), port });
        Flow {
            id: 9,
            initiator: end([10, 0, 0, 66], 40_000),
            responder: end(to, port),
            ip_protocol: TCP,
            end: at,
            initiator_tcp_flags: SYN,
            responder_tcp_flags: RST_ACK,
            ..Flow::default()
        }
    }

    fn told(flows: impl IntoIterator<Item = Flow>) -> Vec<String> {
        let mut sweeps = Sweeps::default();
        flows.into_iter().filter_map(|flow| sweeps.see(&flow)).map(|observation| observation.value).collect()
    }

    /// A host of 10.1.0.0/16 for each number.
    fn host(number: u16) -> [u8; 4] {
        let [high, low] = number.to_be_bytes();
        [10, 1, high, low]
    }

    #[test]
    fn many_hosts_or_many_ports_are_a_sweep_and_one_less_is_none() {
        let hosts = |count| (1..=count).map(|number| attempt(0, host(number), 445));
        assert_eq!(told(hosts(24)), [""; 0]);
        assert_eq!(told(hosts(25)), ["tcp-hosts"]);
        let ports = |count| (1..=count).map(|port| attempt(0, host(1), port));
        assert_eq!(told(ports(14)), [""; 0]);
        assert_eq!(told(ports(15)), ["tcp-ports"]);
    }

    #[test]
    fn it_is_told_of_who_swept() {
        let mut sweeps = Sweeps::default();
        let said = (1..=15).find_map(|port| sweeps.see(&attempt(7, host(1), port))).expect("a sweep");
        let Subject { role, endpoint, key } = said.subject.clone().expect("a subject");
        let endpoint = endpoint.expect("an endpoint");
        assert_eq!((role, endpoint.ip, endpoint.port), (Role::Sender as i32, vec![10, 0, 0, 66], 0));
        assert_eq!(
            (said.attribute(), said.protocol(), said.at, said.flow),
            (Attribute::NetworkSweep, Protocol::Tcp, 7, 9)
        );
        assert!(key.is_empty());
    }

    #[test]
    fn who_tries_again_and_again_or_slowly_sweeps_nothing() {
        assert_eq!(told((0..1000).map(|at| attempt(at, host(1), 445))), [""; 0]);
        let slowly = (1..1000_u16).map(|number| attempt(u64::from(number) * 13 * SECOND, host(number), 445));
        assert_eq!(told(slowly), [""; 0]);
    }

    #[test]
    fn who_is_let_in_or_answers_sweeps_nothing() {
        let let_in = |flow: Flow| Flow { initiator_tcp_flags: 0x1B, responder_tcp_flags: 0x1B, ..flow };
        // One direction of a mirror: the client's alone, the server's alone.
        let clients = |flow: Flow| Flow { initiator_tcp_flags: 0x1A, responder_tcp_flags: 0, ..flow };
        let servers = |flow: Flow| Flow { initiator_tcp_flags: 0, responder_tcp_flags: 0x12, ..flow };
        for changed in [let_in, clients, servers] {
            assert_eq!(told((1..=100).map(|number| changed(attempt(0, host(number), 445)))), [""; 0]);
        }
    }

    #[test]
    fn a_client_that_a_firewall_keeps_from_the_internet_sweeps_nothing() {
        let everywhere = |number: u8| attempt(0, [number, 80, 7, 9], 443);
        assert_eq!(told((11..100).map(everywhere)), [""; 0]);
        let neighbours = |number: u8| attempt(0, [192, 0, 2, number], 443);
        assert_eq!(told((11..100).map(neighbours)).first().map(String::as_str), Some("tcp-hosts"));
    }
}
