//! WS-Discovery over UDP (OASIS WS-Discovery 1.1; the draft of 2005/04, which ONVIF cameras and printers speak), as
//! medical devices use it (ISO/IEEE 11073-20702, 11073-20701 for the location).
//!
//! Announcements go to a group on port 3702, but the answers to a search, which tell most, go between two ephemeral
//! ports: the content decides. Repetitions of a message are the same statements once more.
//!
//! A target service is the device at the addresses that it lists, be they the sender's or not (a proxy answers for
//! others). Stated are its endpoint's UUID, its types, and of its scopes the ones that say where it stands and what
//! it is. Scopes of patients, operators and workflows are not read. Who searches is a client; what it searches for
//! need not exist.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::message::{Kind, Message, Target};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress, scope};

mod message;
mod scopes;

/// WS-Discovery on any UDP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::WsDiscovery, probe, start: || Box::new(WsDiscovery) };

/// Certain on an envelope that names one of the discovery namespaces.
fn probe(input: &Input<'_>) -> Probe {
    let has = |text: &str| input.bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let bytes = input.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input.bytes);
    let is_ours = bytes.trim_ascii_start().starts_with(b"<")
        && has("Envelope")
        && message::NAMESPACES.iter().any(|namespace| has(namespace));
    if is_ours { Probe::Certain } else { Probe::NotForUs }
}

struct WsDiscovery;

impl Dissector for WsDiscovery {
    fn protocol(&self) -> Protocol {
        Protocol::WsDiscovery
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(message) = Message::read(input.bytes) {
            match message.kind {
                Kind::Search => client(&message, facts),
                Kind::Answer => {
                    let is_alone = message.targets.len() == 1;
                    message.targets.iter().for_each(|target| state(target, is_alone, input, facts));
                }
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn client(message: &Message, facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "ws-discovery-client");
    if message.targets.iter().any(|target| target.is_medical) {
        facts.of_sender(Attribute::Role, "sdc-consumer");
    }
}

/// Whom a target's statements are about.
enum Whom {
    Sender,
    At(Address),
    Named(String),
}

fn state(target: &Target, is_alone: bool, input: &Input<'_>, facts: &mut Facts<'_>) {
    let uuid = uuid(&target.endpoint);
    let whom = whom(target, &uuid, is_alone, input);
    let mut say = |attribute, value: &str| match &whom {
        Whom::Sender => facts.of_sender(attribute, value),
        Whom::At(address) => facts.of_address(*address, attribute, value),
        Whom::Named(key) => facts.of_third(key, attribute, value),
    };
    say(Attribute::Role, "ws-discovery-target");
    if target.is_medical {
        say(Attribute::Role, "sdc-provider");
    }
    if !uuid.is_empty() {
        say(Attribute::EndpointUuid, &uuid);
    }
    for kind in &target.types {
        say(Attribute::WsDiscoveryType, kind);
    }
    for name in target.hosts().filter(is_name) {
        say(Attribute::HostName, name);
    }
    for (attribute, value) in target.scopes.iter().flat_map(|scope| scopes::read(scope)) {
        say(attribute, &value);
    }
}

/// The device at one of the addresses that the target lists: the sender where it is among them, or where a message
/// with one target lists none.
fn whom(target: &Target, uuid: &str, is_alone: bool, input: &Input<'_>) -> Whom {
    let addresses: Vec<_> = target.hosts().filter_map(|host| host.parse().ok()).collect();
    let own = input.sender.ip.is_some_and(|own| addresses.contains(&own));
    match addresses.iter().find(|address| scope::is_unicast(**address)) {
        _ if own => Whom::Sender,
        Some(address) => Whom::At(Address { ip: Some(*address), ..Address::default() }),
        None if is_alone => Whom::Sender,
        None => Whom::Named(Facts::third_key("endpoint", &[(Attribute::EndpointUuid, uuid)])),
    }
}

/// The UUID of an endpoint reference: `urn:uuid:...`, or `uuid:...` in the draft.
fn uuid(endpoint: &str) -> String {
    let folded = endpoint.to_ascii_lowercase();
    let bare = folded.strip_prefix("urn:").unwrap_or(&folded);
    bare.strip_prefix("uuid:").unwrap_or_default().to_owned()
}

/// Whether a host is a name: what has a letter and is no address.
fn is_name(host: &&str) -> bool {
    host.parse::<std::net::IpAddr>().is_err() && host.contains(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests;
