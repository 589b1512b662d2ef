//! GE Unity, the network of Dash, Solar and Apex patient monitors: their beacon, a broadcast of 88 octets over UDP.
//! There is no public specification; the layout is known from captures of monitors. Big endian.
//!
//! `01 04 00 00`, the monitor's IPv4 address (4), its clock (8), ward and bed (12, sixteen octets), then **the
//! patient's name (28 to 42)**, then the count of services (43) and for each its number and port (44 to 71). Octets
//! 28 to 42 are read by nothing here: [`Beacon::read`] takes the others out by their offsets, and nothing else sees
//! the datagram.

use std::net::{IpAddr, Ipv4Addr};

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{part, piece};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// The beacon on any UDP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Unity, probe, start: || Box::new(Unity) };

const LENGTH: usize = 88;
const START: [u8; 4] = [0x01, 0x04, 0x00, 0x00];

/// Where ward and bed stand, and where the services do.
const PLACE: (usize, usize) = (12, 16);
const SERVICES: (usize, usize) = (43, 29);

/// What is read of a beacon.
struct Beacon<'a> {
    place: &'a [u8],
}

impl<'a> Beacon<'a> {
    /// The address within is the sender's, ward and bed are told apart, and services fill their places one behind the
    /// other.
    fn read(input: &Input<'a>) -> Option<Self> {
        let bytes = input.bytes;
        let own: [u8; 4] = piece(bytes, 4)?;
        let place = part(bytes, PLACE.0, PLACE.1)?;
        let (count, services) = part(bytes, SERVICES.0, SERVICES.1)?.split_first()?;
        let told = place.split(|byte| *byte == 0).next()?;
        let is_told = told.contains(&b'|') && told.iter().all(|byte| *byte >= b' ');
        let mut ports = services.chunks_exact(4);
        let are_services = ports.by_ref().take(usize::from(*count)).all(|entry| entry != [0; 4])
            && ports.all(|entry| entry == [0; 4]);
        let is_beacon = bytes.len() == LENGTH
            && bytes.starts_with(&START)
            && input.sender.ip == Some(IpAddr::V4(Ipv4Addr::from(own)))
            && is_told
            && (1..=7).contains(count)
            && are_services;
        is_beacon.then_some(Self { place: told })
    }
}

fn probe(input: &Input<'_>) -> Probe {
    if Beacon::read(input).is_some() { Probe::Certain } else { Probe::NotForUs }
}

struct Unity;

impl Dissector for Unity {
    fn protocol(&self) -> Protocol {
        Protocol::Unity
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(beacon) = Beacon::read(input) {
            facts.of_sender(Attribute::Role, "unity-monitor");
            let place = String::from_utf8_lossy(beacon.place);
            let (ward, bed) = place.split_once('|').unwrap_or_default();
            let (ward, bed) = (ward.trim(), bed.trim());
            if !ward.is_empty() {
                facts.of_sender(Attribute::Department, ward);
            }
            if !bed.is_empty() {
                facts.of_sender(Attribute::Location, &format!("{ward}/{bed}"));
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Direction::FromInitiator;
    use crate::UDP;
    use crate::test_flow::TestFlow;

    /// The beacon of 192.0.2.1.
    fn beacon(place: &str, name: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[..4].copy_from_slice(&START);
        bytes[4..8].copy_from_slice(&[192, 0, 2, 1]);
        bytes[8..12].copy_from_slice(&[0x69, 0xB6, 0xE5, 0xC0]);
        bytes[12..12 + place.len()].copy_from_slice(place.as_bytes());
        bytes[28..28 + name.len()].copy_from_slice(name);
        bytes[43] = 2;
        bytes[44..52].copy_from_slice(&[0, 3, 7, 0xD0, 0, 0x11, 0, 0x20]);
        bytes
    }

    #[test]
    fn a_monitor_says_where_it_stands() {
        let flow = TestFlow::new(UDP).datagram(FromInitiator, &beacon("ICU3|BED07", b"DOE,JANE"));
        assert_eq!(flow.conversation.protocol(), Protocol::Unity);
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role unity-monitor",
                "sender 192.0.2.1 department ICU3",
                "sender 192.0.2.1 location ICU3/BED07"
            ]
        );
    }

    #[test]
    fn what_stands_where_the_patient_does_makes_no_difference() {
        let none = TestFlow::new(UDP).datagram(FromInitiator, &beacon("ICU3|BED07", b"")).said();
        let full = beacon("ICU3|BED07", &[b'|'; 15]);
        assert_eq!(TestFlow::new(UDP).datagram(FromInitiator, &full).said(), none);
        assert_eq!(
            TestFlow::new(UDP).datagram(FromInitiator, &beacon("ICU3|BED07", &[0xFF; 15])).said(),
            none
        );
    }

    #[test]
    fn anothers_address_another_length_and_no_services_are_another_protocol() {
        let plain = beacon("ICU3|BED07", b"");
        let mut address = plain.clone();
        address[7] = 2;
        let mut services = plain.clone();
        services[43] = 3;
        let longer = [&plain[..], &[0]].concat();
        for other in
            [address, services, longer, plain[..87].to_vec(), beacon("ICU3 BED07", b"a|b"), Vec::new()]
        {
            let flow = TestFlow::new(UDP).datagram(FromInitiator, &other);
            assert_ne!(flow.conversation.protocol(), Protocol::Unity, "{}", other.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn nothing_of_the_name_is_stated_and_nothing_panics(bytes in any::<Vec<u8>>(), at in 0_usize..88, byte in any::<u8>()) {
            TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &bytes);
            let mut beacon = beacon("ICU3|BED07", b"DOE,JANE");
            beacon[at] = byte;
            let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &beacon);
            prop_assert!(!flow.said().iter().any(|line| line.contains("DOE") || line.contains("JANE")));
        }
    }
}
