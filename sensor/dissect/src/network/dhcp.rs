//! DHCP for IPv4 (RFC 2131) with its options (RFC 2132; 3046 for what relays add, 3925 for vendor classes with an enterprise,
//! 4361 for identifiers, 4702 for the client's full name, 8520 for manufacturer usage descriptions); BOOTP (RFC 951) is
//! recognised with it.
//!
//! A client is known by its hardware address `chaddr`, never by the packet's source: that is 0.0.0.0 while the client
//! has no address, and a relay's behind a relay. What a client asks for, in which order, tells systems apart. A
//! server's acknowledgement binds an address to a client, and names the routers and name servers of the subnet.

use std::net::Ipv4Addr;

use dhcproto::v4::MessageType;
use dhcproto::v4::borrowed::{DhcpOption, Message};
use dhcproto::v4::{MAGIC, OptionCode};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::duid::Duid;
use crate::octets::{be32, part};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress, scope};

mod client_name;
mod relay;

/// DHCP on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Dhcp, probe, start: || Box::new(Dhcp) };

/// Options that dhcproto has no name for.
const VENDOR_CLASS: u8 = 124;
const MUD_URL: u8 = 161;

/// Routers and name servers that are believed of one message, each.
const MOST_SERVERS: usize = 8;

fn probe(input: &Input<'_>) -> Probe {
    if message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// The message, when its fixed part is that of DHCP or BOOTP.
fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let (head, _) = bytes.split_first_chunk::<4>()?;
    let [operation, _link, address_length, hops] = *head;
    let shaped = matches!(operation, 1 | 2) && address_length <= 16 && hops <= 16;
    let marked = bytes.get(236..240) == Some(MAGIC.as_slice());
    if shaped && marked { Message::new(bytes).ok() } else { None }
}

struct Dhcp;

