//! One frame's headers, read by hand: link, VLAN tags, IP, transport; and those of the packet inside, where it is a tunnel's.
//!
//! Nothing is copied: a [`Packet`] points into the frame. Lengths are kept twice where they differ: what the headers
//! say (`ip_length`, `payload_length`), and what was captured (`payload.len()`), since a capture may be cut at a snap
//! length. Checksums are never a reason to drop: locally sent traffic carries unfinished ones.

mod address;
mod detached;
mod inside;
mod ip;
mod link;
mod malformed;
mod transport;
mod tunnels;

use std::net::IpAddr;

pub use address::{Mac, VlanTag, Vlans};
pub use detached::Detached;
pub use inside::inside;
pub(crate) use ip::joined;
pub use malformed::Malformed;
pub use tunnels::{Tunnel, TunnelKind, Tunnels};

/// Numbers of the IP protocols this crate knows by name (IANA, "Assigned Internet Protocol Numbers").
pub mod protocol {
    /// Internet Control Message Protocol, RFC 792.
    pub const ICMP: u8 = 1;
    /// IPv4 in IP, RFC 2003.
    pub const IPV4: u8 = 4;
    /// Transmission Control Protocol, RFC 9293.
    pub const TCP: u8 = 6;
    /// User Datagram Protocol, RFC 768.
    pub const UDP: u8 = 17;
    /// IPv6 in IP, RFC 2473 and RFC 4213.
    pub const IPV6: u8 = 41;
    /// Generic Routing Encapsulation, RFC 2784.
    pub const GRE: u8 = 47;
    /// Internet Control Message Protocol for IPv6, RFC 4443.
    pub const ICMPV6: u8 = 58;
    /// Stream Control Transmission Protocol, RFC 9260.
    pub const SCTP: u8 = 132;
}

/// Bits of the TCP flags octet (RFC 9293, section 3.1).
pub mod tcp_flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push function.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field is significant.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer is significant.
    pub const URG: u8 = 0x20;
}

/// What the bytes of a frame begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// Ethernet II or IEEE 802.3, without the frame check sequence.
    Ethernet,
    /// An IPv4 or IPv6 header; the version field tells which.
    RawIp,
    /// Linux "cooked" capture, 16 bytes (LINKTYPE_LINUX_SLL).
    LinuxSll,
    /// Linux "cooked" capture version 2, 20 bytes (LINKTYPE_LINUX_SLL2).
    LinuxSll2,
    /// BSD loopback: four bytes of address family, in either byte order (LINKTYPE_NULL, LINKTYPE_LOOP).
    BsdLoopback,
}

/// The headers of one packet, and its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Source hardware address, where the link has one.
    pub source_mac: Option<Mac>,
    /// Destination hardware address, where the link has one.
    pub destination_mac: Option<Mac>,
    /// 802.1Q and 802.1ad tags, outermost first.
    pub vlans: Vlans,
    /// What the packet was carried in.
    pub tunnels: Tunnels,
    /// EtherType of what `network` holds, after tags, labels and SNAP; 0 where the link states none.
    pub ethertype: u16,
    /// The network layer.
    pub network: Network<'a>,
    /// The transport layer, where the network layer is IP.
    pub transport: Transport<'a>,
    /// What the transport carries, as far as it was captured; for [`Transport::Fragment`] and [`Transport::Other`] what
    /// IP carries. Empty where the network layer is not IP: the bytes are in `network`.
    pub payload: &'a [u8],
    /// The checksum field of the transport, as it stood there; 0 where there is none.
    pub transport_checksum: u16,
    /// How many frames this packet came in: 1, or the number of fragments of a joined datagram.
    pub frames: u32,
    /// Bytes on the wire of these frames, with VLAN tags, without the frame check sequence.
    pub frame_length: u32,
    /// Bytes of IP packets by their headers, the IP header counted; 0 where the network layer is not IP.
    pub ip_length: u32,
    /// Bytes of the transport's payload by the headers, however many were captured.
    pub payload_length: u32,
}

impl<'a> Packet<'a> {
    /// The IP header, if the network layer is IP.
    pub fn ip(&self) -> Option<&Ip> {
        match &self.network {
            Network::Ip(ip) => Some(ip),
            _ => None,
        }
    }

    /// The IP header of a packet that is one fragment of a datagram and has to be joined first.
    pub fn fragment(&self) -> Option<(&Ip, Fragment)> {
        self.ip().and_then(|ip| ip.fragment.map(|fragment| (ip, fragment)))
    }

    /// Source and destination port, where the transport has ports and its header is here.
    pub fn ports(&self) -> Option<(u16, u16)> {
        self.transport.ports()
    }

    /// The TCP header, if the transport is TCP.
    pub fn tcp(&self) -> Option<&Tcp<'a>> {
        match &self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }
}

