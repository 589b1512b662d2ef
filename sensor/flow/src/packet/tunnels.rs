//! What a packet was carried in.

use std::fmt;

/// A way of carrying packets in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum TunnelKind {
    /// No tunnel: an unused place.
    #[default]
    None,
    /// MPLS label stack, RFC 3032; the identifier is the label at its bottom.
    Mpls,
    /// PPPoE session, RFC 2516; the identifier is the session's.
    Pppoe,
    /// IPv4 or IPv6 directly in either (RFC 2003, RFC 2473, RFC 4213); it has no identifier.
    Ip,
    /// GRE, RFC 2784; the identifier is the key (RFC 2890), or the virtual subnet where it carries Ethernet with a key
    /// (NVGRE, RFC 7637).
    Gre,
    /// ERSPAN, a switch's mirror (draft-foschiano-erspan); the identifier is the session.
    Erspan,
    /// VXLAN, RFC 7348, and its generic protocol extension; the identifier is the VNI.
    Vxlan,
    /// GENEVE, RFC 8926; the identifier is the VNI.
    Geneve,
    /// GTP-U, 3GPP TS 29.281; the identifier is the TEID, another one in each direction.
    Gtp,
}

impl TunnelKind {
    /// Whether the tunnel is itself carried by IP, and so has a flow of its own between its ends.
    pub const fn has_flow(self) -> bool {
        !matches!(self, Self::None | Self::Mpls | Self::Pppoe)
    }
}

/// One layer of encapsulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tunnel {
    /// What it is.
    pub kind: TunnelKind,
    /// Which one; 0 where the kind has no identifier.
    pub id: u32,
}

/// The tunnels around a packet, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tunnels {
    ids: [u32; Self::MAX],
    kinds: [TunnelKind; Self::MAX],
}

impl Tunnels {
    /// The most tunnels around a packet. What is deeper is a loop or an attack.
    pub const MAX: usize = 4;

    /// Adds an inner tunnel; false when there is no place left.
    pub fn push(&mut self, tunnel: Tunnel) -> bool {
        let Some(place) = self.kinds.iter().position(|kind| *kind == TunnelKind::None) else { return false };
        if let (Some(kind), Some(id)) = (self.kinds.get_mut(place), self.ids.get_mut(place)) {
            (*kind, *id) = (tunnel.kind, tunnel.id);
        }
        true
    }

    /// The tunnels, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = Tunnel> + '_ {
        let all = self.kinds.iter().zip(&self.ids).map(|(kind, id)| Tunnel { kind: *kind, id: *id });
        all.take_while(|tunnel| tunnel.kind != TunnelKind::None)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        matches!(self.kinds[0], TunnelKind::None)
    }

    /// That part which keeps flows of the same addresses apart; see `docs/decisions/0010-tunnels.md`.
    ///
    /// Of two virtual networks each has its own 10.0.0.1, so VNIs, virtual subnets and GRE keys separate. That a packet is
    /// in a tunnel separates it from its twin outside. What sends a copy to an analyser separates nothing: of one conversation
    /// either direction may come in another ERSPAN session, and so may it in the VNIs and keys in `mirrors`, which an
    /// operator names. Labels and TEIDs are another in each direction, and a PPPoE session is one link's.
    #[must_use]
    pub fn separating(&self, mirrors: &[u32]) -> Self {
        let mut separating = Self::default();
        for tunnel in self.iter() {
            let id = match tunnel.kind {
                TunnelKind::None | TunnelKind::Mpls | TunnelKind::Pppoe | TunnelKind::Erspan => continue,
                TunnelKind::Vxlan | TunnelKind::Geneve | TunnelKind::Gre if mirrors.contains(&tunnel.id) => {
                    continue;
                }
                TunnelKind::Vxlan | TunnelKind::Geneve | TunnelKind::Gre => tunnel.id,
                TunnelKind::Ip | TunnelKind::Gtp => 0,
            };
            separating.push(Tunnel { id, ..tunnel });
        }
        separating
    }
}

impl fmt::Debug for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