impl Dissector for Dhcp {
    fn protocol(&self) -> Protocol {
        Protocol::Dhcp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(message) = message(input.bytes)
            // Clients on other links (InfiniBand) have nothing that could be put on a device here; and a query for
            // a lease by its address names no client (RFC 4388).
            && let Ok(mac) = <[u8; 6]>::try_from(message.chaddr())
            && mac != [0; 6]
        {
            let client = Address { mac: Some(mac), ..Address::default() };
            let options: Vec<_> = message.opts().collect();
            if scope::is_unicast(message.giaddr().into()) {
                facts.of_address(at(message.giaddr()), Attribute::Role, "dhcp-relay");
            }
            match kind(&options) {
                Some(
                    kind @ (MessageType::Discover
                    | MessageType::Request
                    | MessageType::Inform
                    | MessageType::Decline
                    | MessageType::Release),
                ) => of_client(kind, message.ciaddr(), client, &options, facts),
                Some(kind @ (MessageType::Offer | MessageType::Ack)) => {
                    of_server(input, &options, facts);
                    if kind == MessageType::Ack {
                        of_lease(&message, client, &options, facts);
                    }
                }
                // Asked by an access concentrator, the server tells whose lease it is (RFC 4388, 6.4).
                Some(MessageType::LeaseActive) => {
                    of_server(input, &options, facts);
                    of_lease(&message, client, &options, facts);
                }
                _ => {}
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn kind(options: &[DhcpOption<'_>]) -> Option<MessageType> {
    match option(options, OptionCode::MessageType)? {
        [kind] => Some(MessageType::from(*kind)),
        _ => None,
    }
}

fn option<'a>(options: &'a [DhcpOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    options.iter().find(|option| option.code() == code).map(DhcpOption::data)
}

/// What a client says of itself.
fn of_client(
    kind: MessageType,
    current: Ipv4Addr,
    mut client: Address,
    options: &[DhcpOption<'_>],
    facts: &mut Facts<'_>,
) {
    // An address that is being given back, or was found to be taken, is not the client's.
    let holds = matches!(kind, MessageType::Request | MessageType::Inform);
    if holds && scope::is_unicast(current.into()) {
        client.ip = Some(current.into());
        facts.of_address(client, Attribute::IpAddress, &current.to_string());
    }
    facts.of_address(client, Attribute::Role, "dhcp-client");
    if let Some(wanted) = option(options, OptionCode::ParameterRequestList) {
        facts.of_address(client, Attribute::DhcpParameterList, &list(wanted));
    }
    if let Some(Ok(class)) = option(options, OptionCode::ClassIdentifier).map(str::from_utf8) {
        facts.of_address(client, Attribute::DhcpVendorClass, class);
    }
    // Enterprise, length, text; the first is the kind of device (RFC 3925, 3).
    if let Some(class) = option(options, OptionCode::from(VENDOR_CLASS))
        && let (Some(enterprise), Some(length)) = (be32(class, 0), class.get(4))
    {
        facts.of_address(client, Attribute::EnterpriseNumber, &enterprise.to_string());
        if let Some(Ok(class)) = part(class, 5, usize::from(*length)).map(str::from_utf8) {
            facts.of_address(client, Attribute::DhcpVendorClass, class);
        }
    }
    if let Some(duid) = option(options, OptionCode::ClientIdentifier).and_then(Duid::of_client_identifier) {
        facts.of_address(client, Attribute::DhcpDuid, &duid.text());
    }
    if let Some(Ok(url)) = option(options, OptionCode::from(MUD_URL)).map(str::from_utf8) {
        facts.of_address(client, Attribute::MudUrl, url);
    }
    attachment(client, options, facts);
    name(client, options, facts);
}

/// Where the client hangs, as a relay agent has seen it.
fn attachment(client: Address, options: &[DhcpOption<'_>], facts: &mut Facts<'_>) {
    let Some(agent) = option(options, OptionCode::RelayAgentInformation).map(relay::agent) else { return };
    if let Some(port) = agent.port {
        facts.of_address(client, Attribute::AttachedPort, &port);
    }
    if let Some(mac) = agent.mac.filter(|mac| scope::is_one_device(*mac)) {
        let agent = Address { mac: Some(mac), ..Address::default() };
        facts.of_address(agent, Attribute::Role, "dhcp-relay");
    }
}

/// What a server says of the client that it gives an address to, or confirms one.
fn of_lease(message: &Message<'_>, mut client: Address, options: &[DhcpOption<'_>], facts: &mut Facts<'_>) {
    // An answer to INFORM assigns nothing and repeats what the client has.
    let given = [message.yiaddr(), message.ciaddr()].into_iter().find(|ip| scope::is_unicast((*ip).into()));
    let Some(given) = given else { return };
    client.ip = Some(given.into());
    facts.of_address(client, Attribute::IpAddress, &given.to_string());
    attachment(client, options, facts);
    name(client, options, facts);
}

/// Who the server is, and which routers and name servers it tells of.
fn of_server(input: &Input<'_>, options: &[DhcpOption<'_>], facts: &mut Facts<'_>) {
    let server = addresses(option(options, OptionCode::ServerIdentifier)).next();
    match server {
        Some(server) if input.sender.ip != Some(server.into()) => {
            // A relay passed it on.
            facts.of_address(at(server), Attribute::Role, "dhcp-server");
        }
        _ => facts.of_sender(Attribute::Role, "dhcp-server"),
    }
    for router in addresses(option(options, OptionCode::Router)) {
        facts.of_address(at(router), Attribute::Role, "router");
    }
    for server in addresses(option(options, OptionCode::DomainNameServer)) {
        // A resolver on the internet is nobody's device here.
        if scope::is_private(server.into()) {
            facts.of_address(at(server), Attribute::Role, "dns-server");
        }
    }
}

fn name(client: Address, options: &[DhcpOption<'_>], facts: &mut Facts<'_>) {
    if let Some(Ok(name)) = option(options, OptionCode::Hostname).map(str::from_utf8) {
        facts.of_address(client, Attribute::HostName, name);
    }
    if let Some(name) = option(options, OptionCode::ClientFQDN).and_then(client_name::full_name) {
        facts.of_address(client, Attribute::HostName, &name);
    }
}

fn list(codes: &[u8]) -> String {
    codes.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

fn addresses(option: Option<&[u8]>) -> impl Iterator<Item = Ipv4Addr> {
    let (whole, _) = option.unwrap_or_default().as_chunks::<4>();
    let addresses = whole.iter().take(MOST_SERVERS).map(|octets| Ipv4Addr::from(*octets));
    addresses.filter(|address| scope::is_unicast((*address).into()))
}

fn at(ip: Ipv4Addr) -> Address {
    Address { mac: None, ip: Some(ip.into()), port: 0 }
}

#[cfg(test)]
mod tests;
