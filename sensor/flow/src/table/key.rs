//! The key of a flow: the 5-tuple, the same for both directions.
//!
//! VLAN tags are no part of it: a mirror port often shows one direction tagged and the other not, and routed copies of
//! one conversation carry different tags. Zeek and Wireshark leave them out as well.
//!
//! Whether a flow is inside a tunnel is part of it; inside which, the table compares for these few apart, so that the key
//! stays within its cache line (see [`super::encapsulations`]).

use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
};

use crate::{
    community_id::icmp_ports,
    packet::{Ip, Transport},
};

/// One of the two endpoints in the key's own order, which has nothing to do with who initiated the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The first endpoint: the lesser one, or the sender of a one-way message.
    First,
    /// The second endpoint.
    Second,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// 38 bytes that name a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Key {
    /// IPv4 addresses stand in the form ::ffff:a.b.c.d; [`form::V6`] keeps them apart from real ones.
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    pub(super) protocol: u8,
    form: u8,
}

/// Bits of `Key::form`.
mod form {
    pub(super) const V6: u8 = 1;
    pub(super) const TUNNELLED: u8 = 1 << 1;
}

impl Hash for Key {
    /// Five words instead of byte slices with their lengths: this runs for each packet.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in self.addresses {
            let address = u128::from_ne_bytes(address);
            state.write_u64(address as u64);
            state.write_u64((address >> 64) as u64);
        }
        let [first, second] = self.ports.map(u64::from);
        let rest = u64::from(self.protocol) << 2 | u64::from(self.form);
        state.write_u64(rest << 32 | first << 16 | second);
    }
}

impl Key {
    /// The key of a packet, and which of its endpoints sent it; `is_tunnelled` where a tunnel keeps its flow apart.
    pub(super) fn of(ip: &Ip, transport: &Transport<'_>, is_tunnelled: bool) -> (Self, Side) {
        let (source_port, destination_port, one_way) = if let Transport::Icmp { kind, code, .. } = *transport
        {
            icmp_ports(ip.protocol, kind, code)
        } else {
            let (source, destination) = transport.ports().unwrap_or_default();
            (source, destination, false)
        };
        let mut form = if ip.source.is_ipv6() { form::V6 } else { 0 };
        if is_tunnelled {
            form |= form::TUNNELLED;
        }
        let source = (octets(ip.source), source_port);
        let destination = (octets(ip.destination), destination_port);
        let side = if one_way || source <= destination { Side::First } else { Side::Second };
        let (first, second) = match side {
            Side::First => (source, destination),
            Side::Second => (destination, source),
        };
        let key =
            Self { addresses: [first.0, second.0], ports: [first.1, second.1], protocol: ip.protocol, form };
        (key, side)
    }

    pub(super) const fn is_tunnelled(&self) -> bool {
        self.form & form::TUNNELLED != 0
    }

    /// Address and port of one endpoint.
    pub(super) fn endpoint(&self, side: Side) -> (IpAddr, u16) {
        let [first, second] = self.addresses;
        let (octets, port) = match side {
            Side::First => (first, self.ports[0]),
            Side::Second => (second, self.ports[1]),
        };
        let address = Ipv6Addr::from(octets);
        let address = match address.to_ipv4_mapped() {
            Some(v4) if self.form & form::V6 == 0 => IpAddr::V4(v4),
            _ => IpAddr::V6(address),
        };
        (address, port)
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
