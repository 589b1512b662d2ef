//! Hardware addresses and VLAN tags.

use std::fmt;

/// A 48-bit IEEE 802 hardware address, in transmission order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// ff:ff:ff:ff:ff:ff
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether the group bit is set: multicast, broadcast included.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether all bits are zero, as on loopback interfaces: no address at all.
    pub const fn is_zero(self) -> bool {
        matches!(self.0, [0, 0, 0, 0, 0, 0])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mac = self.0;
        write!(f, "{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5])
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A VLAN tag: what announced it and its control information (IEEE 802.1Q, clause 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100 (802.1Q), 0x88a8 (802.1ad), 0x9100 (older QinQ); 0 where unknown.
    pub tpid: u16,
    /// Tag control information: priority (3 bits), drop eligible (1), VLAN identifier (12).
    pub tci: u16,
}

impl VlanTag {
    /// The VLAN identifier, 0 to 4095; 0 is a priority tag that names no VLAN.
    pub const fn id(self) -> u16 {
        self.tci & 0x0fff
    }
}

/// The VLAN tags of a frame, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Vlans {
    tags: [VlanTag; Self::MAX],
    count: u8,
}

impl Vlans {
    /// The most tags a frame may have.
    pub const MAX: usize = 4;

    /// Adds an inner tag; false when there is no place left.
    pub fn push(&mut self, tag: VlanTag) -> bool {
        let Some(place) = self.tags.get_mut(usize::from(self.count)) else { return false };
        *place = tag;
        self.count += 1;
        true
    }

    /// The tags, outermost first.
    pub fn as_slice(&self) -> &[VlanTag] {
        self.tags.get(..usize::from(self.count)).unwrap_or(&self.tags)
    }

    /// VLAN identifiers, outermost first.
    pub fn ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.as_slice().iter().map(|tag| tag.id())
    }

    /// Whether the frame was untagged.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Debug for Vlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
