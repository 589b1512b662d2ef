//! Tunnels that are networks of their own: what has an address inside one has nothing to do with who has it elsewhere.
//!
//! Nothing in a packet tells a tenant's network from the site's own that happens to cross a tunnel, or from a mirror's copy of
//! it, so an operator says which kinds are such networks (`limits.own_networks`). Only those can be that have the same
//! identifier in both directions of a conversation; of the others it is not known which network a packet belongs to: labels and
//! TEIDs are each direction's own, a PPPoE session is one link, and ERSPAN is a mirror. See `docs/decisions/0012`.

use serde::{Deserialize, Serialize};
use wardwatch_dissect::Statements;
use wardwatch_flow::packet::{Tunnel, TunnelKind, Tunnels};

/// A kind of tunnel that may be a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// By its VNI.
    Vxlan,
    /// By its VNI.
    Geneve,
    /// By its key, or the virtual subnet of NVGRE; one without a key is none.
    Gre,
}

impl NetworkKind {
    /// The first part of a network's name.
    const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
        }
    }

    /// What a tunnel is, if it may be a network of its own.
    const fn of(tunnel: Tunnel) -> Option<Self> {
        match tunnel {
            Tunnel { kind: TunnelKind::Vxlan, .. } => Some(Self::Vxlan),
            Tunnel { kind: TunnelKind::Geneve, .. } => Some(Self::Geneve),
            Tunnel { kind: TunnelKind::Gre, id } if id != 0 => Some(Self::Gre),
            _ => None,
        }
    }
}

/// Which tunnels are networks of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks {
    kinds: Vec<NetworkKind>,
    /// Identifiers of mirrors' tunnels, whose packets are copies of the network that the sensor stands in.
    mirrors: Vec<u32>,
}

impl Networks {
    /// The longest name, in octets: of as many tunnels as there may be around a packet.
    pub(super) const LONGEST_NAME: usize = Tunnels::MAX * "geneve-16777215/".len();

    pub(super) fn new(kinds: &[NetworkKind], mirrors: &[u32]) -> Self {
        Self { kinds: kinds.to_vec(), mirrors: mirrors.to_vec() }
    }

    /// Marks what was stated of a packet or a flow in these tunnels: the observations from this place on.
    pub(super) fn mark(&self, tunnels: &Tunnels, statements: &mut Statements, from: usize) {
        if statements.observations.len() <= from {
            return;
        }
        let name = self.of(tunnels);
        if !name.is_empty() {
            for said in statements.observations.iter_mut().skip(from) {
                said.network.clone_from(&name);
            }
        }
    }

    /// The name of the network in these tunnels: `vxlan-5001`, the outermost first; empty for the one that the sensor stands in.
    pub(super) fn of(&self, tunnels: &Tunnels) -> String {
        let mut name = String::new();
        if self.kinds.is_empty() || tunnels.is_empty() {
            return name;
        }
        // What keeps flows apart, so that one flow is in one network.
        for tunnel in tunnels.separating(&self.mirrors).iter() {
            let Some(kind) = NetworkKind::of(tunnel).filter(|kind| self.kinds.contains(kind)) else {
                continue;
            };
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(kind.name());
            name.push('-');
            name.push_str(&tunnel.id.to_string());
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnels(all: &[(TunnelKind, u32)]) -> Tunnels {
        let mut tunnels = Tunnels::default();
        for (kind, id) in all {
            assert!(tunnels.push(Tunnel { kind: *kind, id: *id }), "a place is left");
        }
        tunnels
    }

    #[test]
    fn a_network_is_named_by_the_tunnels_that_are_ones() {
        let networks = Networks::new(&[NetworkKind::Vxlan, NetworkKind::Gre], &[77]);
        let named = |all: &[(TunnelKind, u32)]| networks.of(&tunnels(all));
        assert_eq!(named(&[(TunnelKind::Vxlan, 5001)]), "vxlan-5001");
        assert_eq!(
            named(&[(TunnelKind::Mpls, 9), (TunnelKind::Gre, 7), (TunnelKind::Vxlan, 1)]),
            "gre-7/vxlan-1"
        );
        for same in [
            &[][..],
            &[(TunnelKind::Geneve, 5001)],
            // A mirror's session, whatever it is in.
            &[(TunnelKind::Vxlan, 77)],
            &[(TunnelKind::Erspan, 5)],
            // Without a key.
            &[(TunnelKind::Gre, 0)],
            &[(TunnelKind::Gtp, 4), (TunnelKind::Ip, 0)],
        ] {
            assert_eq!(named(same), "", "{same:?}");
        }
        assert_eq!(Networks::default().of(&tunnels(&[(TunnelKind::Vxlan, 5001)])), "");
    }

    #[test]
    fn the_longest_name_is_no_longer_than_is_said() {
        let all = Networks::new(&[NetworkKind::Vxlan, NetworkKind::Geneve, NetworkKind::Gre], &[]);
        for (kind, id) in [(TunnelKind::Geneve, 0x00FF_FFFF), (TunnelKind::Gre, u32::MAX)] {
            assert!(all.of(&tunnels(&[(kind, id); Tunnels::MAX])).len() <= Networks::LONGEST_NAME);
        }
    }
}
