//! Spanning tree: STP, RSTP and MSTP (IEEE 802.1D-2004, clause 9; IEEE 802.1Q, clause 14), and Cisco's PVST+ with one
//! tree for each VLAN, which carries the same messages behind a SNAP header.
//!
//! Only bridges send them. The sender names itself by an address of the whole bridge, and which bridge it holds to be
//! the root of the tree. A topology change notification says no more than that a bridge is there.

use wardwatch_proto::address::mac_text;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::piece;
use crate::{Address, Candidate, Carrier, Dissector, Facts, Input, Probe, Progress, scope};

/// Spanning tree on the link.
pub(crate) const CANDIDATE: Candidate = Candidate { protocol: Protocol::Stp, probe, start: || Box::new(Stp) };

/// The service access point of IEEE 802.1D, both ways.
const BRIDGES: Carrier = Carrier::Llc { dsap: 0x42, ssap: 0x42 };

/// PVST+.
const PER_VLAN: Carrier = Carrier::Snap { organisation: [0x00, 0x00, 0x0C], protocol: 0x010B };

fn probe(input: &Input<'_>) -> Probe {
    let is_announced = input.carrier == BRIDGES || input.carrier == PER_VLAN;
    if is_announced && Message::of(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// A bridge protocol data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    TopologyChange,
    /// What the root is, and who says so: the MAC addresses in their identifiers, whose first two octets are priorities.
    Configuration {
        root: [u8; 8],
        bridge: [u8; 8],
    },
}

impl Message {
    fn of(bytes: &[u8]) -> Option<Self> {
        let [p0, p1, version, kind] = piece(bytes, 0)?;
        match (u16::from_be_bytes([p0, p1]), version, kind) {
            (0, 0, 0x80) => Some(Self::TopologyChange),
            (0, 0, 0x00) | (0, 2..=4, 0x02) => {
                // Flags, the root, the path's cost, the bridge, its port; four times of two octets follow.
                piece::<8>(bytes, 27)?;
                Some(Self::Configuration { root: piece(bytes, 5)?, bridge: piece(bytes, 17)? })
            }
            _ => None,
        }
    }
}

struct Stp;

impl Dissector for Stp {
    fn protocol(&self) -> Protocol {
        Protocol::Stp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(message) = Message::of(input.bytes) else {
            return Progress::Broken("not a message of bridges");
        };
        facts.of_sender(Attribute::Role, "bridge");
        if let Message::Configuration { root, bridge } = message {
            if let Some(mac) = one_device(bridge) {
                facts.of_sender(Attribute::MacAddress, &mac_text(&mac));
            }
            if root == bridge {
                facts.of_sender(Attribute::Role, "root-bridge");
            } else if let Some(mac) = one_device(root) {
                let root = Address { mac: Some(mac), ..Address::default() };
                facts.of_address(root, Attribute::Role, "root-bridge");
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn one_device(identifier: [u8; 8]) -> Option<[u8; 6]> {
    let [_, _, mac @ ..] = identifier;
    Some(mac).filter(|mac| scope::is_one_device(*mac))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::FromInitiator;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const PORT: [u8; 6] = [0, 0x1c, 0x0e, 0x87, 0x85, 0x04];
    const OWN: [u8; 8] = [0x80, 0x64, 0, 0x1c, 0x0e, 0x87, 0x85, 0x00];
    const ROOT: [u8; 8] = [0x60, 0x64, 0, 0x1c, 0x0e, 0x87, 0x78, 0x00];

    /// Version, type, root and bridge, with the times of IEEE 802.1D, 17.14.
    fn message(version: u8, kind: u8, root: [u8; 8], bridge: [u8; 8]) -> Vec<u8> {
        let head = [0, 0, version, kind, 0x3C];
        let rest = [0x80, 0x04, 1, 0, 20, 0, 2, 0, 15, 0];
        [&head[..], &root, &[0, 0, 0, 4], &bridge, &rest].concat()
    }

    fn flow() -> TestFlow {
        let sender = Address { mac: Some(PORT), ..Address::default() };
        TestFlow::new(&[CANDIDATE]).with_initiator(sender).with_carrier(BRIDGES)
    }

    #[test]
    fn a_bridge_tells_its_own_address_and_who_is_the_root() {
        for (version, kind) in [(0, 0x00), (2, 0x02), (3, 0x02)] {
            let flow = flow().datagram(FromInitiator, &message(version, kind, ROOT, OWN));
            assert_eq!(
                flow.said(),
                [
                    "sender 00:1c:0e:87:85:04 role bridge",
                    "sender 00:1c:0e:87:85:04 mac_address 00:1c:0e:87:85:00",
                    "third 00:1c:0e:87:78:00 role root-bridge",
                ]
            );
            assert_eq!(flow.conversation.protocol(), Protocol::Stp);
        }
    }

    #[test]
    fn the_root_says_so_itself_and_with_a_tree_for_each_vlan_too() {
        let flow = flow().with_carrier(PER_VLAN).datagram(FromInitiator, &message(2, 2, OWN, OWN));
        assert_eq!(flow.values(Attribute::Role), ["bridge", "root-bridge"]);
        assert!(flow.said().iter().all(|line| line.starts_with("sender ")));
    }

    #[test]
    fn a_change_of_the_topology_is_told_by_a_bridge() {
        let flow = flow().datagram(FromInitiator, &[0, 0, 0, 0x80, 0, 0, 0, 0]);
        assert_eq!(flow.said(), ["sender 00:1c:0e:87:85:04 role bridge"]);
    }

    #[test]
    fn other_access_points_other_protocols_and_short_messages_are_something_else() {
        let whole = message(2, 2, ROOT, OWN);
        let netbios = Carrier::Llc { dsap: 0xF0, ssap: 0xF0 };
        let elsewhere = flow().with_carrier(netbios).datagram(FromInitiator, &whole);
        assert_eq!(elsewhere.conversation.protocol(), Protocol::Unspecified);
        let mut garp = whole.clone();
        garp[1] = 1;
        for bytes in [garp, message(2, 0x80, ROOT, OWN), message(1, 2, ROOT, OWN), whole[..34].to_vec()] {
            assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_say_three_things_at_most(bytes in any::<Vec<u8>>(), tail in any::<[u8; 32]>()) {
            let like = [&[0, 0, 2, 2][..], &tail].concat();
            for bytes in [bytes, like] {
                prop_assert!(flow().datagram(FromInitiator, &bytes).said().len() <= 3);
            }
        }
    }
}
