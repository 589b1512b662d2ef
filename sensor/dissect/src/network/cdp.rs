//! CDP, the Cisco Discovery Protocol, versions 1 and 2, as Cisco documents it ("Frame Formats", Cisco Discovery Protocol)
//! and Wireshark reads it.
//!
//! Switches, access points and phones tell their neighbours what they are, to a group address that no bridge passes on:
//! what is said describes the sender, one hop away. Other makers speak it as well, so that being heard here makes
//! nobody a device of Cisco.
//!
//! Not stated: the VTP domain, and what the neighbour is asked for (power, VLANs for voice).

use std::net::IpAddr;

use wardwatch_proto::v1::{Attribute, Protocol};

use super::neighbour::{self, MOST_ADDRESSES};
use crate::octets::{be16, be32, part};
use crate::{Candidate, Carrier, Dissector, Facts, Input, Probe, Progress};

/// CDP on the link.
pub(crate) const CANDIDATE: Candidate = Candidate { protocol: Protocol::Cdp, probe, start: || Box::new(Cdp) };

/// Cisco's organisation identifier and CDP's number there.
const SNAP: Carrier = Carrier::Snap { organisation: [0x00, 0x00, 0x0C], protocol: 0x2000 };

const DEVICE_ID: u16 = 0x01;
const ADDRESSES: u16 = 0x02;
const PORT_ID: u16 = 0x03;
const CAPABILITIES: u16 = 0x04;
const VERSION: u16 = 0x05;
const PLATFORM: u16 = 0x06;
const NATIVE_VLAN: u16 = 0x0A;
const SYSTEM_NAME: u16 = 0x14;
const MANAGEMENT_ADDRESSES: u16 = 0x16;
const LOCATION: u16 = 0x17;

/// Bits of the capabilities and the roles that they stand for.
const ROLES: &[(u32, &str)] = &[
    (0x01, "router"),
    // Transparent bridge, source-route bridge, switch.
    (0x02 | 0x04 | 0x08, "bridge"),
    (0x10, "station"),
    (0x40, "repeater"),
    (0x80, "telephone"),
];

fn probe(input: &Input<'_>) -> Probe {
    let is_cdp = input.carrier == SNAP && message(input.bytes).is_some_and(|mut tlvs| tlvs.next().is_some());
    if is_cdp { Probe::Certain } else { Probe::NotForUs }
}

/// Version, time to live, checksum; then what is said. The checksum is none that IP has (an odd last octet counts in its
/// own way), and is left alone.
fn message(bytes: &[u8]) -> Option<Tlvs<'_>> {
    let ([version, _time_to_live, _, _], rest) = bytes.split_first_chunk::<4>()?;
    matches!(version, 1 | 2).then_some(Tlvs(rest))
}

/// Type and length in two octets each; the length counts them.
#[derive(Clone, Debug)]
struct Tlvs<'a>(&'a [u8]);

impl<'a> Iterator for Tlvs<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        let length = usize::from(be16(bytes, 2)?);
        let value = part(bytes, 4, length.checked_sub(4)?)?;
        self.0 = bytes.get(length..).unwrap_or_default();
        Some((be16(bytes, 0)?, value))
    }
}

struct Cdp;

impl Dissector for Cdp {
    fn protocol(&self) -> Protocol {
        Protocol::Cdp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(tlvs) = message(input.bytes) else { return Progress::Broken("not a CDP message") };
        for (kind, value) in tlvs {
            let text = str::from_utf8(value).unwrap_or_default();
            match kind {
                DEVICE_ID => device_id(text, facts),
                ADDRESSES | MANAGEMENT_ADDRESSES => addresses(value, facts),
                PORT_ID => facts.of_sender(Attribute::LinkPort, text),
                CAPABILITIES => {
                    neighbour::roles(be32(value, 0).unwrap_or_default(), ROLES, facts);
                }
                VERSION => version(text, facts),
                PLATFORM => facts.of_sender(Attribute::Model, text),
                NATIVE_VLAN => {
                    if let Some(vlan) = be16(value, 0).filter(|vlan| *vlan != 0) {
                        facts.of_sender(Attribute::LinkVlan, &vlan.to_string());
                    }
                }
                SYSTEM_NAME => facts.of_sender(Attribute::HostName, text),
                // One octet stands before the text.
                LOCATION => facts.of_sender(Attribute::Location, text.get(1..).unwrap_or_default()),
                _ => {}
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// A host name; of some switches `name(serial)`, of older ones `serial(name)`; of phones `SEP` and the MAC address, of
/// others that alone.
fn device_id(text: &str, facts: &mut Facts<'_>) {
    let (outer, inner) = text.strip_suffix(')').and_then(|text| text.split_once('(')).unwrap_or((text, ""));
    let (name, serial) = if !is_serial(inner) && is_serial(outer) { (inner, outer) } else { (outer, inner) };
    if is_serial(serial) {
        facts.of_sender(Attribute::SerialNumber, serial);
    }
    let digits = name.strip_prefix("SEP").unwrap_or(name);
    if let Some(mac) = mac(digits) {
        neighbour::hardware(mac, facts);
    }
    facts.of_sender(Attribute::HostName, name);
}

/// As Cisco numbers its devices: three letters of the site, year and week, four letters or digits; or nine digits of old.
fn is_serial(text: &str) -> bool {
    let is_new = text.len() == 11
        && text.bytes().enumerate().all(|(at, byte)| match at {
            0..3 => byte.is_ascii_uppercase(),
            3..7 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        });
    is_new || text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Twelve hexadecimal digits.
fn mac(digits: &str) -> Option<[u8; 6]> {
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(digits, 16).ok()?;
    let [_, _, mac @ ..] = number.to_be_bytes();
    Some(mac)
}

/// Either a system's description in lines, or what runs on a phone in one word.
fn version(text: &str, facts: &mut Facts<'_>) {
    if text.contains(' ') {
        neighbour::system_description(text, facts);
    } else {
        facts.of_sender(Attribute::SoftwareVersion, text);
    }
}

/// A number of addresses, each with its protocol: NLPID 0xCC for IPv4, and for IPv6 its EtherType in 802.2 form.
fn addresses(value: &[u8], facts: &mut Facts<'_>) {
    const IPV6: &[u8] = &[0xAA, 0xAA, 0x03, 0x00, 0x00, 0x00, 0x86, 0xDD];
    let count = be32(value, 0).unwrap_or_default() as usize;
    let mut rest = value.get(4..).unwrap_or_default();
    for _ in 0..count.min(MOST_ADDRESSES) {
        let Some(([_kind, length], behind)) = rest.split_first_chunk::<2>() else { return };
        let Some((protocol, behind)) = behind.split_at_checked(usize::from(*length)) else { return };
        let Some((length, behind)) = behind.split_first_chunk::<2>() else { return };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((address, behind)) = behind.split_at_checked(length) else { return };
        let ip = match protocol {
            [0xCC] => <[u8; 4]>::try_from(address).ok().map(IpAddr::from),
            IPV6 => <[u8; 16]>::try_from(address).ok().map(IpAddr::from),
            _ => None,
        };
        if let Some(ip) = ip {
            neighbour::address(ip, facts);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests;
