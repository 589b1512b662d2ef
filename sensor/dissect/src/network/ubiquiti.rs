//! Ubiquiti's discovery over UDP: devices announce what they are in numbered fields, in clear.
//!
//! No standard; the layout is as captures of devices show it: version, command, length, then fields of type, length and
//! value. Stated: hardware address, host name, model, firmware, and the wireless network that is served. Addresses of other
//! ports are not.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::be16;
use crate::scope::hardware_address;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// Ubiquiti's discovery on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Ubiquiti, probe, start: || Box::new(Ubiquiti) };

/// Types of fields.
const MAC: u8 = 0x01;
const MAC_AND_IP: u8 = 0x02;
const FIRMWARE: u8 = 0x03;
const HOST_NAME: u8 = 0x0B;
const PLATFORM: u8 = 0x0C;
const NETWORK: u8 = 0x0D;
const MODEL: u8 = 0x14;
const VERSION: u8 = 0x16;

/// Types and values, when they fill the datagram and give the hardware's address as announcements do.
fn fields(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let ([version, _command], rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::from(be16(rest, 0)?);
    let mut rest = rest.get(2..)?;
    if !matches!(version, 1 | 2) || length != rest.len() {
        return None;
    }
    let mut fields = Vec::new();
    while let Some((kind, behind)) = rest.split_first() {
        let (value, behind) = behind.get(2..)?.split_at_checked(usize::from(be16(behind, 0)?))?;
        fields.push((*kind, value));
        rest = behind;
    }
    let addresses =
        fields.iter().filter(|(kind, value)| matches!((*kind, value.len()), (MAC, 6) | (MAC_AND_IP, 10)));
    (addresses.count() > 0 && fields.len() > 2).then_some(fields)
}

fn probe(input: &Input<'_>) -> Probe {
    if fields(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

struct Ubiquiti;

impl Dissector for Ubiquiti {
    fn protocol(&self) -> Protocol {
        Protocol::Ubiquiti
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let fields = fields(input.bytes).unwrap_or_default();
        let text = |wanted: u8| {
            let (_, value) = fields.iter().find(|(kind, _)| *kind == wanted)?;
            str::from_utf8(value).ok().filter(|value| !value.is_empty())
        };
        let own = fields.iter().find(|(kind, _)| *kind == MAC).map(|(_, value)| *value);
        if let Some(mac) = own.and_then(hardware_address) {
            facts.of_sender(Attribute::MacAddress, &mac);
        }
        for (attribute, value) in [
            (Attribute::HostName, text(HOST_NAME)),
            (Attribute::Model, text(MODEL).or_else(|| text(PLATFORM))),
            (Attribute::FirmwareVersion, text(VERSION).or_else(|| text(FIRMWARE))),
            (Attribute::WlanName, text(NETWORK)),
        ] {
            if let Some(value) = value {
                facts.of_sender(attribute, value);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::FromInitiator;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn announcement(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let fields =
            fields.iter().flat_map(|(kind, value)| [&[*kind, 0, value.len() as u8][..], value].concat());
        let fields: Vec<u8> = fields.collect();
        [&[2, 6][..], &(fields.len() as u16).to_be_bytes(), &fields].concat()
    }

    fn gateway() -> Vec<u8> {
        let of_other_port = [0x80, 0x2A, 0xA8, 1, 2, 4, 10, 0, 0, 1];
        announcement(&[
            (MAC_AND_IP, &of_other_port),
            (MAC, &[0x80, 0x2A, 0xA8, 1, 2, 3]),
            (HOST_NAME, b"gw-1"),
            (PLATFORM, b"UGW3"),
            (FIRMWARE, b"UniFiSecurityGateway.ER-e120.v4.3.33.4936086"),
            (VERSION, b"4.3.33.4936086"),
        ])
    }

    #[test]
    fn a_device_announces_what_it_is() {
        assert_eq!(
            TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &gateway()).said(),
            [
                "sender 192.0.2.1 mac_address 80:2a:a8:01:02:03",
                "sender 192.0.2.1 host_name gw-1",
                "sender 192.0.2.1 model UGW3",
                "sender 192.0.2.1 firmware_version 4.3.33.4936086",
            ]
        );
    }

    #[test]
    fn what_is_cut_or_without_an_address_is_not_this_protocol() {
        let whole = gateway();
        let nameless = announcement(&[(HOST_NAME, b"a"), (PLATFORM, b"b"), (FIRMWARE, b"c")]);
        let cuts = (0..whole.len()).map(|length| whole[..length].to_vec());
        for other in cuts.chain([nameless]) {
            let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &other);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
        }
    }

    proptest! {
        #[test]
        fn mutated_announcements_do_not_panic(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = gateway();
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &gateway()).datagram(FromInitiator, &bytes);
            prop_assert!(flow.said().len() <= 9);
        }
    }
}
