//! The traffic of made-up hospitals: who talks to whom, about what, how much. The same seed gives the same traffic.
//!
//! A site has some thousands of devices of the kinds that hospitals have, each with its habits, and the servers that they
//! talk to. Nothing repeats but what repeats in life: devices and servers do, ports, times and volumes do not.
//!
//! - [`facts`]: conversations as a sensor states them
//! - [`frames`]: conversations as they pass a mirror port

pub(crate) mod facts;
pub(crate) mod frames;
mod habits;

use std::net::Ipv4Addr;

use fastrand::Rng;
use wardwatch_proto::v1::Protocol;

use habits::{Group, HABITS, Habit, KINDS};

/// One end of a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) mac: [u8; 6],
    pub(crate) ip: Ipv4Addr,
    pub(crate) port: u16,
}

/// Who talked to whom, about what, how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversation {
    /// The device at the initiator's end, by its number within the site.
    pub(crate) device: usize,
    pub(crate) initiator: End,
    pub(crate) responder: End,
    /// IANA protocol number: 6 or 17.
    pub(crate) ip_protocol: u8,
    pub(crate) protocol: Protocol,
    /// Octets of payload in each direction.
    pub(crate) up: u32,
    pub(crate) down: u32,
    /// In nanoseconds.
    pub(crate) lasted: u64,
}

#[derive(Debug)]
struct Device {
    mac: [u8; 6],
    ip: Ipv4Addr,
    kind: usize,
    /// Counts up like an operating system's.
    port: u16,
}

/// A site's devices and servers.
#[derive(Debug)]
pub(crate) struct Network {
    number: u8,
    rng: Rng,
    devices: Vec<Device>,
    /// Devices by number, each as often as it is active.
    activity: Vec<u32>,
}

/// Servers in each group.
const GROUP: u8 = 4;

/// Addresses outside the hospital that are talked to.
const OUTSIDE: u32 = 3000;

/// What the router's frames come from, as a sensor behind it sees them.
const ROUTER: [u8; 6] = [0x00, 0x1b, 0x17, 0, 1, 1];

/// The ports that an operating system gives to clients (RFC 6335, 6, begins where Linux does).
const CLIENT_PORTS: std::ops::Range<u16> = 32_768..60_999;

impl Network {
    /// The site of that number (0 to 250), with so many devices.
    pub(crate) fn new(number: u8, devices: usize) -> Self {
        let mut rng = Rng::with_seed(u64::from(number) + 1);
        let mut activity = Vec::new();
        let devices: Vec<Device> = (0..devices as u32)
            .map(|index| {
                let kind = weighted(&mut rng, KINDS.iter().map(|kind| kind.share));
                activity.extend(std::iter::repeat_n(index, usize::from(KINDS[kind].activity)));
                let [_, high, middle, low] = index.to_be_bytes();
                let [a, b, c] = KINDS[kind].maker;
                Device {
                    mac: [a, b, c, number ^ high, middle, low],
                    ip: Ipv4Addr::new(10, number, 32 + middle, low),
                    kind,
                    port: rng.u16(CLIENT_PORTS),
                }
            })
            .collect();
        Self { number, rng, devices, activity }
    }

    /// Somebody talks to somebody.
    pub(crate) fn talk(&mut self) -> Conversation {
        let active = self.rng.usize(..self.activity.len());
        let device = self.activity[active] as usize;
        let habits = KINDS[self.devices[device].kind].habits;
        let chosen = weighted(&mut self.rng, habits.iter().map(|(_, weight)| *weight));
        let habit = &HABITS[habits[chosen].0];
        let responder = self.server(habit);
        let own = &mut self.devices[device];
        own.port =
            if own.port >= CLIENT_PORTS.end { CLIENT_PORTS.start } else { own.port + self.rng.u16(1..4) };
        let port = if habit.from_its_port { habit.port } else { own.port };
        Conversation {
            device,
            initiator: End { mac: own.mac, ip: own.ip, port },
            responder,
            ip_protocol: habit.ip_protocol,
            protocol: habit.protocol,
            up: self.volume(habit.up),
            down: self.volume(habit.down),
            lasted: self.rng.u64(1_000_000..habit.lasts.max(2_000_000)),
        }
    }

    fn server(&mut self, habit: &Habit) -> End {
        if habit.group == Group::Outside {
            // Some places are talked to far more often than others.
            let place = self.rng.u32(0..self.rng.clone().u32(1..OUTSIDE));
            let [_, _, high, low] = place.to_be_bytes();
            return End {
                mac: ROUTER,
                ip: Ipv4Addr::new(198, 18 + self.number % 2, high, low),
                port: habit.port,
            };
        }
        let which = self.rng.u8(..GROUP);
        let group = habit.group as u8;
        End {
            mac: [0x00, 0x50, 0x56, self.number, group, which],
            ip: Ipv4Addr::new(10, self.number, group, 10 + which),
            port: habit.port,
        }
    }

    /// Between a quarter of and four times the typical.
    fn volume(&mut self, typical: u32) -> u32 {
        (typical >> self.rng.u32(..3)) + self.rng.u32(..typical.max(1) * 3)
    }
}

/// The index of a choice, each taken as often as its weight says.
fn weighted(rng: &mut Rng, weights: impl Iterator<Item = u16> + Clone) -> usize {
    let all: u32 = weights.clone().map(u32::from).sum();
    let mut left = rng.u32(..all.max(1));
    for (index, weight) in weights.enumerate() {
        match left.checked_sub(u32::from(weight)) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_site_looks_like_one() {
        let mut network = Network::new(3, 2000);
        let talks: Vec<Conversation> = (0..50_000).map(|_| network.talk()).collect();
        let count = |of: &dyn Fn(&Conversation) -> u64| talks.iter().map(of).collect::<BTreeSet<_>>().len();
        assert!(count(&|talk| talk.device as u64) > 1500, "most devices say something");
        assert!(count(&|talk| u64::from(talk.initiator.port)) > 10_000);
        assert!(count(&|talk| u64::from(talk.responder.ip.to_bits())) > 500);
        let five = |talk: &Conversation| {
            let Conversation { initiator, responder, .. } = talk;
            (initiator.ip, initiator.port, responder.ip, responder.port)
        };
        let distinct: BTreeSet<_> = talks.iter().map(five).collect();
        assert!(distinct.len() > 45_000, "conversations do not repeat: {}", distinct.len());
    }

    #[test]
    fn the_same_site_says_the_same() {
        let said =
            |mut network: Network| format!("{:?}", (0..100).map(|_| network.talk()).collect::<Vec<_>>());
        assert_eq!(said(Network::new(1, 100)), said(Network::new(1, 100)));
        assert_ne!(said(Network::new(1, 100)), said(Network::new(2, 100)));
    }
}
