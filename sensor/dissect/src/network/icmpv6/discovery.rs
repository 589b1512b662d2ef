//! The messages of neighbour discovery (RFC 4861, 4) and their options (4.6; RFC 8106 for name servers).

use std::net::{IpAddr, Ipv6Addr};

use wardwatch_proto::v1::Attribute;

use crate::octets::{be16, piece};
use crate::{Address, Carrier, Facts, Input, scope};

const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;

const SOURCE_LINK_LAYER: u8 = 1;
const TARGET_LINK_LAYER: u8 = 2;
const NAME_SERVERS: u8 = 25;

/// Options that are read of one message, and name servers that are believed of one.
const MOST_OPTIONS: usize = 32;
const MOST_SERVERS: usize = 8;

/// A valid message.
pub(super) struct Message<'a> {
    kind: Kind,
    options: Vec<(u8, &'a [u8])>,
}

enum Kind {
    RouterSolicitation,
    RouterAdvertisement,
    NeighbourSolicitation,
    NeighbourAdvertisement { target: Ipv6Addr, is_router: bool },
    Redirect { target: Ipv6Addr, destination: Ipv6Addr },
}

impl<'a> Message<'a> {
    pub(super) fn of(input: &Input<'a>) -> Option<Self> {
        let Carrier::Icmpv6 { kind, code: 0, hop_limit: 255 } = input.carrier else { return None };
        let target =
            || piece::<16>(input.bytes, 4).map(Ipv6Addr::from).filter(|target| !target.is_multicast());
        let (kind, behind) = match kind {
            ROUTER_SOLICITATION => (Kind::RouterSolicitation, 4),
            ROUTER_ADVERTISEMENT if is_link_local(input.sender.ip) => (Kind::RouterAdvertisement, 12),
            NEIGHBOUR_SOLICITATION => {
                target()?;
                (Kind::NeighbourSolicitation, 20)
            }
            NEIGHBOUR_ADVERTISEMENT => {
                const IS_ROUTER: u8 = 0x80;
                let is_router = input.bytes.first()? & IS_ROUTER != 0;
                (Kind::NeighbourAdvertisement { target: target()?, is_router }, 20)
            }
            REDIRECT if is_link_local(input.sender.ip) => {
                let destination = piece::<16>(input.bytes, 20)?.into();
                (Kind::Redirect { target: target()?, destination }, 36)
            }
            _ => return None,
        };
        Some(Self { kind, options: options(input.bytes.get(behind..)?)? })
    }

    pub(super) fn state(&self, input: &Input<'_>, facts: &mut Facts<'_>) {
        match self.kind {
            Kind::RouterSolicitation | Kind::NeighbourSolicitation => {
                self.bind(input.sender.ip, SOURCE_LINK_LAYER, input, facts);
            }
            Kind::RouterAdvertisement => {
                self.bind(input.sender.ip, SOURCE_LINK_LAYER, input, facts);
                facts.of_sender(Attribute::Role, "router");
                for server in self.name_servers() {
                    facts.of_address(at(server), Attribute::Role, "dns-server");
                }
            }
            Kind::NeighbourAdvertisement { target, is_router } => {
                let owner = self.bind(Some(target.into()), TARGET_LINK_LAYER, input, facts);
                match owner {
                    _ if !is_router => {}
                    Owner::Sender => facts.of_sender(Attribute::Role, "router"),
                    Owner::Another(address) => facts.of_address(address, Attribute::Role, "router"),
                    Owner::Nobody => {}
                }
            }
            Kind::Redirect { target, destination } => {
                facts.of_sender(Attribute::Role, "router");
                // Where both are one, that one is a neighbour; else the better router (RFC 4861, 4.5).
                if target != destination && scope::is_unicast(target.into()) {
                    let router = Address { mac: self.link_layer(TARGET_LINK_LAYER), ..at(target) };
                    facts.of_address(router, Attribute::Role, "router");
                }
            }
        }
    }

    /// This address is at the hardware that the option names; without one, at the hardware that sent the frame, for
    /// nothing stands between (RFC 4861, 4.4).
    fn bind(&self, ip: Option<IpAddr>, option: u8, input: &Input<'_>, facts: &mut Facts<'_>) -> Owner {
        let Some(ip) = ip.filter(|ip| scope::is_unicast(*ip)) else { return Owner::Nobody };
        let mac = self.link_layer(option).or(input.sender.mac).filter(|mac| scope::is_one_device(*mac));
        if mac.is_none() || mac == input.sender.mac {
            facts.of_sender(Attribute::IpAddress, &ip.to_string());
            return Owner::Sender;
        }
        // A proxy, or somebody who speaks in another's name: the claim is about the hardware it names.
        let claimed = Address { mac, ip: Some(ip), port: 0 };
        facts.of_address(claimed, Attribute::IpAddress, &ip.to_string());
        Owner::Another(claimed)
    }

    fn link_layer(&self, kind: u8) -> Option<[u8; 6]> {
        let (_, address) = self.options.iter().find(|(option, _)| *option == kind)?;
        (*address).try_into().ok()
    }

    /// Two octets are reserved, four are a lifetime, in which 0 takes back what was said (RFC 8106, 5.1).
    fn name_servers(&self) -> impl Iterator<Item = Ipv6Addr> {
        let lists = self.options.iter().filter(|(kind, value)| {
            *kind == NAME_SERVERS && value.get(2..6).is_some_and(|lifetime| lifetime != [0; 4])
        });
        let servers = lists.flat_map(|(_, value)| value.get(6..).unwrap_or_default().as_chunks::<16>().0);
        let inside =
            servers.map(|octets| Ipv6Addr::from(*octets)).filter(|ip| scope::is_private((*ip).into()));
        inside.take(MOST_SERVERS)
    }
}

/// Whose address was bound.
enum Owner {
    Sender,
    Another(Address),
    Nobody,
}

fn at(ip: Ipv6Addr) -> Address {
    Address { mac: None, ip: Some(ip.into()), port: 0 }
}

/// fe80::/10: routers speak from nowhere else (RFC 4861, 6.1.2).
pub(super) fn is_link_local(ip: Option<IpAddr>) -> bool {
    matches!(ip, Some(IpAddr::V6(v6)) if v6.is_unicast_link_local())
}

/// Type, length in units of eight octets, value. A length of 0 spoils the message (RFC 4861, 4.6); an option that was
/// cut off is left.
fn options(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut options = Vec::new();
    while options.len() < MOST_OPTIONS
        && let Some(head) = be16(bytes, 0)
    {
        let [kind, units] = head.to_be_bytes();
        if units == 0 {
            return None;
        }
        let Some((option, rest)) = bytes.split_at_checked(usize::from(units) * 8) else { break };
        options.push((kind, option.get(2..).unwrap_or_default()));
        bytes = rest;
    }
    Some(options)
}
