//! LLDP (IEEE 802.1AB-2016), with the TLVs of IEEE 802.1 (annex D) and 802.3 (annex 79 of IEEE 802.3), of LLDP-MED
//! (ANSI/TIA-1057) and of manufacturer usage descriptions (RFC 8520, 11).
//!
//! A station tells its neighbours what it is, to a group address that no bridge passes on: what is said describes the
//! sender, one hop away. It names the port that it was sent through, so that the port of a switch tells where the
//! listener hangs. Ports of a switch often have addresses of their own: what is said of the system is then said of the chassis
//! too, by its hardware address.
//!
//! Not stated: names of VLANs and aliases of ports, which people write; emergency numbers; the speed of the link. A
//! switch tells a phone where the phone stands (LLDP-MED location): only an endpoint's own word is its location.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::tlv::{Tlv, Tlvs};
use super::neighbour::{self, MOST_ADDRESSES};
use crate::octets::be16;
use crate::{Address, Candidate, Carrier, Dissector, Facts, Input, Probe, Progress, scope};

mod med;
mod organisation;
mod tlv;

/// LLDP on the link.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Lldp, probe, start: || Box::new(Lldp) };

const ETHERTYPE: u16 = 0x88CC;

/// System capabilities (IEEE 802.1AB-2016, table 8-4). A bridge with VLAN components is a bridge.
const CAPABILITIES: &[(u32, &str)] = &[
    (1 << 1, "repeater"),
    (1 << 2 | 1 << 8 | 1 << 9, "bridge"),
    (1 << 3, "wlan-access-point"),
    (1 << 4, "router"),
    (1 << 5, "telephone"),
    (1 << 6, "docsis-cable-device"),
    (1 << 7, "station"),
];

fn probe(input: &Input<'_>) -> Probe {
    let is_announced = input.carrier == Carrier::EtherType(ETHERTYPE);
    if is_announced && Message::of(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// The three TLVs that every message begins with (IEEE 802.1AB-2016, 8.5.1), and the rest.
struct Message<'a> {
    chassis: &'a [u8],
    port: &'a [u8],
    time_to_live: u16,
    rest: Tlvs<'a>,
}

impl<'a> Message<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Tlvs(bytes);
        let mut value = |wanted| rest.next().filter(|tlv| tlv.kind == wanted).map(|tlv| tlv.value);
        let chassis = value(tlv::CHASSIS_ID).filter(|value| (2..=256).contains(&value.len()))?;
        let port = value(tlv::PORT_ID).filter(|value| (2..=256).contains(&value.len()))?;
        let time_to_live = value(tlv::TIME_TO_LIVE).and_then(|value| be16(value, 0))?;
        Some(Self { chassis, port, time_to_live, rest })
    }

    /// The hardware address of the whole device, where it is not the one of the port that sends: the identifier of the chassis,
    /// or PROFINET's own TLV.
    fn other_interface(&self, sender: Option<[u8; 6]>) -> Option<[u8; 6]> {
        let named = match self.chassis.split_first() {
            Some((4, mac)) => mac.try_into().ok(),
            _ => None,
        };
        let told = self.rest.clone().filter(|tlv| tlv.kind == tlv::ORGANISATION);
        let mac = named.or_else(|| told.into_iter().find_map(|tlv| organisation::chassis(tlv.value)))?;
        (scope::is_one_device(mac) && sender.is_some_and(|sender| sender != mac)).then_some(mac)
    }
}

struct Lldp;

