//! IGMP, versions 1 to 3 (RFC 1112, 2236, 3376): who asks a network which multicast groups its hosts want is its querier,
//! a router or a switch that stands in for one.
//!
//! Which groups a host joins is no identity, and is not stated.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::be16;
use crate::{Address, Candidate, Carrier, Dissector, Facts, Input, Probe, Progress, scope};

/// IGMP on IPv4.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Igmp, probe, start: || Box::new(Igmp) };

/// Its number among IP's protocols.
const NUMBER: Carrier = Carrier::Ip(2);

const QUERY: u8 = 0x11;
const REPORT: u8 = 0x12;
const REPORT_V2: u8 = 0x16;
const LEAVE: u8 = 0x17;
const REPORT_V3: u8 = 0x22;

fn probe(input: &Input<'_>) -> Probe {
    if input.carrier == NUMBER && kind(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// The type of a whole message whose checksum is right.
fn kind(bytes: &[u8]) -> Option<u8> {
    let kind = *bytes.first()?;
    let is_known = matches!(kind, QUERY | REPORT | REPORT_V2 | LEAVE | REPORT_V3);
    (is_known && bytes.len() >= 8 && is_summed(bytes)).then_some(kind)
}

/// The ones' complement sum over all of it is all ones (RFC 1071).
fn is_summed(bytes: &[u8]) -> bool {
    let words = (0..bytes.len()).step_by(2).map(|at| {
        let odd = bytes.get(at).map(|last| u16::from_be_bytes([*last, 0]));
        u64::from(be16(bytes, at).or(odd).unwrap_or_default())
    });
    let mut sum: u64 = words.sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum == 0xFFFF
}

struct Igmp;

impl Dissector for Igmp {
    fn protocol(&self) -> Protocol {
        Protocol::Igmp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if kind(input.bytes) == Some(QUERY) {
            match input.sender {
                Address { ip: Some(ip), .. } if scope::is_unicast(ip) => {
                    facts.of_sender(Attribute::Role, "multicast-querier");
                }
                // A switch without an address there asks from 0.0.0.0 (RFC 4541, 2.1.1).
                Address { mac: Some(mac), .. } if scope::is_one_device(mac) => {
                    let switch = Address { mac: Some(mac), ..Address::default() };
                    facts.of_address(switch, Attribute::Role, "multicast-querier");
                }
                _ => {}
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

    /// A general query of version 3 with a robustness of 2, every 125 seconds (RFC 3376, 4.1).
    const GENERAL: [u8; 12] = [0x11, 0x64, 0xEC, 0x1E, 0, 0, 0, 0, 0x02, 0x7D, 0, 0];

    fn flow(sender: Address, bytes: &[u8]) -> TestFlow {
        TestFlow::new(&[CANDIDATE]).with_initiator(sender).with_carrier(NUMBER).datagram(FromInitiator, bytes)
    }

    #[test]
    fn who_asks_for_groups_is_the_querier() {
        let flow = flow(address("10.0.0.1", 0), &GENERAL);
        assert_eq!(flow.said(), ["sender 10.0.0.1 role multicast-querier"]);
        assert_eq!(flow.conversation.protocol(), Protocol::Igmp);
    }

    #[test]
    fn a_switch_without_an_address_is_known_by_its_hardware() {
        let nobody = Address { mac: Some([0, 9, 0xfb, 1, 2, 3]), ..address("0.0.0.0", 0) };
        assert_eq!(flow(nobody, &GENERAL).said(), ["third 00:09:fb:01:02:03 role multicast-querier"]);
        assert!(flow(address("0.0.0.0", 0), &GENERAL).said().is_empty());
    }

    #[test]
    fn who_joins_a_group_says_nothing_of_itself() {
        // A report for 239.255.255.250.
        let report = [0x16, 0, 0xFA, 0x04, 0xEF, 0xFF, 0xFF, 0xFA];
        let flow = flow(address("10.0.0.7", 0), &report);
        assert!(flow.said().is_empty());
        assert_eq!(flow.conversation.protocol(), Protocol::Igmp);
    }

    #[test]
    fn a_wrong_sum_another_type_or_another_protocol_is_something_else() {
        let mut wrong = GENERAL;
        wrong[9] = 0x7E;
        let pim = [0x20, 0, 0xDF, 0xFF, 0, 0, 0, 0];
        for bytes in [&wrong[..], &pim, &GENERAL[..7], &[]] {
            let flow = flow(address("10.0.0.1", 0), bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
        }
        let gre = TestFlow::new(&[CANDIDATE]).with_carrier(Carrier::Ip(47)).datagram(FromInitiator, &GENERAL);
        assert_eq!(gre.conversation.protocol(), Protocol::Unspecified);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
            prop_assert!(flow(address("10.0.0.1", 0), &bytes).said().len() <= 1);
        }
    }
}
