//! Community ID version 1: one name for a flow in every tool that computes it.
//!
//! The base64 of a SHA-1 over seed, addresses, protocol and ports, the lesser endpoint first, so that both directions
//! agree (specification: corelight/community-id-spec). The seed is 0.

use std::{fmt, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::packet::protocol;

/// A Community ID; `Display` gives its usual form, `1:` and the digest in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommunityId(pub [u8; 20]);

impl CommunityId {
    /// The identifier of a flow between two endpoints, in either order.
    ///
    /// For ICMP the "ports" are type and code, as [`icmp_ports`] gives them. Protocols without ports take 0.
    pub fn new(ip_protocol: u8, source: (IpAddr, u16), destination: (IpAddr, u16)) -> Self {
        const SEED: [u8; 2] = [0, 0];
        let one_way = is_icmp(ip_protocol) && icmp_counterpart(ip_protocol, source.1).is_none();
        let (first, second) =
            if one_way || source <= destination { (source, destination) } else { (destination, source) };
        let mut digest = Sha1::new();
        digest.update(SEED);
        for (address, _) in [first, second] {
            match address {
                IpAddr::V4(address) => digest.update(address.octets()),
                IpAddr::V6(address) => digest.update(address.octets()),
            }
        }
        digest.update([ip_protocol, 0]);
        if has_ports(ip_protocol) {
            digest.update(first.1.to_be_bytes());
            digest.update(second.1.to_be_bytes());
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Display for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 28];
        let length = STANDARD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        write!(f, "1:{}", text.ok_or(fmt::Error)?)
    }
}

const fn is_icmp(ip_protocol: u8) -> bool {
    matches!(ip_protocol, protocol::ICMP | protocol::ICMPV6)
}

const fn has_ports(ip_protocol: u8) -> bool {
    is_icmp(ip_protocol) || matches!(ip_protocol, protocol::TCP | protocol::UDP | protocol::SCTP)
}

/// What stands for the ports of an ICMP message, for its sender and its receiver: the type and the type that answers
/// it; for types that have no counterpart, type and code. The flag tells such one-way messages.
pub fn icmp_ports(ip_protocol: u8, kind: u8, code: u8) -> (u16, u16, bool) {
    match icmp_counterpart(ip_protocol, u16::from(kind)) {
        Some(counterpart) => (u16::from(kind), counterpart, false),
        None => (u16::from(kind), u16::from(code), true),
    }
}

/// The type that answers an ICMP type, or that it answers.
fn icmp_counterpart(ip_protocol: u8, kind: u16) -> Option<u16> {
    let counterpart = match (ip_protocol, kind) {
        // Echo, RFC 792.
        (protocol::ICMP, 8) => 0,
        (protocol::ICMP, 0) => 8,
        // Timestamp and information, RFC 792.
        (protocol::ICMP, 13) => 14,
        (protocol::ICMP, 14) => 13,
        (protocol::ICMP, 15) => 16,
        (protocol::ICMP, 16) => 15,
        // Router solicitation and advertisement, RFC 1256.
        (protocol::ICMP, 10) => 9,
        (protocol::ICMP, 9) => 10,
        // Address mask, RFC 950.
        (protocol::ICMP, 17) => 18,
        (protocol::ICMP, 18) => 17,
        // Echo, RFC 4443.
        (protocol::ICMPV6, 128) => 129,
        (protocol::ICMPV6, 129) => 128,
        // Multicast listener query and report, RFC 2710.
        (protocol::ICMPV6, 130) => 131,
        (protocol::ICMPV6, 131) => 130,
        // Router and neighbour discovery, RFC 4861.
        (protocol::ICMPV6, 133) => 134,
        (protocol::ICMPV6, 134) => 133,
        (protocol::ICMPV6, 135) => 136,
        (protocol::ICMPV6, 136) => 135,
        // Node information, RFC 4620.
        (protocol::ICMPV6, 139) => 140,
        (protocol::ICMPV6, 140) => 139,
        // Home agent address discovery, RFC 6275.
        (protocol::ICMPV6, 144) => 145,
        (protocol::ICMPV6, 145) => 144,
        _ => return None,
    };
    Some(counterpart)
}
