//! Who claims which IP address on the link: whether two claim one, and neither gives way.
//!
//! One after the other is usual: an address passes to another host, a cluster to its other node. It is told when the first claims
//! it again: then both use it, or one speaks in the other's name (ARP spoofing). Which of the two is in the right is not known
//! here, so it is told of both.

use std::hash::BuildHasher as _;

use hashbrown::DefaultHashBuilder;
use wardwatch_dissect::Statements;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Endpoint, Observation, Subject};

use crate::generations::Generations;

/// The first claims it again within so much packet time, in nanoseconds.
const WINDOW: u64 = 300_000_000_000;

/// Addresses that are remembered twice over: some 6 MiB at most.
const REMEMBERED: usize = 65_536;

type Mac = Vec<u8>;

/// The last claims to one address.
#[derive(Debug, Default)]
struct Claims {
    last: Option<(Mac, u64)>,
    before: Option<(Mac, u64)>,
}

impl Claims {
    /// Whose claim this one contradicts, if that one contradicted an earlier one of the same hardware.
    fn add(&mut self, mac: &Mac, at: u64) -> Option<Mac> {
        match &mut self.last {
            Some((last, when)) if last == mac => {
                *when = at;
                None
            }
            last => {
                let earlier = std::mem::replace(&mut self.before, last.take());
                self.last = Some((mac.clone(), at));
                let is_back = earlier.is_some_and(|(was, when)| was == *mac && at.abs_diff(when) <= WINDOW);
                self.before.as_ref().filter(|_| is_back).map(|(other, _)| other.clone())
            }
        }
    }
}

/// Of all addresses.
#[derive(Debug)]
pub(super) struct AddressClaims {
    hasher: DefaultHashBuilder,
    claims: Generations<Claims>,
}

impl Default for AddressClaims {
    fn default() -> Self {
        Self { hasher: DefaultHashBuilder::default(), claims: Generations::new(REMEMBERED) }
    }
}

impl AddressClaims {
    /// Looks at what an ARP packet of these VLANs stated, and adds that two claim one address of one network.
    pub(super) fn see(&mut self, vlans: &[u16], statements: &mut Statements) {
        let mut found = Vec::new();
        for said in &statements.observations {
            let mac = said.subject.as_ref().and_then(|subject| subject.endpoint.as_ref()).map(|end| &end.mac);
            let Some(mac) = mac.filter(|_| said.attribute() == Attribute::IpAddress) else { continue };
            let address = self.hasher.hash_one((vlans, &said.network, &said.value));
            if let Some(other) = self.claims.entry(address).add(mac, said.at) {
                found.extend([mac.clone(), other].map(|mac| conflict(said, mac)));
            }
        }
        statements.observations.append(&mut found);
    }
}

fn conflict(claim: &Observation, mac: Mac) -> Observation {
    // By its hardware alone: the address is what is in question.
    let endpoint = Endpoint { mac, ..Endpoint::default() };
    Observation {
        attribute: Attribute::AddressConflict.into(),
        subject: Some(Subject { role: Role::Sender.into(), endpoint: Some(endpoint), key: String::new() }),
        ..claim.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::Protocol;

    const SECOND: u64 = 1_000_000_000;

    /// Claims to 10.0.0.1, each of a VLAN, by a host, at a second; who is told of.
    fn told(claims: &[(u16, u8, u64)]) -> Vec<u8> {
        let mut all = AddressClaims::default();
        let told = claims.iter().flat_map(|(vlan, host, second)| {
            let endpoint = Endpoint { mac: vec![2, 0, 0, 0, 0, *host], ..Endpoint::default() };
            let claim = Observation {
                attribute: Attribute::IpAddress.into(),
                value: "10.0.0.1".into(),
                protocol: Protocol::Arp.into(),
                subject: Some(Subject { endpoint: Some(endpoint), ..Subject::default() }),
                at: second * SECOND,
                ..Observation::default()
            };
            let mut statements = Statements { observations: vec![claim], refused: 0 };
            all.see(&[*vlan], &mut statements);
            statements.observations.split_off(1)
        });
        let of = |said: Observation| said.subject.and_then(|subject| subject.endpoint?.mac.last().copied());
        told.filter_map(of).collect()
    }

    #[test]
    fn two_that_claim_one_address_in_turns_are_both_told_of() {
        assert_eq!(told(&[(1, 7, 0), (1, 7, 1), (1, 66, 2), (1, 66, 3), (1, 7, 4)]), [7, 66]);
    }

    #[test]
    fn an_address_that_passes_to_another_is_none() {
        assert_eq!(told(&[(1, 7, 0), (1, 66, 2), (1, 66, 3)]), [0; 0]);
        // Back after a while, as a cluster does, and from one to the next.
        assert_eq!(told(&[(1, 7, 0), (1, 66, 2), (1, 7, 400)]), [0; 0]);
        assert_eq!(told(&[(1, 7, 0), (1, 66, 2), (1, 8, 3), (1, 9, 4)]), [0; 0]);
    }

    #[test]
    fn one_address_on_two_vlans_is_two_addresses() {
        assert_eq!(told(&[(1, 7, 0), (2, 66, 1), (1, 7, 2), (2, 66, 3), (1, 7, 4)]), [0; 0]);
    }
}
