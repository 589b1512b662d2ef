//! Multicast DNS (RFC 6762) and service discovery (RFC 6763): what a device announces of itself.
//!
//! Names of service instances are never stated: people give them, often their own. Host names, kinds of service and
//! well-known keys of the text records are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::{RData, TXT};
use simple_dns::{Name, Packet, ResourceRecord};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::answers::host_name;
use super::outline::outline;
use super::ports;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// Multicast DNS on UDP.
pub(crate) const MULTICAST: Candidate =
    Candidate { protocol: Protocol::Mdns, probe, start: || Box::new(Multicast) };

const PORT: u16 = 5353;
const GROUP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 0xFB));

/// Facts of each sort that one message may state.
const MOST_FACTS: usize = 32;

/// Keys of text records, in lower case, and what they say: printers (Bonjour Printing Specification 1.2, 9),
/// scanners, cameras, device information, Apple and Google receivers. Keys are the same whatever their case
/// (RFC 6763, 6.4).
const TEXT_KEYS: &[(&[u8], Attribute)] = &[
    (b"ty", Attribute::Model),
    (b"product", Attribute::Model),
    (b"usb_mdl", Attribute::Model),
    (b"mdl", Attribute::Model),
    (b"md", Attribute::Model),
    (b"model", Attribute::Model),
    (b"am", Attribute::Model),
    (b"usb_mfg", Attribute::Manufacturer),
    (b"mfg", Attribute::Manufacturer),
    (b"manufacturer", Attribute::Manufacturer),
    (b"note", Attribute::Location),
    (b"fv", Attribute::FirmwareVersion),
    (b"firmware", Attribute::FirmwareVersion),
    (b"serialnumber", Attribute::SerialNumber),
];

/// Whether a message of this layout is of multicast DNS rather than of a name server: it goes to the group, or
/// comes from the port (an answer to one host, RFC 6762, 6.7).
pub(super) fn is_multicast(input: &Input<'_>) -> bool {
    let to_group = input.receiver.ip.is_some_and(|ip| ip == GROUP_V4 || ip == GROUP_V6);
    to_group || ports(input).contains(&PORT)
}

fn probe(input: &Input<'_>) -> Probe {
    let fits = is_multicast(input) && outline(input.bytes).is_some_and(|outline| outline.is_multicast_dns());
    if fits { Probe::Certain } else { Probe::NotForUs }
}

struct Multicast;

impl Dissector for Multicast {
    fn protocol(&self) -> Protocol {
        Protocol::Mdns
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        // A query lists answers that it knows: those are other devices'.
        if outline(input.bytes).is_some_and(|outline| outline.is_announcement() && outline.is_readable())
            && let Ok(packet) = Packet::parse(input.bytes)
        {
            // With no time to live a record is taken back (RFC 6762, 10.1).
            let valid =
                packet.answers.iter().chain(&packet.additional_records).filter(|record| record.ttl > 0);
            let records: Vec<_> = valid.collect();
            if is_about_sender(&records, input.sender.ip) {
                state(&records, input.sender.ip, facts);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Reflectors and sleep proxies announce others: then addresses are among the records, and none is the sender's.
pub(super) fn is_about_sender(records: &[&ResourceRecord<'_>], sender: Option<IpAddr>) -> bool {
    let mut of_same_family = addresses(records)
        .filter(|ip| sender.is_some_and(|sender| sender.is_ipv4() == ip.is_ipv4()))
        .peekable();
    of_same_family.peek().is_none() || of_same_family.any(|ip| Some(ip) == sender)
}

fn addresses(records: &[&ResourceRecord<'_>]) -> impl Iterator<Item = IpAddr> {
    records.iter().filter_map(|record| address(&record.rdata))
}

pub(super) fn address(data: &RData<'_>) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(Ipv4Addr::from(a.address).into()),
        RData::AAAA(aaaa) => Some(Ipv6Addr::from(aaaa.address).into()),
        _ => None,
    }
}

fn state(records: &[&ResourceRecord<'_>], sender: Option<IpAddr>, facts: &mut Facts<'_>) {
    let own_names = records.iter().filter(|record| sender.is_some() && address(&record.rdata) == sender);
    for name in own_names.filter_map(|record| host_name(&record.name)).take(MOST_FACTS) {
        facts.of_sender(Attribute::HostName, &name);
    }
    let mut kinds: Vec<String> = records.iter().filter_map(|record| announced(record)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds.iter().take(MOST_FACTS) {
        facts.of_sender(Attribute::ServiceType, kind);
    }
    let texts = records.iter().filter_map(|record| match &record.rdata {
        RData::TXT(text) if service_type(&record.name).is_some() => Some(text),
        _ => None,
    });
    for (attribute, value) in texts.flat_map(identity).take(MOST_FACTS) {
        facts.of_sender(attribute, &value);
    }
}

/// The kind of service that this record announces.
fn announced(record: &ResourceRecord<'_>) -> Option<String> {
    let RData::PTR(pointer) = &record.rdata else { return None };
    let owner = service_type(&record.name)?;
    // The list of all kinds of service (RFC 6763, 9) points to kinds instead of instances.
    if owner == "_dns-sd._udp" { service_type(&pointer.0) } else { Some(owner) }
}

/// `_ipp._tcp` of `Some Printer._ipp._tcp.local` or of `_universal._sub._ipp._tcp.local`.
fn service_type(name: &Name<'_>) -> Option<String> {
    let [.., service, transport, domain] = name.get_labels() else { return None };
    let (service, transport) = (service.as_ref(), transport.as_ref());
    let fits = domain.as_ref().eq_ignore_ascii_case(b"local")
        && service.starts_with(b"_")
        && (transport.eq_ignore_ascii_case(b"_tcp") || transport.eq_ignore_ascii_case(b"_udp"));
    let text = |label| str::from_utf8(label).ok().map(str::to_ascii_lowercase);
    if fits { Some(format!("{}.{}", text(service)?, text(transport)?)) } else { None }
}

/// What the well-known keys of a text record say. `product` stands in parentheses.
fn identity(text: &TXT<'_>) -> Vec<(Attribute, String)> {
    let pairs = text.iter_raw().filter_map(|(key, value)| {
        let (_, attribute) = TEXT_KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key))?;
        let value = str::from_utf8(value?).ok()?;
        let bare = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'));
        Some((*attribute, bare.unwrap_or(value).to_owned()))
    });
    pairs.collect()
}
