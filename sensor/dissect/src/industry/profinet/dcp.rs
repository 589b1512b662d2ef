//! PROFINET DCP, the Discovery and basic Configuration Protocol (IEC 61158-6-10, 4.3), directly on the link.
//!
//! Stated is what stations say of themselves when they answer, or when they say hello: name of station, type, vendor and
//! device number, roles, IP address. A request to identify names stations that are wanted and need not exist: of it only
//! stands who asks.
//!
//! The trap: other protocols' frames come here as well. Frame identifiers FEFC to FEFF alone could be anything, so the
//! service must fit the identifier and the blocks must fill the length to the last octet. Padding may hold anything.

use std::net::Ipv4Addr;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::industry::text::fixed;
use crate::octets::{be16, part, piece};
use crate::{Candidate, Carrier, Dissector, Facts, Input, Probe, Progress, scope};

/// On the link.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::ProfinetDcp, probe, start: || Box::new(Dcp) };

/// Frame identifier, service, type, transaction (4), delay or reserved (2), length of the blocks.
const HEADER: usize = 12;

/// Most blocks of a frame.
const MOST_BLOCKS: usize = 32;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// Somebody asks, or sets.
    Request,
    /// A station tells of itself: blocks have two octets of information before the value.
    Told,
    /// An answer to a request to set: results only.
    Result,
}

fn probe(input: &Input<'_>) -> Probe {
    let is_profinet = input.carrier == Carrier::EtherType(ETHERTYPE);
    if is_profinet && read(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// PROFINET (IEC 61784-2).
const ETHERTYPE: u16 = 0x8892;

/// Option, suboption, value.
type Block<'a> = (u8, u8, &'a [u8]);

fn read(frame: &[u8]) -> Option<(Service, Vec<Block<'_>>)> {
    let [identifier @ .., service, kind] = piece::<4>(frame, 0)?;
    let service = match (identifier, service, kind) {
        ([0xFE, 0xFC], 6, 0) | ([0xFE, 0xFF], 5, 1) | ([0xFE, 0xFD], 3, 1) => Service::Told,
        ([0xFE, 0xFE], 5, 0) | ([0xFE, 0xFD], 3 | 4, 0) => Service::Request,
        ([0xFE, 0xFD], 4, 1) | ([0xFE, 0xFD | 0xFF], 3..=5, 5) => Service::Result,
        _ => return None,
    };
    let mut rest = part(frame, HEADER, be16(frame, 10)?.into())?;
    // What is got is asked for by options alone.
    if (identifier, service, kind) == ([0xFE, 0xFD], Service::Request, 0) && frame.get(2) == Some(&3) {
        let is_list = !rest.is_empty()
            && rest.len() % 2 == 0
            && rest.chunks_exact(2).all(|option| is_option(option.first()));
        return is_list.then_some((service, Vec::new()));
    }
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let [option, suboption] = piece(rest, 0)?;
        let length = usize::from(be16(rest, 2)?);
        let value = part(rest, 4, length)?;
        if !is_option(Some(&option)) || blocks.len() >= MOST_BLOCKS {
            return None;
        }
        blocks.push((option, suboption, value));
        // Blocks begin at even octets; the last need not be filled up.
        rest = rest.get(4 + length + length % 2..).unwrap_or_default();
    }
    (!blocks.is_empty()).then_some((service, blocks))
}

/// IP, device, DHCP, control, initiative, domains, the maker's own, all.
fn is_option(option: Option<&u8>) -> bool {
    matches!(option, Some(1..=3 | 5..=8 | 0x80..=0xFF))
}

struct Dcp;

