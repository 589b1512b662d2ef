//! What kind of conversation a flow is, seen from one device: protocol, transport, direction, how far the peer is and
//! the port. No address is in it.

use std::fmt;
use std::net::IpAddr;

use wardwatch_proto::address;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Endpoint, Flow, Protocol};

/// Ports from here on are drawn by clients (RFC 6056, and what Linux does), and tell nothing unless a connection was
/// opened to them.
const DRAWN: u16 = 32_768;

/// Ports of registered services that both ends have by their standards (mDNS, SSDP), beside those below 1024.
const BOTH_ENDS: [u16; 2] = [5353, 1900];

/// A kind of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) protocol: Protocol,
    ip_protocol: u8,
    is_v6: bool,
    /// Whether the device opened it.
    pub(super) is_opened: bool,
    peer: Peer,
    port: Port,
}

/// How far away the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Peer {
    /// No IP address is known.
    Link,
    /// All that listen (broadcast).
    All,
    /// A multicast group.
    Group,
    /// An address of a private network.
    Site,
    Internet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Port {
    None,
    /// Of ICMP.
    Type(u16),
    Responder(u16),
    /// A registered service's, at both ends.
    Both(u16),
    /// Another one that both ends have.
    Shared,
    Drawn,
}

impl Kind {
    /// Of a flow that the device opened, or that was opened to it.
    pub(super) fn of(flow: &Flow, is_opened: bool, protocol: Protocol) -> Self {
        let end = |end: Option<&Endpoint>| end.cloned().unwrap_or_default();
        let (initiator, responder) = (end(flow.initiator.as_ref()), end(flow.responder.as_ref()));
        let ip_protocol = u8::try_from(flow.ip_protocol).unwrap_or(u8::MAX);
        Self {
            protocol,
            ip_protocol,
            is_v6: initiator.ip.len() == 16,
            is_opened,
            peer: Peer::of(if is_opened { &responder } else { &initiator }),
            port: match Port::of(ip_protocol, number(&initiator), number(&responder)) {
                Port::Drawn if flow.ip_protocol == 6 && !flow.initiator_guessed => {
                    Port::Responder(number(&responder))
                }
                port => port,
            },
        }
    }

    /// The port that both ends have, where no standard says so.
    pub(super) fn shared_port(flow: &Flow) -> Option<u16> {
        let end = |end: Option<&Endpoint>| end.map(number).unwrap_or_default();
        let (initiator, responder) = (end(flow.initiator.as_ref()), end(flow.responder.as_ref()));
        let is_shared =
            matches!(flow.ip_protocol, 6 | 17) && Port::of(17, initiator, responder) == Port::Shared;
        is_shared.then_some(responder)
    }
}

fn number(end: &Endpoint) -> u16 {
    u16::try_from(end.port).unwrap_or_default()
}

impl Peer {
    fn of(end: &Endpoint) -> Self {
        if end.mac == [0xff; 6] {
            return Self::All;
        }
        match address::ip(&end.ip) {
            None => Self::Link,
            Some(IpAddr::V4(v4)) if v4.is_broadcast() => Self::All,
            Some(ip) if ip.is_multicast() => Self::Group,
            Some(ip) if is_private(ip) => Self::Site,
            Some(_) => Self::Internet,
        }
    }
}

/// RFC 1918, 3927, 4193, 4291 and 6598.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unique_local() || v6.is_unspecified(),
    }
}

impl Port {
    fn of(ip_protocol: u8, initiator: u16, responder: u16) -> Self {
        match (ip_protocol, responder) {
            (1 | 58, _) => Self::Type(initiator),
            (_, 0) => Self::None,
            (_, port) if port == initiator && (port < 1024 || BOTH_ENDS.contains(&port)) => Self::Both(port),
            (_, port) if port == initiator => Self::Shared,
            (_, port) if port < DRAWN => Self::Responder(port),
            _ => Self::Drawn,
        }
    }
}

