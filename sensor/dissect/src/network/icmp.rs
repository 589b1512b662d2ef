//! ICMP for IPv4: what routers say of themselves and of others. Router advertisements (RFC 1256), redirects (RFC 792,
//! RFC 1122, 3.2.2.2), and the notice that a packet has lived too long, which only a gateway gives in transit (RFC 792,
//! "Time Exceeded", code 0).
//!
//! Pings and what is unreachable tell nothing about anybody's identity, and are not read.

use std::net::Ipv4Addr;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::piece;
use crate::{Address, Candidate, Carrier, Dissector, Facts, Input, Probe, Progress, scope};

/// ICMP for IPv4.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Icmp, probe, start: || Box::new(Icmp) };

/// Addresses of one advertisement that are read.
const MOST_ROUTERS: usize = 8;

fn probe(input: &Input<'_>) -> Probe {
    if Message::of(input).is_some() { Probe::Certain } else { Probe::NotForUs }
}

enum Message {
    Redirect { gateway: Ipv4Addr },
    Advertisement { routers: Vec<Ipv4Addr> },
    TimeExceeded,
}

impl Message {
    fn of(input: &Input<'_>) -> Option<Self> {
        let Carrier::Icmp { kind, code } = input.carrier else { return None };
        match (kind, code) {
            (5, 0..=3) => Some(Self::Redirect { gateway: piece::<4>(input.bytes, 0)?.into() }),
            // 16: a router that forwards no common traffic (RFC 5944, 2.1).
            (9, 0 | 16) => {
                // How many addresses, of how many words each (address and preference), for how long.
                let [count, words @ 2..=u8::MAX, _, _] = piece(input.bytes, 0)? else { return None };
                let entries = input.bytes.get(4..)?.chunks_exact(usize::from(words) * 4);
                let addresses = entries.take(usize::from(count).min(MOST_ROUTERS));
                let routers =
                    addresses.filter_map(|entry| piece::<4>(entry, 0).map(Ipv4Addr::from)).collect();
                Some(Self::Advertisement { routers })
            }
            (11, 0) => Some(Self::TimeExceeded),
            _ => None,
        }
    }
}

struct Icmp;

impl Dissector for Icmp {
    fn protocol(&self) -> Protocol {
        Protocol::Icmp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(message) = Message::of(input) else { return Progress::Broken("another ICMP message") };
        // On the way through the internet others' routers answer; they are nobody's devices here.
        if !input.sender.ip.is_some_and(scope::is_private) {
            return Progress::Done;
        }
        facts.of_sender(Attribute::Role, "router");
        let others = match message {
            Message::Redirect { gateway } => vec![gateway],
            Message::Advertisement { routers } => routers,
            Message::TimeExceeded => Vec::new(),
        };
        for router in others {
            if scope::is_private(router.into()) && input.sender.ip != Some(router.into()) {
                let router = Address { mac: None, ip: Some(router.into()), port: 0 };
                facts.of_address(router, Attribute::Role, "router");
            }
        }
        Progress::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::FromInitiator;
    use crate::test_flow::{TestFlow, address};
    use proptest::prelude::*;

    fn flow(sender: &str, kind: u8, code: u8, bytes: &[u8]) -> TestFlow {
        TestFlow::new(&[CANDIDATE])
            .with_initiator(address(sender, 0))
            .with_carrier(Carrier::Icmp { kind, code })
            .datagram(FromInitiator, bytes)
    }

    #[test]
    fn a_router_names_the_better_one() {
        let flow = flow("10.0.0.1", 5, 1, &[10, 0, 0, 2, 0x45, 0, 0, 20]);
        assert_eq!(flow.said(), ["sender 10.0.0.1 role router", "third 10.0.0.2 role router"]);
        assert_eq!(flow.conversation.protocol(), Protocol::Icmp);
    }

    #[test]
    fn a_router_advertises_itself_and_its_other_addresses() {
        let bytes = [2, 2, 7, 8, 10, 0, 0, 1, 0, 0, 0, 0, 10, 0, 0, 2, 0, 0, 0, 0];
        let flow = flow("10.0.0.1", 9, 0, &bytes);
        assert_eq!(flow.said(), ["sender 10.0.0.1 role router", "third 10.0.0.2 role router"]);
    }

    #[test]
    fn who_lets_a_packet_die_on_its_way_is_a_router() {
        assert_eq!(flow("10.0.0.1", 11, 0, &[0; 32]).said(), ["sender 10.0.0.1 role router"]);
        // Of fragments that did not all come, the receiver tells.
        assert!(flow("10.0.0.1", 11, 1, &[0; 32]).said().is_empty());
        // A carrier's router on the way to somewhere.
        assert!(flow("198.51.100.1", 11, 0, &[0; 32]).said().is_empty());
    }

    #[test]
    fn pings_and_short_messages_are_not_read() {
        for (kind, code, bytes) in [
            (8, 0, &[0; 32][..]),
            (0, 0, &[0; 32]),
            (3, 1, &[0; 32]),
            (5, 1, &[10, 0]),
            (9, 0, &[1, 1, 0, 0]),
        ] {
            let flow = flow("10.0.0.1", kind, code, bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{kind} {code}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), kind in 0_u8..20, code in 0_u8..20) {
            prop_assert!(flow("10.0.0.1", kind, code, &bytes).said().len() <= 1 + MOST_ROUTERS);
        }
    }
}
