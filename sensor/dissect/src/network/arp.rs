//! ARP for IPv4 over Ethernet (RFC 826), address conflict detection (RFC 5227).
//!
//! A request or reply says which hardware address its sender uses for which IP address. Nothing is said of the
//! target: who is asked for need not exist. Probes carry no sender address and say nothing.
//!
//! Whether a claim is false cannot be told from one frame: proxies, routers with a shared address and hosts that took over
//! from another look the same. That two devices claim one address shows where all claims are known, and not here.

use std::net::Ipv4Addr;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress, scope};

/// ARP on the link.
pub(crate) const CANDIDATE: Candidate = Candidate { protocol: Protocol::Arp, probe, start: || Box::new(Arp) };

/// Hardware Ethernet, protocol IPv4, their address lengths; the operation follows.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

fn probe(input: &Input<'_>) -> Probe {
    if claim(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// What the sender says of itself: this address is at this hardware.
struct Claim {
    mac: [u8; 6],
    ip: Ipv4Addr,
}

fn claim(bytes: &[u8]) -> Option<Claim> {
    let (kind, rest) = bytes.split_first_chunk::<6>()?;
    let (operation, rest) = rest.split_first_chunk::<2>()?;
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    let (ip, target) = rest.split_first_chunk::<4>()?;
    let known = *kind == ETHERNET_IPV4 && matches!(operation, [0, 1 | 2]) && target.len() >= 10;
    known.then(|| Claim { mac: *mac, ip: Ipv4Addr::from(*ip) })
}

struct Arp;

impl Dissector for Arp {
    fn protocol(&self) -> Protocol {
        Protocol::Arp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(Claim { mac, ip }) = claim(input.bytes) else {
            return Progress::Broken("not an ARP packet for IPv4 over Ethernet");
        };
        if scope::is_one_device(mac) && scope::is_unicast(ip.into()) {
            if input.sender.mac == Some(mac) {
                facts.of_sender(Attribute::IpAddress, &ip.to_string());
            } else {
                // Proxy ARP, or somebody who speaks in another's name: the claim is about the hardware it names.
                let claimed = Address { mac: Some(mac), ip: Some(ip.into()), port: 0 };
                facts.of_address(claimed, Attribute::IpAddress, &ip.to_string());
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Carrier;
    use crate::Direction::FromInitiator;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const TALKER: [u8; 6] = [0, 9, 0xfb, 1, 2, 3];

    fn packet(operation: u8, mac: [u8; 6], ip: [u8; 4]) -> Vec<u8> {
        let target: &[u8] = &[0, 0, 0, 0, 0, 0, 10, 0, 0, 99];
        [&ETHERNET_IPV4[..], &[0, operation], &mac, &ip, target].concat()
    }

    fn flow() -> TestFlow {
        let ends = Address { mac: Some(TALKER), ..Address::default() };
        TestFlow::new(&[CANDIDATE])
            .with_initiator(ends)
            .with_responder(Address::default())
            .with_carrier(Carrier::EtherType(0x0806))
    }

    #[test]
    fn a_sender_says_where_its_address_is() {
        for operation in [1, 2] {
            let flow = flow().datagram(FromInitiator, &packet(operation, TALKER, [10, 0, 0, 7]));
            assert_eq!(flow.said(), ["sender 00:09:fb:01:02:03 ip_address 10.0.0.7"]);
            assert_eq!(flow.conversation.protocol(), Protocol::Arp);
        }
    }

    #[test]
    fn padding_to_the_shortest_frame_does_not_matter() {
        let padded = [packet(1, TALKER, [10, 0, 0, 7]), vec![0; 18]].concat();
        assert_eq!(flow().datagram(FromInitiator, &padded).values(Attribute::IpAddress), ["10.0.0.7"]);
    }

    #[test]
    fn a_claim_in_anothers_name_is_about_a_third_device() {
        let flow = flow().datagram(FromInitiator, &packet(2, [2, 0, 0, 0, 0, 1], [10, 0, 0, 1]));
        assert_eq!(flow.said(), ["third 02:00:00:00:00:01 10.0.0.1 ip_address 10.0.0.1"]);
    }

    #[test]
    fn probes_and_addresses_of_no_device_say_nothing() {
        for (mac, ip) in [
            (TALKER, [0, 0, 0, 0]),
            (TALKER, [255, 255, 255, 255]),
            ([0xFF; 6], [10, 0, 0, 1]),
            ([0; 6], [10, 0, 0, 1]),
        ] {
            assert!(flow().datagram(FromInitiator, &packet(1, mac, ip)).said().is_empty(), "{ip:?}");
        }
    }

    #[test]
    fn other_hardware_other_protocols_and_short_packets_are_not_for_us() {
        let reverse = packet(3, TALKER, [10, 0, 0, 7]);
        let mut token_ring = packet(1, TALKER, [10, 0, 0, 7]);
        token_ring[1] = 6;
        let short = packet(1, TALKER, [10, 0, 0, 7])[..27].to_vec();
        for bytes in [reverse, token_ring, short] {
            assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_say_one_thing_at_most(bytes in any::<Vec<u8>>(), tail in any::<[u8; 22]>()) {
            let like = [&ETHERNET_IPV4[..], &tail].concat();
            for bytes in [bytes, like] {
                prop_assert!(flow().datagram(FromInitiator, &bytes).said().len() <= 1);
            }
        }
    }
}
