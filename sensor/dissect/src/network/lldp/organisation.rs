//! What organisations have defined: three octets say whose it is, one what.

use wardwatch_proto::v1::Attribute;

use super::med;
use crate::Facts;
use crate::octets::{be16, piece};

/// IEEE 802.1, IEEE 802.3, TIA (LLDP-MED), IANA (RFC 9542).
const IEEE_802_1: [u8; 3] = [0x00, 0x80, 0xC2];
const IEEE_802_3: [u8; 3] = [0x00, 0x12, 0x0F];
pub(super) const TIA: [u8; 3] = [0x00, 0x12, 0xBB];
const IANA: [u8; 3] = [0x00, 0x00, 0x5E];
/// PROFIBUS and PROFINET International, and its TLV for the address of the whole device.
const PROFINET: [u8; 3] = [0x00, 0x0E, 0xCF];
const CHASSIS: u8 = 5;

/// The hardware address of the whole device, in the TLV that PROFINET has for it (IEC 61158-6-10).
pub(super) fn chassis(value: &[u8]) -> Option<[u8; 6]> {
    let mac = value.strip_prefix(&PROFINET)?.strip_prefix(&[CHASSIS])?;
    mac.try_into().ok()
}

/// States what such a TLV says of the sender; `is_endpoint` as LLDP-MED has it.
pub(super) fn state(value: &[u8], is_endpoint: bool, facts: &mut Facts<'_>) {
    let Some(([o0, o1, o2, subtype], value)) = value.split_first_chunk::<4>() else { return };
    match ([*o0, *o1, *o2], *subtype) {
        // Port VLAN identifier; 0 is none (IEEE 802.1Q-2022, D.2.1).
        (IEEE_802_1, 1) => {
            if let Some(vlan) = be16(value, 0).filter(|vlan| *vlan != 0) {
                facts.of_sender(Attribute::LinkVlan, &vlan.to_string());
            }
        }
        (IEEE_802_3, 2) => power(value, facts),
        (TIA, subtype) => med::state(subtype, value, is_endpoint, facts),
        (PROFINET, CHASSIS) => super::hardware(value, facts),
        (IANA, 1) => super::text(Attribute::MudUrl, value, facts),
        _ => {}
    }
}

/// Power via MDI (IEEE 802.3-2022, 79.3.2). Only with the octet for classification is it told by what has to do with
/// power at all: a port that has nothing to do with it may say all zeros.
fn power(value: &[u8], facts: &mut Facts<'_>) {
    const IS_SOURCE: u8 = 0x01;
    const IS_ENABLED: u8 = 0x04;
    let Some([support, _pair, _class, kind]) = piece(value, 0) else { return };
    // Types of both generations: 00 and 10 for sources, 01 and 11 for devices.
    let is_device = kind & 0x40 != 0;
    if support & (IS_SOURCE | IS_ENABLED) == IS_SOURCE | IS_ENABLED && !is_device {
        facts.of_sender(Attribute::Role, "poe-source");
    } else if support & IS_SOURCE == 0 && is_device {
        facts.of_sender(Attribute::Role, "poe-device");
    }
}
