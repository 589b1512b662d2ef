//! DHCP for IPv6 (RFC 8415), with the client's full name (RFC 4704), its link-layer address as a relay adds it (RFC 6939),
//! manufacturer usage descriptions (RFC 8520, 10) and the inventory of cable modems (CableLabs, CL-SP-CANN-DHCP-Reg).
//!
//! A client is known by its unique identifier (DUID), which belongs to the host and not to the interface: a MAC address
//! in it need not be that of the frame, and is not taken for it. Behind a relay the client is the one whose address
//! the relay names; where relays stand behind relays and that address was lost, it is known by the identifier alone.
//! What a client asks for, in which order, tells systems apart. A reply tells which addresses it may use.
//!
//! Not stated: subscribers (RFC 4580), remote identifiers (RFC 4649), which may hold a person's name or number.

use std::net::Ipv6Addr;

use wardwatch_proto::v1::{Attribute, Protocol};

use self::message::{Message, Option6, Outer};
use super::domain_name;
use super::duid::Duid;
use crate::octets::{be16, be32, part, piece};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress, scope};

mod message;

/// DHCP for IPv6 on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Dhcpv6, probe, start: || Box::new(Dhcpv6) };

/// Addresses and name servers that are believed of one message, each.
const MOST_ADDRESSES: usize = 8;

/// Clients and servers listen here (RFC 8415, 7.2).
const PORTS: [u16; 2] = [546, 547];

/// The enterprise number of CableLabs.
const CABLE_LABS: u32 = 4491;

/// Certain where all options fit and one is a valid identifier. A client may keep its identifier to itself when it only
/// asks for information (RFC 8415, 18.2.6); that little is believed on DHCP's ports only.
fn probe(input: &Input<'_>) -> Probe {
    let Some((outer, message)) = message::read(input.bytes) else { return Probe::NotForUs };
    let is_identified = [message::CLIENT, message::SERVER]
        .iter()
        .any(|code| message.option(*code).is_some_and(|value| Duid::of(value).is_some()));
    let is_on_port = PORTS.contains(&input.sender.port) || PORTS.contains(&input.receiver.port);
    let is_information =
        message.kind == message::INFORMATION_REQUEST && !message.is_empty() && outer.is_none();
    let is_certain =
        if is_identified { message.client_and_server_are_valid() } else { is_information && is_on_port };
    if is_certain { Probe::Certain } else { Probe::Unsure }
}

struct Dhcpv6;

/// Who the client is.
enum Client {
    Sender,
    Receiver,
    At(Address),
    /// By its identifier.
    Keyed(String),
    Unknown,
}

impl Client {
    fn state(&self, attribute: Attribute, value: &str, facts: &mut Facts<'_>) {
        match self {
            Self::Sender => facts.of_sender(attribute, value),
            Self::Receiver => facts.of_receiver(attribute, value),
            Self::At(address) => facts.of_address(*address, attribute, value),
            Self::Keyed(key) => facts.of_third(key, attribute, value),
            Self::Unknown => {}
        }
    }
}

