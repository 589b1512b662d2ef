//! BACnet/IP (ASHRAE 135, annex J): devices announce themselves, and tell the rest when they are asked.
//!
//! The address that a datagram comes from is often not that of the device that speaks: a broadcast management device
//! forwards for others, whose address stands in the message, and a router speaks for devices on other networks, which
//! are third devices known by network and address there.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::application::Pdu;
use self::device::Fact;
use self::link::Link;
use self::network::Content;
use self::segments::Segments;
use self::tag::Tags;
use crate::scope::is_unicast;
use crate::{Address, Candidate, Dissector, Facts, Input, Progress};

mod application;
mod device;
mod link;
mod network;
mod segments;
mod tag;

/// BACnet/IP on any UDP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Bacnet, probe: link::probe, start: || Box::new(Bacnet::default()) };

/// BVLC-Result: successful.
const SUCCESS: u16 = 0;

/// Datagrams between two addresses.
#[derive(Debug, Default)]
struct Bacnet {
    segments: Segments,
    /// For each side, whether it asked the other to be registered as a foreign device and was not answered yet.
    registering: [bool; 2],
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Speaker {
    Sender,
    /// The device at this address; the sender forwards for it.
    Origin(Address),
    /// A device on another network; the sender is its router, or forwards for that.
    Behind(String),
}

impl Dissector for Bacnet {
    fn protocol(&self) -> Protocol {
        Protocol::Bacnet
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        // A datagram of something else on the same ports says nothing about the next one.
        if let Some(link) = link::link(input.bytes) {
            self.link(link, input, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl Bacnet {
    fn link(&mut self, link: Link<'_>, input: &Input<'_>, facts: &mut Facts<'_>) {
        let [mine, others] = match input.direction.index() {
            0 => [0, 1],
            _ => [1, 0],
        };
        match link {
            Link::Network(npdu) => self.network(npdu, &Speaker::Sender, facts),
            Link::Forwarded(origin, npdu) => {
                facts.of_sender(Attribute::Role, "bbmd");
                if origin.ip.is_some_and(is_unicast) {
                    self.network(npdu, &Speaker::Origin(origin), facts);
                }
            }
            Link::RegisterForeignDevice => {
                facts.of_sender(Attribute::Role, "bacnet-foreign-device");
                self.registering.get_mut(mine).into_iter().for_each(|waits| *waits = true);
            }
            Link::Result(code) => {
                let asked = self.registering.get_mut(others).map(std::mem::take);
                if asked == Some(true) && code == SUCCESS {
                    facts.of_sender(Attribute::Role, "bbmd");
                }
            }
            Link::Table => facts.of_sender(Attribute::Role, "bbmd"),
            Link::Other => {}
        }
    }

    fn network(&mut self, npdu: &[u8], through: &Speaker, facts: &mut Facts<'_>) {
        let Some(message) = network::message(npdu) else { return };
        let speaker = match message.source {
            Some(source) => {
                through.state((Attribute::Role, "bacnet-router".to_owned()), facts);
                Speaker::Behind(source.key())
            }
            None => through.clone(),
        };
        match message.content {
            Content::Application(apdu) => self.application(apdu, &speaker, facts),
            Content::RouterAnnouncement => {
                speaker.state((Attribute::Role, "bacnet-router".to_owned()), facts);
            }
            Content::Routing => {}
        }
    }

    fn application(&mut self, apdu: &[u8], speaker: &Speaker, facts: &mut Facts<'_>) {
        let Some(pdu) = application::pdu(apdu) else { return };
        let (service, parameters) = match pdu {
            Pdu::ConfirmedRequest { service, parameters } => {
                speaker.state((Attribute::Role, "bacnet-client".to_owned()), facts);
                if application::has_password(service, parameters) {
                    speaker.state((Attribute::CleartextCredential, "bacnet-password".to_owned()), facts);
                }
                return;
            }
            Pdu::UnconfirmedRequest { service, parameters } => {
                let said = match service {
                    application::I_AM => device::i_am(Tags(parameters)).map(Vec::from).unwrap_or_default(),
                    application::I_HAVE => device::i_have(Tags(parameters)),
                    application::WHO_AM_I => device::who_am_i(Tags(parameters)),
                    _ => Vec::new(),
                };
                return speaker.state_device(said, facts);
            }
            Pdu::Answer { service, parameters } => (service, parameters),
            Pdu::Segment { invoke, sequence, has_more, service, parameters } => {
                let name = (speaker.name(), invoke);
                if let Some(whole) = self.segments.take(name, sequence, has_more, parameters) {
                    speaker.state_device(answer(service, &whole), facts);
                }
                return;
            }
            Pdu::Other => return,
        };
        speaker.state_device(answer(service, parameters), facts);
    }
}

/// What an answer says about the device that gives it.
fn answer(service: u8, parameters: &[u8]) -> Vec<Fact> {
    match service {
        application::READ_PROPERTY => device::read_property(Tags(parameters)),
        application::READ_PROPERTY_MULTIPLE => device::read_property_multiple(Tags(parameters)),
        _ => Vec::new(),
    }
}

impl Speaker {
    fn state(&self, (attribute, value): Fact, facts: &mut Facts<'_>) {
        match self {
            Self::Sender => facts.of_sender(attribute, &value),
            Self::Origin(address) => facts.of_address(*address, attribute, &value),
            Self::Behind(key) => facts.of_third(key, attribute, &value),
        }
    }

    /// States facts of a device, if there are any: then it is one.
    fn state_device(&self, said: Vec<Fact>, facts: &mut Facts<'_>) {
        if said.is_empty() {
            return;
        }
        if let Self::Origin(Address { ip: Some(ip), .. }) = self {
            self.state((Attribute::IpAddress, ip.to_string()), facts);
        }
        self.state((Attribute::Role, "bacnet-device".to_owned()), facts);
        for fact in said {
            self.state(fact, facts);
        }
    }

    /// Tells answers of different devices with the same invoke id apart.
    fn name(&self) -> String {
        match self {
            Self::Sender => String::new(),
            Self::Origin(address) => format!("{address:?}"),
            Self::Behind(key) => key.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
