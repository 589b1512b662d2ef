//! Link-Local Multicast Name Resolution (RFC 4795): hosts ask their link for a name, and who has it answers.
//!
//! The layout is that of DNS and only the port and the group tell it apart (RFC 4795, 2). A host answers for its own names, so
//! an answer is a claim of its sender about itself, and nothing else is read. An answer that gives somebody else's address
//! alone is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::RData;
use simple_dns::{Packet, ResourceRecord};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::answers::{host_name, reverse};
use super::multicast::{address, is_about_sender};
use super::outline::outline;
use super::ports;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// LLMNR on UDP.
pub(crate) const LINK_LOCAL: Candidate =
    Candidate { protocol: Protocol::Llmnr, probe, start: || Box::new(LinkLocal) };

pub(super) const PORT: u16 = 5355;
const GROUP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 252));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 1, 3));

/// Names that one answer may give.
const MOST_NAMES: usize = 8;

/// Whether a message of this layout is of LLMNR rather than of a name server.
pub(super) fn is_link_local(input: &Input<'_>) -> bool {
    let to_group = input.receiver.ip.is_some_and(|ip| ip == GROUP_V4 || ip == GROUP_V6);
    to_group || ports(input).contains(&PORT)
}

fn probe(input: &Input<'_>) -> Probe {
    let fits = is_link_local(input) && outline(input.bytes).is_some_and(|outline| outline.is_unicast_dns());
    if fits { Probe::Certain } else { Probe::NotForUs }
}

struct LinkLocal;

impl Dissector for LinkLocal {
    fn protocol(&self) -> Protocol {
        Protocol::Llmnr
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if outline(input.bytes).is_some_and(|outline| outline.is_answer() && outline.is_readable())
            && let Ok(packet) = Packet::parse(input.bytes)
        {
            state(&packet.answers.iter().collect::<Vec<_>>(), input.sender.ip, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn state(answers: &[&ResourceRecord<'_>], sender: Option<IpAddr>, facts: &mut Facts<'_>) {
    // A query over IPv4 can be for addresses of IPv6, which cannot be compared.
    let is_own = is_about_sender(answers, sender);
    let names = answers.iter().filter_map(|record| match &record.rdata {
        RData::PTR(pointer) => host_name(&pointer.0).filter(|_| reverse(&record.name) == sender),
        data => host_name(&record.name).filter(|_| is_own && address(data).is_some()),
    });
    let mut names: Vec<String> = names.take(MOST_NAMES).collect();
    names.dedup();
    if !names.is_empty() {
        facts.of_sender(Attribute::Role, "llmnr-responder");
    }
    for name in names {
        facts.of_sender(Attribute::HostName, &name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::network::dns;
    use crate::test_flow::{TestFlow, address};
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[LINK_LOCAL, dns::MULTICAST, dns::OVER_UDP];
    const NAME: &[u8] = b"\x07PACS-01\x00";

    fn flow(port: u16) -> TestFlow {
        TestFlow::new(CANDIDATES).with_responder(address("10.0.0.7", port))
    }

    fn query() -> Vec<u8> {
        [&[7, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], NAME, &[0, 1, 0, 1]].concat()
    }

    fn answer(kind: u8, data: &[u8]) -> Vec<u8> {
        let record = [&[0xC0, 12, 0, kind, 0, 1, 0, 0, 0, 30, 0, data.len() as u8][..], data].concat();
        [&[7, 7, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], NAME, &[0, kind, 0, 1], &record].concat()
    }

    #[test]
    fn who_answers_has_the_name_and_who_asks_has_nothing() {
        let flow =
            flow(5355).datagram(FromInitiator, &query()).datagram(FromResponder, &answer(1, &[10, 0, 0, 7]));
        assert_eq!(
            flow.said(),
            ["sender 10.0.0.7 role llmnr-responder", "sender 10.0.0.7 host_name pacs-01"]
        );
        assert_eq!(flow.conversation.protocol(), Protocol::Llmnr);
    }

    #[test]
    fn an_address_of_the_other_family_cannot_be_compared_and_anothers_is_no_claim() {
        let said = |kind, data: &[u8]| flow(5355).datagram(FromResponder, &answer(kind, data)).said().len();
        assert_eq!(said(28, &[0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]), 2);
        assert_eq!(said(1, &[10, 0, 0, 8]), 0);
    }

    #[test]
    fn the_same_message_on_other_ports_is_of_a_name_server() {
        let flow = flow(5300).datagram(FromResponder, &answer(1, &[10, 0, 0, 9]));
        assert_eq!(flow.conversation.protocol(), Protocol::Dns);
    }

    proptest! {
        #[test]
        fn mutated_answers_do_not_panic(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = answer(1, &[10, 0, 0, 7]);
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = flow(5355).datagram(FromResponder, &answer(1, &[10, 0, 0, 7])).datagram(FromResponder, &bytes);
            prop_assert!(flow.said().len() <= 4);
        }
    }
}
