//! RADIUS (RFC 2865, 2866, 3579, 3580, 5176) on any UDP port: network access servers (switches, access points, gateways) ask
//! a server whether somebody may come in.
//!
//! A request says what its network access server is: name, kind of port, and the wireless network (`Called-Station-Id`).
//! Accounting binds a station's hardware address to its IP address. A reject is a refused log-in at the server that asked.
//! Never stated: users, passwords, sessions. A proxy asks for others: what a request says is about the address that it gives
//! for the network access server, when it gives one.
//!
//! A request without a Message-Authenticator can be answered by anybody in between (CVE-2024-3596).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wardwatch_proto::address::mac_text;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::be16;
use crate::scope::{is_private, is_unicast};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress};

/// RADIUS on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Radius, probe, start: || Box::new(Radius) };

/// Authentication, accounting, their ports from before, and dynamic authorization.
const PORTS: [u16; 5] = [1812, 1813, 1645, 1646, 3799];

/// Codes (IANA, "RADIUS Types").
const ACCESS_REQUEST: u8 = 1;
const ACCESS_ACCEPT: u8 = 2;
const ACCESS_REJECT: u8 = 3;
const ACCOUNTING_REQUEST: u8 = 4;
const ACCOUNTING_RESPONSE: u8 = 5;
const ACCESS_CHALLENGE: u8 = 11;

/// Code, identifier, length and authenticator.
const HEADER: usize = 20;
const LONGEST: usize = 4096;

/// Kinds of attributes.
const USER_NAME: u8 = 1;
const NAS_IP_ADDRESS: u8 = 4;
const FRAMED_IP_ADDRESS: u8 = 8;
const CALLED_STATION: u8 = 30;
const CALLING_STATION: u8 = 31;
const NAS_IDENTIFIER: u8 = 32;
const ACCOUNTING_STATUS: u8 = 40;
const NAS_PORT_TYPE: u8 = 61;
const EAP_MESSAGE: u8 = 79;
const MESSAGE_AUTHENTICATOR: u8 = 80;
const NAS_IPV6_ADDRESS: u8 = 95;

/// A packet whose attributes fill it.
#[derive(Debug)]
struct Packet<'a> {
    code: u8,
    attributes: Attributes<'a>,
}

/// Kind and value, one after another.
#[derive(Clone, Debug)]
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [kind, length, ..] = *self.0 else { return None };
        let (attribute, rest) = self.0.split_at_checked(usize::from(length))?;
        let value = attribute.get(2..)?;
        self.0 = rest;
        Some((kind, value))
    }
}

fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let length = usize::from(be16(bytes, 2)?);
    let code = *bytes.first()?;
    // Octets behind the length are padding (RFC 2865, 3), which nobody sends.
    let fits = length == bytes.len() && (HEADER..=LONGEST).contains(&length);
    let attributes = Attributes(bytes.get(HEADER..)?);
    let mut rest = attributes.clone();
    let are_whole = rest.by_ref().all(|(kind, _)| kind != 0) && rest.0.is_empty();
    let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
    (known && fits && are_whole).then_some(Packet { code, attributes })
}

impl<'a> Packet<'a> {
    fn value(&self, kind: u8) -> Option<&'a [u8]> {
        self.attributes.clone().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    fn has(&self, kind: u8) -> bool {
        self.value(kind).is_some()
    }

    fn text(&self, kind: u8) -> Option<&'a str> {
        self.value(kind).and_then(|value| str::from_utf8(value).ok())
    }

    /// What such a packet cannot be without: who asks, or what of a session.
    fn is_sure(&self) -> bool {
        let of_nas = [NAS_IP_ADDRESS, NAS_IPV6_ADDRESS, NAS_IDENTIFIER].iter().any(|kind| self.has(*kind));
        match self.code {
            ACCESS_REQUEST => of_nas && (self.has(USER_NAME) || self.has(EAP_MESSAGE)),
            ACCOUNTING_REQUEST => of_nas && self.has(ACCOUNTING_STATUS),
            _ => self.value(MESSAGE_AUTHENTICATOR).is_some_and(|value| value.len() == 16),
        }
    }

    /// The network access server, when it is not the sender.
    fn other_nas(&self, sender: Option<IpAddr>) -> Option<Address> {
        let v4 = || self.value(NAS_IP_ADDRESS).and_then(v4).map(IpAddr::from);
        let v6 = || self.value(NAS_IPV6_ADDRESS).and_then(v6).map(IpAddr::from);
        let ip = v4().or_else(v6).filter(|ip| is_unicast(*ip) && Some(*ip) != sender)?;
        Some(Address { ip: Some(ip), ..Address::default() })
    }
}

