//! LLDP-MED (ANSI/TIA-1057): phones and other endpoints tell their inventory.

use wardwatch_proto::v1::Attribute;

use super::organisation::TIA;
use super::tlv::{self, Tlvs};
use crate::Facts;
use crate::octets::part;

/// Classes of devices (10.2.2.2): endpoints of three kinds; 4 is what connects them to the network.
const ENDPOINTS: std::ops::RangeInclusive<u8> = 1..=3;

/// Whether the message comes from an endpoint: its capabilities TLV says so.
pub(super) fn is_endpoint(message: Tlvs<'_>) -> bool {
    message.filter(|tlv| tlv.kind == tlv::ORGANISATION).any(|tlv| match tlv.value {
        [o0, o1, o2, 1, _, _, class, ..] => [*o0, *o1, *o2] == TIA && ENDPOINTS.contains(class),
        _ => false,
    })
}

/// States what a TLV of TIA says of the sender.
pub(super) fn state(subtype: u8, value: &[u8], is_endpoint: bool, facts: &mut Facts<'_>) {
    let inventory = match subtype {
        // Capabilities, then the class.
        1 => return class(value, facts),
        3 => {
            if is_endpoint && let Some(place) = place(value) {
                facts.of_sender(Attribute::Location, &place);
            }
            return;
        }
        4 => return power(value, facts),
        5 => Attribute::HardwareVersion,
        6 => Attribute::FirmwareVersion,
        7 => Attribute::SoftwareVersion,
        8 => Attribute::SerialNumber,
        9 => Attribute::Manufacturer,
        10 => Attribute::Model,
        11 => Attribute::AssetTag,
        _ => return,
    };
    super::text(inventory, value, facts);
}

fn class(value: &[u8], facts: &mut Facts<'_>) {
    let role = match value.get(2) {
        Some(1) => "med-generic-endpoint",
        Some(2) => "med-media-endpoint",
        Some(3) => "med-communication-device",
        _ => return,
    };
    facts.of_sender(Attribute::Role, role);
}

/// Extended power via MDI (10.2.5): the upper two bits.
fn power(value: &[u8], facts: &mut Facts<'_>) {
    match value.first().map(|first| first >> 6) {
        Some(0) => facts.of_sender(Attribute::Role, "poe-source"),
        Some(1) => facts.of_sender(Attribute::Role, "poe-device"),
        _ => {}
    }
}

/// The place within the site out of a civic address (10.2.4.3.2; types: RFC 4776, 3.4): building, unit, floor, room.
/// The rest of an address is the site's, or the occupant's name.
fn place(value: &[u8]) -> Option<String> {
    const CIVIC: u8 = 2;
    // The format, the length of what follows, what it is about, two letters for the country.
    let ([format, length], rest) = value.split_first_chunk::<2>()?;
    if *format != CIVIC {
        return None;
    }
    let mut elements = part(rest, 3, usize::from(*length).checked_sub(3)?)?;
    let mut parts = Vec::new();
    while let Some(([kind, length], rest)) = elements.split_first_chunk::<2>() {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        elements = rest;
        let name = match kind {
            25 => "building",
            26 => "unit",
            27 => "floor",
            28 => "room",
            _ => continue,
        };
        parts.push(format!("{name} {}", str::from_utf8(value).ok()?));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