/// The network layer of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network<'a> {
    /// IPv4 or IPv6.
    Ip(Ip),
    /// An ARP packet from its hardware type field on (RFC 826), with what padding follows it.
    Arp(&'a [u8]),
    /// IEEE 802.2 LLC in an 802.3 frame, without an EtherType.
    Llc(Llc<'a>),
    /// Anything else that has an EtherType (LLDP, PROFINET, EAPOL and others): the bytes behind it.
    Other(&'a [u8]),
}

/// An IEEE 802.2 LLC header (with its SNAP extension, if any) and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Llc<'a> {
    /// Destination service access point.
    pub dsap: u8,
    /// Source service access point.
    pub ssap: u8,
    /// First octet of the control field.
    pub control: u8,
    /// Organisation and protocol of a SNAP header (CDP is 00-00-0C, 0x2000).
    pub snap: Option<([u8; 3], u16)>,
    /// Bytes after the control field or the SNAP header, cut at the 802.3 length.
    pub payload: &'a [u8],
}

/// What is kept of an IPv4 or IPv6 header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// IP protocol number of the payload: for IPv6 the last next-header value, after the extension headers.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    /// Type of service, or traffic class: the DSCP in the upper six bits, ECN in the lower two.
    pub traffic_class: u8,
    /// The IPv4 "don't fragment" bit; true for IPv6, where routers never fragment.
    pub dont_fragment: bool,
    /// Identification, with which IPv4 tells the packets of a sender apart; 0 in IPv6, which has it in fragments only.
    pub identification: u16,
    /// Set when the packet is one fragment of several.
    pub fragment: Option<Fragment>,
}

/// The fields that join fragments (RFC 791, section 3.2; RFC 8200, section 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Identification: 16 bits in IPv4, 32 in IPv6.
    pub identification: u32,
    /// Offset of this fragment in the datagram's payload, in bytes.
    pub offset: u16,
    /// Whether more fragments follow.
    pub more: bool,
    /// Bytes this fragment carries by its headers.
    pub length: u32,
}

/// The transport layer of an IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport<'a> {
    /// TCP, RFC 9293.
    Tcp(Tcp<'a>),
    /// UDP, RFC 768.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// SCTP, RFC 9260: the common header; `payload` holds the chunks.
    Sctp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// ICMP, RFC 792, or ICMPv6, RFC 4443; `payload` begins after the checksum.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
        /// Identifier of an echo request or reply.
        identifier: Option<u16>,
    },
    /// A fragment that has to be joined first: the transport header is not here, or not whole.
    Fragment,
    /// Another IP protocol, or no IP at all.
    Other,
}

impl Transport<'_> {
    /// Source and destination port of TCP, UDP and SCTP.
    pub const fn ports(&self) -> Option<(u16, u16)> {
        match *self {
            Transport::Tcp(Tcp { source_port, destination_port, .. })
            | Transport::Udp { source_port, destination_port }
            | Transport::Sctp { source_port, destination_port } => Some((source_port, destination_port)),
            Transport::Icmp { .. } | Transport::Fragment | Transport::Other => None,
        }
    }
}

/// What is kept of a TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number; significant with [`tcp_flags::ACK`].
    pub acknowledgment: u32,
    /// Flags: see [`tcp_flags`].
    pub flags: u8,
    /// Window, unscaled.
    pub window: u16,
    /// The options as far as they were captured.
    pub options: &'a [u8],
}

/// Reads the headers of one frame.
///
/// `outer_vlan` is a tag that the network card or the kernel took off; it becomes the outermost of `vlans` and its four
/// bytes are counted in `frame_length`. `wire_length` is the frame's length on the wire without that tag; where it is
/// smaller than `bytes` the length of `bytes` counts.
///
/// # Errors
/// The first header that is not wholly there, or contradicts itself. A payload that was cut is no error.
pub fn parse(
    link: Link,
    outer_vlan: Option<VlanTag>,
    bytes: &[u8],
    wire_length: u32,
) -> Result<Packet<'_>, Malformed> {
    let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut packet = Packet {
        source_mac: None,
        destination_mac: None,
        vlans: Vlans::default(),
        tunnels: Tunnels::default(),
        ethertype: 0,
        network: Network::Other(&[]),
        transport: Transport::Other,
        payload: &[],
        transport_checksum: 0,
        frames: 1,
        frame_length: wire_length.max(captured),
        ip_length: 0,
        payload_length: 0,
    };
    // What the wire carried beyond the captured bytes, whichever header is being read.
    let cut = packet.frame_length - captured;
    if let Some(tag) = outer_vlan {
        packet.vlans.push(tag);
        packet.frame_length = packet.frame_length.saturating_add(4);
    }
    link::parse(&mut packet, link, bytes, cut)?;
    Ok(packet)
}