fn v4(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

fn v6(value: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(value).ok().map(Ipv6Addr::from)
}

fn probe(input: &Input<'_>) -> Probe {
    let is_port = [input.sender.port, input.receiver.port].iter().any(|port| PORTS.contains(port));
    let fits = packet(input.bytes).is_some_and(|packet| is_port || packet.is_sure());
    if fits { Probe::Certain } else { Probe::NotForUs }
}

struct Radius;

impl Dissector for Radius {
    fn protocol(&self) -> Protocol {
        Protocol::Radius
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(packet) = packet(input.bytes) {
            match packet.code {
                ACCESS_REQUEST | ACCOUNTING_REQUEST => request(&packet, input, facts),
                ACCESS_ACCEPT | ACCESS_CHALLENGE | ACCOUNTING_RESPONSE => {
                    facts.of_sender(Attribute::Role, "radius-server");
                }
                ACCESS_REJECT => {
                    facts.of_sender(Attribute::Role, "radius-server");
                    facts.of_receiver(Attribute::FailedLogin, "radius");
                }
                _ => {}
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn request(packet: &Packet<'_>, input: &Input<'_>, facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "radius-client");
    if packet.code == ACCESS_REQUEST && !packet.has(MESSAGE_AUTHENTICATOR) {
        facts.of_sender(Attribute::WeakProtocol, "radius-unauthenticated");
    }
    let nas = packet.other_nas(input.sender.ip);
    let mut state = |attribute, value: &str| match nas {
        None => facts.of_sender(attribute, value),
        Some(address) => facts.of_address(address, attribute, value),
    };
    if let Some(name) = packet.text(NAS_IDENTIFIER) {
        state(Attribute::HostName, name);
    }
    if let Some(kind) = packet.value(NAS_PORT_TYPE).and_then(port_type) {
        state(Attribute::NasPortType, kind);
    }
    if let Some((mac, network)) = packet.text(CALLED_STATION).and_then(station) {
        // Switches give the address of the port alone.
        if !network.is_empty() {
            state(Attribute::Role, "access-point");
            state(Attribute::WlanBssid, &mac_text(&mac));
            state(Attribute::WlanName, network);
        }
    }
    if packet.code == ACCOUNTING_REQUEST
        && let Some((mac, _)) = packet.text(CALLING_STATION).and_then(station)
        && let Some(ip) = packet.value(FRAMED_IP_ADDRESS).and_then(v4).filter(|ip| is_private((*ip).into()))
    {
        let at = Address { mac: Some(mac), ip: Some(ip.into()), port: 0 };
        facts.of_address(at, Attribute::IpAddress, &ip.to_string());
        // Where it was let in.
        if let Some(kind) = packet.value(NAS_PORT_TYPE).and_then(port_type) {
            facts.of_address(at, Attribute::NasPortType, kind);
        }
        if let Some((cell, network)) = packet.text(CALLED_STATION).and_then(station)
            && !network.is_empty()
        {
            facts.of_address(at, Attribute::WlanBssid, &mac_text(&cell));
            facts.of_address(at, Attribute::WlanName, network);
        }
    }
}

/// RFC 2865, 5.41.
fn port_type(value: &[u8]) -> Option<&'static str> {
    let [0, 0, 0, number] = value else { return None };
    Some(match number {
        0 => "async",
        5 => "virtual",
        15 => "ethernet",
        17 => "cable",
        18 => "wireless-other",
        19 => "wireless-802.11",
        _ => return None,
    })
}

/// A hardware address, and the wireless network behind it (RFC 3580, 3.20): `00-10-A4-23-19-C0:AP1`. Colons or nothing
/// instead of dashes are met as well.
fn station(text: &str) -> Option<([u8; 6], &str)> {
    let mut mac = [0; 6];
    let mut rest = text;
    for (place, octet) in mac.iter_mut().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(['-', ':']).unwrap_or(rest);
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        *octet = u8::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?;
        rest = behind;
    }
    let network = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
    (mac != [0; 6]).then_some((mac, network))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::{TestFlow, address};
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    fn packet(code: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let attributes =
            attributes.iter().flat_map(|(kind, value)| [&[*kind, value.len() as u8 + 2][..], value].concat());
        let attributes: Vec<u8> = attributes.collect();
        let length = (HEADER + attributes.len()) as u16;
        [&[code, 7][..], &length.to_be_bytes(), &[0xAB; 16], &attributes].concat()
    }

    /// As an access point asks.
    fn request(nas: [u8; 4]) -> Vec<u8> {
        packet(
            1,
            &[
                (1, b"jdoe"),
                (4, &nas),
                (30, b"00-10-A4-23-19-C0:Ward WLAN"),
                (31, b"00-10-A4-23-19-C1"),
                (32, b"AP-7"),
                (61, &[0, 0, 0, 19]),
                (80, &[0; 16]),
            ],
        )
    }

    #[test]
    fn a_request_tells_what_asks_and_never_who_wants_to_come_in() {
        let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &request([192, 0, 2, 1]));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role radius-client",
                "sender 192.0.2.1 host_name ap-7",
                "sender 192.0.2.1 nas_port_type wireless-802.11",
                "sender 192.0.2.1 role access-point",
                "sender 192.0.2.1 wlan_bssid 00:10:a4:23:19:c0",
                "sender 192.0.2.1 wlan_name Ward WLAN",
            ]
        );
    }

    #[test]
    fn a_proxy_asks_for_others() {
        let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &request([10, 0, 0, 9]));
        assert_eq!(flow.said().get(1).map(String::as_str), Some("third 10.0.0.9 host_name ap-7"));
    }

    #[test]
    fn a_reject_is_a_refused_log_in_at_the_one_that_asked() {
        let on_port = TestFlow::new(CANDIDATES).with_responder(address("192.0.2.2", 1812));
        let flow = on_port.datagram(FromResponder, &packet(3, &[]));
        assert_eq!(
            flow.said(),
            ["sender 192.0.2.2 role radius-server", "peer 192.0.2.1 failed_login radius"]
        );
        let elsewhere = TestFlow::new(CANDIDATES).datagram(FromResponder, &packet(3, &[]));
        assert_eq!(elsewhere.conversation.protocol(), Protocol::Unspecified);
    }

    #[test]
    fn accounting_binds_a_station_to_its_address() {
        let accounting = packet(
            4,
            &[(4, &[192, 0, 2, 1]), (40, &[0, 0, 0, 3]), (8, &[10, 0, 0, 55]), (31, b"0010A42319C1")],
        );
        let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &accounting);
        assert_eq!(
            flow.said(),
            ["sender 192.0.2.1 role radius-client", "third 00:10:a4:23:19:c1 10.0.0.55 ip_address 10.0.0.55"]
        );
    }

    #[test]
    fn accounting_tells_where_a_station_was_let_in() {
        let accounting = packet(
            4,
            &[
                (4, &[192, 0, 2, 1]),
                (40, &[0, 0, 0, 1]),
                (8, &[10, 0, 0, 55]),
                (30, b"00-10-A4-23-19-C0:Ward WLAN"),
                (31, b"00-10-A4-23-19-C1"),
                (61, &[0, 0, 0, 19]),
            ],
        );
        let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &accounting);
        let of_station: Vec<String> =
            flow.said().into_iter().filter(|said| said.starts_with("third")).collect();
        let station = "third 00:10:a4:23:19:c1 10.0.0.55";
        assert_eq!(
            of_station,
            [
                format!("{station} ip_address 10.0.0.55"),
                format!("{station} nas_port_type wireless-802.11"),
                format!("{station} wlan_bssid 00:10:a4:23:19:c0"),
                format!("{station} wlan_name Ward WLAN"),
            ]
        );
    }

    #[test]
    fn a_request_that_proves_nothing_is_weak() {
        let bare = packet(1, &[(1, b"jdoe"), (2, &[0; 16]), (32, b"sw-1")]);
        let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &bare);
        assert_eq!(flow.values(Attribute::WeakProtocol), ["radius-unauthenticated"]);
    }

    #[test]
    fn stations_are_written_in_three_ways() {
        for text in ["00-10-A4-23-19-C0", "00:10:a4:23:19:c0", "0010a42319c0"] {
            assert_eq!(station(text), Some(([0, 0x10, 0xA4, 0x23, 0x19, 0xC0], "")), "{text}");
        }
        for text in ["", "5551234", "00-10-A4-23-19-C0x", "000000000000", "+0-10-A4-23-19-C0"] {
            assert_eq!(station(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn mutated_requests_never_tell_the_user(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = request([192, 0, 2, 1]);
            // The kind of the user's name is what makes it one.
            let at = at.index(bytes.len());
            if at != HEADER {
                bytes[at] = octet;
            }
            let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &request([192, 0, 2, 1])).datagram(FromInitiator, &bytes);
            let said = format!("{:?}", flow.statements);
            prop_assert!(!said.contains("jdoe"), "{said}");
        }

        #[test]
        fn arbitrary_octets_are_not_taken_for_this_protocol(octets in prop::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(TestFlow::new(CANDIDATES).datagram(FromInitiator, &octets).said().is_empty());
        }
    }
}
