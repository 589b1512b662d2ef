//! One captured frame and what is known about it besides its bytes.

/// One frame as it was captured.
///
/// The bytes borrow the source's memory: they are valid until the source is asked for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the frame was captured, in nanoseconds since the Unix epoch (UTC).
    pub at: u64,
    /// Length of the frame on the wire in bytes, as the capture tells it, with the tag in [`Frame::vlan`]. From an
    /// interface it does not include the frame check sequence; in files it may.
    pub wire_length: u32,
    /// What the bytes begin with.
    pub link: LinkType,
    /// The outermost VLAN tag, if the kernel took it out of the bytes. A tag that is still in the bytes is not told here.
    pub vlan: Option<VlanTag>,
    /// The captured bytes, from the link layer's header on.
    pub bytes: &'a [u8],
}

impl Frame<'_> {
    /// How many bytes of the frame were captured, counting a VLAN tag that the kernel took out.
    pub fn captured_length(&self) -> usize {
        self.bytes.len() + if self.vlan.is_some() { VlanTag::LENGTH as usize } else { 0 }
    }

    /// Whether the capture holds less of the frame than was on the wire.
    pub fn is_cut(&self) -> bool {
        self.captured_length() < self.wire_length as usize
    }
}

/// A VLAN tag (IEEE 802.1Q, clause 9) that travels beside the frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100 for a customer tag, 0x88a8 for a service tag.
    pub protocol: u16,
    /// Tag control information: priority (3 bits), drop eligible (1 bit), VLAN identifier (12 bits).
    pub control: u16,
}

impl VlanTag {
    /// What a tag takes on the wire, in bytes.
    pub const LENGTH: u32 = 4;

    /// The VLAN identifier, 0 to 4095; 0 says that the tag carries a priority only.
    pub fn identifier(self) -> u16 {
        self.control & 0x0fff
    }
}

/// What a frame's bytes begin with: the link-layer header types of pcap and pcapng that are told apart here.
///
/// The numbers are those of the registry of link-layer header types kept for the two formats (`LINKTYPE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// BSD loopback (0): four bytes of address family in the byte order of the capturing machine, then the packet.
    Null,
    /// Ethernet (1), IEEE 802.3.
    Ethernet,
    /// An IPv4 or IPv6 packet without a link-layer header (101, 228, 229, and 12 and 14 as some systems wrote it).
    RawIp,
    /// OpenBSD loopback (108): as [`LinkType::Null`], the address family always in network byte order.
    Loop,
    /// Linux "cooked" capture, version 1 (113): 16 bytes of header.
    LinuxSll,
    /// Linux "cooked" capture, version 2 (276): 20 bytes of header.
    LinuxSll2,
    /// Any other, by its number in the registry.
    Other(u16),
}

impl From<u16> for LinkType {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            other => Self::Other(other),
        }
    }
}