impl Dissector for Dcp {
    fn protocol(&self) -> Protocol {
        Protocol::ProfinetDcp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some((service, blocks)) = read(input.bytes) else { return Progress::Broken("not a DCP frame") };
        match service {
            Service::Request => facts.of_sender(Attribute::Role, "profinet-dcp-client"),
            Service::Told => blocks.iter().for_each(|block| state(*block, facts)),
            Service::Result => {}
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn state((option, suboption, value): Block<'_>, facts: &mut Facts<'_>) {
    let Some(value) = value.get(2..) else { return };
    match (option, suboption) {
        (1, 2) => {
            // A station without an address says 0.0.0.0.
            if let Some(address) = piece::<4>(value, 0).map(Ipv4Addr::from)
                && scope::is_unicast(address.into())
            {
                facts.of_sender(Attribute::IpAddress, &address.to_string());
            }
        }
        (2, 1) => facts.of_sender(Attribute::Model, &fixed(value)),
        (2, 2) => facts.of_sender(Attribute::DeviceTag, &fixed(value)),
        (2, 3) => {
            if let (Some(vendor), Some(device)) = (be16(value, 0), be16(value, 2)) {
                facts.of_sender(Attribute::ProfinetVendorId, &vendor.to_string());
                facts.of_sender(Attribute::ProfinetDeviceId, &device.to_string());
            }
        }
        (2, 4) => {
            let bits = value.first().copied().unwrap_or_default();
            for (bit, role) in [
                (1, "profinet-io-device"),
                (2, "profinet-io-controller"),
                (4, "profinet-io-multidevice"),
                (8, "profinet-io-supervisor"),
            ] {
                if bits & bit != 0 {
                    facts.of_sender(Attribute::Role, role);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;
    use crate::Direction::FromInitiator;
    use crate::LINK;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const STATION: [u8; 6] = [0, 9, 0x91, 0x43, 0xE0, 0x67];

    fn flow() -> TestFlow {
        let ends = Address { mac: Some(STATION), ..Address::default() };
        TestFlow::new(LINK)
            .with_carrier(Carrier::EtherType(ETHERTYPE))
            .with_initiator(ends)
            .with_responder(Address::default())
    }

    fn block(option: u8, suboption: u8, value: &[u8]) -> Vec<u8> {
        let padding: &[u8] = if value.len() % 2 == 1 { &[0] } else { &[] };
        [&[option, suboption][..], &(value.len() as u16).to_be_bytes(), value, padding].concat()
    }

    fn frame(identifier: u8, service: u8, kind: u8, blocks: &[u8]) -> Vec<u8> {
        [
            &[0xFE, identifier, service, kind, 0, 0, 0, 1, 0, 0][..],
            &(blocks.len() as u16).to_be_bytes(),
            blocks,
        ]
        .concat()
    }

    /// As a VersaMax station answered, which Wireshark reads in the same way.
    fn identified() -> Vec<u8> {
        [
            block(2, 2, b"\0\0versamax-pns11"),
            block(2, 5, &[0, 0, 1, 2, 2, 1, 2, 2, 2, 3, 2, 4, 6, 1]),
            block(2, 1, b"\0\0IC200PNS001"),
            block(2, 3, &[0, 0, 1, 0x5A, 0, 3]),
            block(2, 4, &[0, 0, 1, 0]),
            block(1, 2, &[0, 1, 192, 168, 1, 2, 255, 255, 255, 0, 192, 168, 1, 2]),
            block(6, 1, &[0, 0, 0, 1]),
        ]
        .concat()
    }

    const SAID: [&str; 6] = [
        "device_tag versamax-pns11",
        "model IC200PNS001",
        "profinet_vendor_id 346",
        "profinet_device_id 3",
        "role profinet-io-device",
        "ip_address 192.168.1.2",
    ];

    #[test]
    fn a_station_tells_what_it_is_when_it_answers_and_when_it_says_hello() {
        for (identifier, service, kind) in [(0xFF, 5, 1), (0xFC, 6, 0), (0xFD, 3, 1)] {
            let padded = [frame(identifier, service, kind, &identified()), vec![0x69; 20]].concat();
            let flow = flow().datagram(FromInitiator, &padded);
            assert_eq!(flow.said(), SAID.map(|fact| format!("sender 00:09:91:43:e0:67 {fact}")));
            assert_eq!(flow.conversation.protocol(), Protocol::ProfinetDcp);
        }
    }

    #[test]
    fn a_request_names_what_is_wanted_and_proves_nothing_of_it() {
        let identify = frame(0xFE, 5, 0, &block(2, 2, b"switch3"));
        let get = frame(0xFD, 3, 0, &[2, 2, 1, 2]);
        let set = frame(0xFD, 4, 0, &block(2, 2, b"\0\x01pump-3"));
        for bytes in [identify, get, set] {
            let flow = flow().datagram(FromInitiator, &bytes);
            assert_eq!(flow.said(), ["sender 00:09:91:43:e0:67 role profinet-dcp-client"]);
        }
        let result = flow().datagram(FromInitiator, &frame(0xFD, 4, 1, &block(5, 4, &[2, 2, 0])));
        assert_eq!((result.said().len(), result.conversation.protocol()), (0, Protocol::ProfinetDcp));
    }

    #[test]
    fn frames_of_others_are_not_for_us() {
        let mut cut = frame(0xFF, 5, 1, &identified());
        cut.truncate(40);
        let mut other_service = frame(0xFF, 5, 1, &identified());
        other_service[2] = 4;
        let odd_option = frame(0xFF, 5, 1, &block(4, 1, &[0, 0]));
        // Cyclic data, an LLC frame of ISO's routing, nothing.
        let cyclic = [&[0xC0, 2][..], &[0; 44]].concat();
        let iso = [&[0xFE, 0xFE, 3, 0x83, 27, 1, 0, 15, 1, 0][..], &[0; 30]].concat();
        for bytes in [cut, other_service, odd_option, cyclic, iso, Vec::new(), frame(0xFF, 5, 1, &[])] {
            let flow = flow().datagram(FromInitiator, &bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), option in 0_u8..8, suboption in 0_u8..6) {
            prop_assert!(flow().datagram(FromInitiator, &bytes).said().is_empty());
            let like = frame(0xFF, 5, 1, &block(option, suboption, &bytes));
            prop_assert!(flow().datagram(FromInitiator, &like).said().len() <= 4);
            let broken = frame(0xFF, 5, 1, &bytes);
            prop_assert!(flow().datagram(FromInitiator, &broken).said().len() <= 4 * MOST_BLOCKS);
        }
    }
}