impl fmt::Display for Kind {
    /// `http/tcp to internet :80`.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.protocol.name();
        to.write_str(if name.is_empty() { "other" } else { name })?;
        match self.ip_protocol {
            1 => to.write_str("/icmp")?,
            2 => to.write_str("/igmp")?,
            6 => to.write_str("/tcp")?,
            17 => to.write_str("/udp")?,
            58 => to.write_str("/icmpv6")?,
            other => write!(to, "/{other}")?,
        }
        if self.is_v6 && self.ip_protocol != 58 {
            to.write_str(" on ipv6")?;
        }
        to.write_str(if self.is_opened { " to " } else { " from " })?;
        to.write_str(match self.peer {
            Peer::Link => "link",
            Peer::All => "all",
            Peer::Group => "group",
            Peer::Site => "site",
            Peer::Internet => "internet",
        })?;
        match self.port {
            Port::None => Ok(()),
            Port::Type(number) => write!(to, " type {number}"),
            Port::Responder(port) => write!(to, " :{port}"),
            Port::Both(port) => write!(to, " :{port} at both ends"),
            Port::Shared => to.write_str(" :same at both ends"),
            Port::Drawn => to.write_str(" :high"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(ip_protocol: u32, from: (&str, u32), to: (&str, u32)) -> Flow {
        let end = |(ip, port): (&str, u32)| {
            let ip = address::ip_bytes(ip.parse().expect("a literal address"));
            Some(Endpoint { mac: Vec::new(), ip, port })
        };
        Flow { ip_protocol, initiator: end(from), responder: end(to), ..Flow::default() }
    }

    #[test]
    fn a_kind_says_how_far_and_on_which_port_and_no_address() {
        let text = |flow: &Flow, is_opened, protocol| Kind::of(flow, is_opened, protocol).to_string();
        let web = flow(6, ("10.0.0.7", 49_152), ("203.0.113.9", 80));
        assert_eq!(text(&web, true, Protocol::Http), "http/tcp to internet :80");
        let served = flow(6, ("10.0.0.9", 34_382), ("10.0.0.7", 10_000));
        assert_eq!(text(&served, false, Protocol::Http), "http/tcp from site :10000");
        let group = flow(17, ("10.0.0.7", 5353), ("224.0.0.251", 5353));
        assert_eq!(text(&group, true, Protocol::Mdns), "mdns/udp to group :5353 at both ends");
        let router = flow(58, ("fe80::1", 133), ("ff02::2", 134));
        assert_eq!(text(&router, true, Protocol::Icmpv6), "icmpv6/icmpv6 to group type 133");
        let drawn = flow(17, ("10.0.0.7", 20_560), ("10.0.0.9", 38_807));
        assert_eq!(text(&drawn, true, Protocol::Unspecified), "other/udp to site :high");
    }

    #[test]
    fn a_high_port_counts_where_a_connection_was_seen_to_be_opened_to_it() {
        let cloud = flow(6, ("10.0.0.7", 50_000), ("203.0.113.9", 50_443));
        assert_eq!(Kind::of(&cloud, true, Protocol::Tls).to_string(), "tls/tcp to internet :50443");
        let joined = Flow { initiator_guessed: true, ..cloud };
        assert_eq!(Kind::of(&joined, true, Protocol::Tls).to_string(), "tls/tcp to internet :high");
    }

    #[test]
    fn a_port_that_both_ends_have_is_told_apart_from_a_services() {
        let own = flow(17, ("10.0.0.7", 21_918), ("255.255.255.255", 21_918));
        assert_eq!(
            Kind::of(&own, true, Protocol::Unspecified).to_string(),
            "other/udp to all :same at both ends"
        );
        assert_eq!(Kind::shared_port(&own), Some(21_918));
        assert_eq!(Kind::shared_port(&flow(17, ("10.0.0.7", 123), ("10.0.0.1", 123))), None);
        assert_eq!(Kind::shared_port(&flow(1, ("10.0.0.7", 8), ("10.0.0.1", 8))), None);
    }
}