impl Dissector for Lldp {
    fn protocol(&self) -> Protocol {
        Protocol::Lldp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(message) = Message::of(input.bytes) else {
            return Progress::Broken("not an LLDP message");
        };
        chassis(message.chassis, facts);
        // Nothing but the end of what was said before (IEEE 802.1AB-2016, 9.2.7.5).
        if message.time_to_live > 0 {
            port(message.port, &message.rest, facts);
            let is_endpoint = med::is_endpoint(message.rest.clone());
            if let Some(chassis) = message.other_interface(input.sender.mac) {
                whole(chassis, message.rest.clone(), facts);
            }
            let mut addresses = 0;
            for Tlv { kind, value } in message.rest {
                match kind {
                    tlv::SYSTEM_NAME => text(Attribute::HostName, value, facts),
                    tlv::SYSTEM_DESCRIPTION => {
                        if let Ok(text) = str::from_utf8(value) {
                            neighbour::system_description(text, facts);
                        }
                    }
                    tlv::SYSTEM_CAPABILITIES => {
                        // What it can do stands before what is switched on.
                        let enabled = be16(value, 2).unwrap_or_default();
                        neighbour::roles(enabled.into(), CAPABILITIES, facts);
                    }
                    tlv::MANAGEMENT_ADDRESS if addresses < MOST_ADDRESSES => {
                        addresses += 1;
                        management(value, facts);
                    }
                    tlv::ORGANISATION => organisation::state(value, is_endpoint, facts),
                    _ => {}
                }
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// What is said of the system is said of the whole device, which has an address of its own where the ports have others: there
/// its management is.
fn whole(chassis: [u8; 6], tlvs: Tlvs<'_>, facts: &mut Facts<'_>) {
    let device = Address { mac: Some(chassis), ..Address::default() };
    for Tlv { kind, value } in tlvs {
        let Ok(text) = str::from_utf8(value) else { continue };
        match kind {
            tlv::SYSTEM_NAME => facts.of_address(device, Attribute::HostName, text),
            tlv::SYSTEM_DESCRIPTION => {
                let first = text.lines().next().unwrap_or_default();
                facts.of_address(device, Attribute::SystemDescription, first);
            }
            _ => {}
        }
    }
}

fn text(attribute: Attribute, value: &[u8], facts: &mut Facts<'_>) {
    if let Ok(text) = str::from_utf8(value) {
        facts.of_sender(attribute, text);
    }
}

/// The identifier of the chassis (IEEE 802.1AB-2016, 8.5.2.2): an address, or a name.
fn chassis(value: &[u8], facts: &mut Facts<'_>) {
    match value.split_first() {
        Some((4, mac)) => hardware(mac, facts),
        Some((5, address)) => network_address(address, facts),
        // A component, an interface's name, or a name given here; aliases and ports are written by people.
        Some((1 | 6 | 7, name)) => text(Attribute::ChassisId, name, facts),
        _ => {}
    }
}

/// The identifier of the port (8.5.3.2). Where it is none that a person would look for on the device, the port's
/// description, which holds the interface's name by the standard's recommendation (8.5.5.2), if it looks like one.
fn port(value: &[u8], rest: &Tlvs<'_>, facts: &mut Facts<'_>) {
    let described = rest.clone().find(|tlv| tlv.kind == tlv::PORT_DESCRIPTION).map(|tlv| tlv.value);
    let described = described.and_then(|text| str::from_utf8(text).ok()).filter(|text| is_interface(text));
    let named = match value.split_first() {
        Some((2 | 5 | 7, name)) => str::from_utf8(name).ok(),
        Some((3, mac)) => {
            hardware(mac, facts);
            None
        }
        _ => None,
    };
    let is_number = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
    let name = named.filter(|name| !is_number(name)).or(described).or(named);
    if let Some(name) = name {
        facts.of_sender(Attribute::LinkPort, name);
    }
}

/// One word that begins with a letter and ends with a number, as interfaces have: `ge-0/0/4.0`, `eth0`.
fn is_interface(text: &str) -> bool {
    let text = text.trim_matches(['\0', ' ']);
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_:".contains(&byte))
}

fn hardware(mac: &[u8], facts: &mut Facts<'_>) {
    if let Ok(mac) = mac.try_into() {
        neighbour::hardware(mac, facts);
    }
}

/// The length of an address with its family, these, and how the interface is numbered (8.5.9).
fn management(value: &[u8], facts: &mut Facts<'_>) {
    let address = value.split_first().and_then(|(length, rest)| rest.get(..usize::from(*length)));
    network_address(address.unwrap_or_default(), facts);
}

/// An address behind its family (IANA, "Address Family Numbers"): IPv4, IPv6, or all of IEEE 802.
fn network_address(address: &[u8], facts: &mut Facts<'_>) {
    match address.split_first() {
        Some((1, octets)) => {
            if let Ok(octets) = <[u8; 4]>::try_from(octets) {
                neighbour::address(octets.into(), facts);
            }
        }
        Some((2, octets)) => {
            if let Ok(octets) = <[u8; 16]>::try_from(octets) {
                neighbour::address(octets.into(), facts);
            }
        }
        Some((6, mac)) => hardware(mac, facts),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
