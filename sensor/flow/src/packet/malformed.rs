//! Why a frame could not be read.

use thiserror::Error;

/// The reasons for which a frame is not parsed any further, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The frame ends within its link-layer header.
    #[error("frame ends within its link-layer header")]
    LinkTruncated,
    /// A BSD loopback header names an address family that is not IP.
    #[error("loopback header names an unknown address family")]
    LoopbackFamily,
    /// The frame ends within a VLAN tag, or has more than [`super::Vlans::MAX`] tags.
    #[error("frame ends within a vlan tag or has too many tags")]
    Vlan,
    /// The frame ends within an LLC or SNAP header.
    #[error("frame ends within its llc header")]
    LlcTruncated,
    /// The frame ends within an MPLS label stack, or the stack is too deep.
    #[error("frame ends within its mpls label stack or the stack is too deep")]
    Mpls,
    /// The frame ends within a PPPoE header.
    #[error("frame ends within its pppoe header")]
    PppoeTruncated,
    /// The frame ends within an IPv4 header.
    #[error("frame ends within its ipv4 header")]
    Ipv4Truncated,
    /// The version field does not say 4 where IPv4 was announced.
    #[error("ip version is not 4 where ipv4 was announced")]
    Ipv4Version,
    /// The IPv4 header length is below 20 bytes.
    #[error("ipv4 header length is below 20 bytes")]
    Ipv4HeaderLength,
    /// The IPv4 total length is smaller than the header.
    #[error("ipv4 total length is smaller than the header")]
    Ipv4TotalLength,
    /// The frame ends within an IPv6 header.
    #[error("frame ends within its ipv6 header")]
    Ipv6Truncated,
    /// The version field does not say 6 where IPv6 was announced.
    #[error("ip version is not 6 where ipv6 was announced")]
    Ipv6Version,
    /// The packet ends within an IPv6 extension header.
    #[error("packet ends within an ipv6 extension header")]
    Ipv6ExtensionTruncated,
    /// More IPv6 extension headers than any real packet has.
    #[error("too many ipv6 extension headers")]
    Ipv6ExtensionChain,
    /// A raw IP frame begins with neither 4 nor 6.
    #[error("raw ip frame of an unknown version")]
    IpVersion,
    /// The packet ends within its TCP header.
    #[error("packet ends within its tcp header")]
    TcpTruncated,
    /// The TCP data offset is below 20 bytes or beyond the packet.
    #[error("tcp data offset is below 20 bytes or beyond the packet")]
    TcpDataOffset,
    /// The packet ends within its UDP header.
    #[error("packet ends within its udp header")]
    UdpTruncated,
    /// The UDP length is below 8.
    #[error("udp length is below 8 bytes")]
    UdpLength,
    /// The packet ends within its SCTP common header.
    #[error("packet ends within its sctp header")]
    SctpTruncated,
    /// The packet ends within its ICMP header.
    #[error("packet ends within its icmp header")]
    IcmpTruncated,
    /// The packet ends within a tunnel's header.
    #[error("packet ends within a tunnel's header")]
    TunnelTruncated,
    /// There are more tunnels around the packet than [`super::Tunnels::MAX`].
    #[error("too many tunnels in each other")]
    TunnelDepth,
}

impl Malformed {
    /// All reasons, so that each can have its counter.
    pub const ALL: [Self; 23] = [
        Self::LinkTruncated,
        Self::LoopbackFamily,
        Self::Vlan,
        Self::LlcTruncated,
        Self::Mpls,
        Self::PppoeTruncated,
        Self::Ipv4Truncated,
        Self::Ipv4Version,
        Self::Ipv4HeaderLength,
        Self::Ipv4TotalLength,
        Self::Ipv6Truncated,
        Self::Ipv6Version,
        Self::Ipv6ExtensionTruncated,
        Self::Ipv6ExtensionChain,
        Self::IpVersion,
        Self::TcpTruncated,
        Self::TcpDataOffset,
        Self::UdpTruncated,
        Self::UdpLength,
        Self::SctpTruncated,
        Self::IcmpTruncated,
        Self::TunnelTruncated,
        Self::TunnelDepth,
    ];

    /// A short name for metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkTruncated => "link_truncated",
            Self::LoopbackFamily => "loopback_family",
            Self::Vlan => "vlan",
            Self::LlcTruncated => "llc_truncated",
            Self::Mpls => "mpls",
            Self::PppoeTruncated => "pppoe_truncated",
            Self::Ipv4Truncated => "ipv4_truncated",
            Self::Ipv4Version => "ipv4_version",
            Self::Ipv4HeaderLength => "ipv4_header_length",
            Self::Ipv4TotalLength => "ipv4_total_length",
            Self::Ipv6Truncated => "ipv6_truncated",
            Self::Ipv6Version => "ipv6_version",
            Self::Ipv6ExtensionTruncated => "ipv6_extension_truncated",
            Self::Ipv6ExtensionChain => "ipv6_extension_chain",
            Self::IpVersion => "ip_version",
            Self::TcpTruncated => "tcp_truncated",
            Self::TcpDataOffset => "tcp_data_offset",
            Self::UdpTruncated => "udp_truncated",
            Self::UdpLength => "udp_length",
            Self::SctpTruncated => "sctp_truncated",
            Self::IcmpTruncated => "icmp_truncated",
            Self::TunnelTruncated => "tunnel_truncated",
            Self::TunnelDepth => "tunnel_depth",
        }
    }
}