impl Dissector for Dhcpv6 {
    fn protocol(&self) -> Protocol {
        Protocol::Dhcpv6
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        // A datagram of something else on the same ports says nothing about the next one.
        if let Some((outer, message)) = message::read(input.bytes) {
            match &outer {
                Some(relay) if relay.is_reply => facts.of_receiver(Attribute::Role, "dhcp-relay"),
                Some(_) => facts.of_sender(Attribute::Role, "dhcp-relay"),
                None => {}
            }
            if message.is_of_client() {
                of_client(&client(outer.as_ref(), Client::Sender, &message), &message, facts);
            } else {
                let receiver = input.receiver.ip.filter(|ip| scope::is_unicast(*ip));
                let direct = receiver.map_or(Client::Unknown, |_| Client::Receiver);
                if outer.is_none() {
                    // Behind a relay the server may be the one that sends this, or another relay.
                    of_server(&message, facts);
                }
                of_lease(&client(outer.as_ref(), direct, &message), &message, facts);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Whom the message is about: `direct` where no relay stands between.
fn client(outer: Option<&Outer>, direct: Client, message: &Message<'_>) -> Client {
    let Some(relay) = outer else { return direct };
    if relay.is_next_to_client && scope::is_unicast(relay.peer.into()) {
        return Client::At(Address { mac: relay.client_mac, ip: Some(relay.peer.into()), port: 0 });
    }
    let duid = message.option(message::CLIENT).and_then(Duid::of).map(|duid| duid.text()).unwrap_or_default();
    Client::Keyed(Facts::third_key("duid", &[(Attribute::DhcpDuid, &duid)]))
}

/// What a client says of itself.
fn of_client(client: &Client, message: &Message<'_>, facts: &mut Facts<'_>) {
    let mut state = |attribute, value: &str| client.state(attribute, value, facts);
    state(Attribute::Role, "dhcp-client");
    if let Some(duid) = message.option(message::CLIENT).and_then(Duid::of) {
        state(Attribute::DhcpDuid, &duid.text());
    }
    // Renew and Rebind tell what the client has; other messages what it would like, or what it gives back.
    if matches!(message.kind, message::RENEW | message::REBIND) {
        for address in leased(message) {
            state(Attribute::IpAddress, &address.to_string());
        }
    }
    for Option6 { code, value } in message.options() {
        match code {
            message::REQUESTED => {
                let codes: Vec<String> = value
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|code| u16::from_be_bytes(*code).to_string())
                    .collect();
                state(Attribute::Dhcpv6OptionList, &codes.join(","));
            }
            message::VENDOR_CLASS => {
                let Some(enterprise) = be32(value, 0) else { continue };
                state(Attribute::EnterpriseNumber, &enterprise.to_string());
                // Length and text, as often as the client likes; the first is the kind of device.
                let class = be16(value, 4).and_then(|length| part(value, 6, length.into()));
                if let Some(Ok(class)) = class.map(str::from_utf8) {
                    state(Attribute::DhcpVendorClass, class);
                }
            }
            message::VENDOR_OPTIONS if be32(value, 0) == Some(CABLE_LABS) => {
                for Option6 { code, value } in message::options(value.get(4..).unwrap_or_default()) {
                    let attribute = match code {
                        4 => Attribute::SerialNumber,
                        5 => Attribute::HardwareVersion,
                        6 => Attribute::SoftwareVersion,
                        9 => Attribute::Model,
                        10 => Attribute::Manufacturer,
                        _ => continue,
                    };
                    state(attribute, str::from_utf8(value).unwrap_or_default());
                }
            }
            message::MUD_URL => state(Attribute::MudUrl, str::from_utf8(value).unwrap_or_default()),
            _ => {}
        }
    }
    name(client, message, facts);
}

/// What a server confirms of the client: the addresses that it may use, and its name.
fn of_lease(client: &Client, message: &Message<'_>, facts: &mut Facts<'_>) {
    // An offer binds nothing, and a reply that refuses has a status.
    if message.kind != message::REPLY || message.is_refused() {
        return;
    }
    let mut is_bound = false;
    for address in leased(message) {
        is_bound = true;
        client.state(Attribute::IpAddress, &address.to_string(), facts);
    }
    if is_bound {
        name(client, message, facts);
    }
}

/// Who the server is, and which name servers it tells of.
fn of_server(message: &Message<'_>, facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "dhcp-server");
    if let Some(duid) = message.option(message::SERVER).and_then(Duid::of) {
        facts.of_sender(Attribute::DhcpDuid, &duid.text());
    }
    let servers = message.option(message::NAME_SERVERS).unwrap_or_default().as_chunks::<16>().0;
    for server in servers.iter().take(MOST_ADDRESSES).map(|octets| Ipv6Addr::from(*octets)) {
        // A resolver on the internet is nobody's device here.
        if scope::is_private(server.into()) {
            let server = Address { mac: None, ip: Some(server.into()), port: 0 };
            facts.of_address(server, Attribute::Role, "dns-server");
        }
    }
}

/// The addresses in the message's associations that are valid for some time (RFC 8415, 21.4 to 21.6).
fn leased(message: &Message<'_>) -> Vec<Ipv6Addr> {
    let associations = message.options().filter_map(|option| match option.code {
        // An identifier; for addresses that stay two times more.
        message::ADDRESSES => option.value.get(12..),
        message::TEMPORARY_ADDRESSES => option.value.get(4..),
        _ => None,
    });
    let addresses = associations.flat_map(message::options).filter(|option| option.code == message::ADDRESS);
    let valid = addresses.filter(|option| be32(option.value, 20).is_some_and(|seconds| seconds > 0));
    let valid = valid.filter_map(|option| piece::<16>(option.value, 0).map(Ipv6Addr::from));
    valid.filter(|ip| scope::is_unicast((*ip).into())).take(MOST_ADDRESSES).collect()
}

/// One octet of flags, and the name in the form of the DNS (RFC 4704, 4).
fn name(client: &Client, message: &Message<'_>, facts: &mut Facts<'_>) {
    let option = message.option(message::FULL_NAME).and_then(|value| value.get(1..));
    if let Some(name) = option.and_then(domain_name::canonical) {
        client.state(Attribute::HostName, &name, facts);
    }
}

#[cfg(test)]
mod tests;
