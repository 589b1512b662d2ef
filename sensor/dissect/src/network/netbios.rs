//! NetBIOS over UDP (RFC 1001, 1002): the name service, and the datagram service with what browsers announce ([MS-BRWS]).
//!
//! Hosts register and defend names of their own, and tell all of them when they are asked for their status: the host's name,
//! its domain or workgroup, and by their last octet which services it has. Announcements add the version of Windows. Never
//! stated: names of users, which are registered for messages to them, and the comment of a host, which people write.
//!
//! Who is asked for need not exist. A name server answers for others, and a relay of datagrams sends what others said.

use wardwatch_proto::v1::{Attribute, Protocol};

pub(crate) use self::name::Name;
use self::name::Names;
use crate::scope::{hardware_address, is_private, is_unicast};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress};

mod browser;
mod datagram;
mod name;
mod service;

/// The name service on UDP.
pub(crate) const NAME_SERVICE: Candidate =
    Candidate { protocol: Protocol::NetbiosNs, probe: probe_names, start: || Box::new(NameService) };

/// The datagram service on UDP.
pub(crate) const DATAGRAM_SERVICE: Candidate =
    Candidate { protocol: Protocol::NetbiosDgm, probe: probe_datagrams, start: || Box::new(DatagramService) };

fn probe_names(input: &Input<'_>) -> Probe {
    if service::message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

fn probe_datagrams(input: &Input<'_>) -> Probe {
    if datagram::datagram(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

struct NameService;

impl Dissector for NameService {
    fn protocol(&self) -> Protocol {
        Protocol::NetbiosNs
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(message) = service::message(input.bytes) {
            let sender = input.sender.ip;
            match message.told {
                service::Told::Nothing => {}
                // A name is registered for an address that the sender has.
                service::Told::Claim { address, is_group } => {
                    if sender == Some(address.into()) {
                        state(&message.name, is_group, None, facts);
                    }
                }
                service::Told::Addresses(addresses) => {
                    let is_own = addresses.clone().any(|(_, address)| sender == Some(address.into()));
                    let (is_group, address) = addresses.clone().next().unwrap_or((true, [0; 4].into()));
                    if is_own {
                        state(&message.name, is_group, None, facts);
                    } else if message.is_of_server && is_private(address.into()) {
                        facts.of_sender(Attribute::Role, "wins-server");
                        if !is_group {
                            let at = Address { ip: Some(address.into()), ..Address::default() };
                            state(&message.name, is_group, Some(at), facts);
                        }
                    }
                }
                service::Told::Status { names, unit } => {
                    for (name, is_group) in names {
                        state(&name, is_group, None, facts);
                    }
                    if let Some(mac) = hardware_address(unit) {
                        facts.of_sender(Attribute::MacAddress, &mac);
                    }
                }
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

struct DatagramService;

impl Dissector for DatagramService {
    fn protocol(&self) -> Protocol {
        Protocol::NetbiosDgm
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(datagram) = datagram::datagram(input.bytes) {
            let source = datagram.source;
            let is_other = is_unicast(source.into()) && input.sender.ip != Some(source.into());
            let of = is_other.then(|| Address { ip: Some(source.into()), ..Address::default() });
            let Names { from, to } = datagram.names;
            if from.is_of_host() {
                state_of(of, Attribute::HostName, &from.text(), facts);
            }
            for (attribute, value) in browser::announced(datagram.data, &to) {
                state_of(of, attribute, &value, facts);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// What holding a name says about who holds it.
fn state(name: &Name, is_group: bool, of: Option<Address>, facts: &mut Facts<'_>) {
    for (attribute, value) in name.facts(is_group) {
        state_of(of, attribute, &value, facts);
    }
}

fn state_of(of: Option<Address>, attribute: Attribute, value: &str, facts: &mut Facts<'_>) {
    match of {
        None => facts.of_sender(attribute, value),
        Some(address) => facts.of_address(address, attribute, value),
    }
}

#[cfg(test)]
mod tests;
