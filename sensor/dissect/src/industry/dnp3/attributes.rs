//! Device attributes, object group 0 (IEEE 1815, annex A.2), in an answer.

use wardwatch_proto::v1::Attribute;

use crate::industry::text::utf8;
use crate::octets::part;

/// Data type of an attribute: visible characters.
const VISIBLE_STRING: u8 = 1;

/// Reads objects as long as they are device attributes of the standard's own set: group, variation, qualifier, range
/// (the set), data type, length, value.
pub(super) fn read(objects: &[u8]) -> Vec<(Attribute, String)> {
    let mut said = Vec::new();
    let mut rest = objects;
    loop {
        // Start and stop of the range in one octet each, or in two with the low one first.
        let (variation, set, value) = match rest {
            [0, variation, 0x00, start, stop, value @ ..] if start == stop => (*variation, *start, value),
            [0, variation, 0x01, start, 0, stop, 0, value @ ..] if start == stop => {
                (*variation, *start, value)
            }
            _ => return said,
        };
        let [kind, length, behind @ ..] = value else { return said };
        let Some(octets) = part(behind, 0, (*length).into()) else { return said };
        let attribute = match variation {
            242 => Some(Attribute::SoftwareVersion),
            243 => Some(Attribute::HardwareVersion),
            245 => Some(Attribute::Location),
            246 => Some(Attribute::EquipmentId),
            247 => Some(Attribute::DeviceTag),
            248 => Some(Attribute::SerialNumber),
            250 => Some(Attribute::Model),
            252 => Some(Attribute::Manufacturer),
            _ => None,
        };
        if (*kind, set) == (VISIBLE_STRING, 0) {
            said.extend(attribute.map(|attribute| (attribute, utf8(octets).to_owned())));
        }
        rest = behind.get(usize::from(*length)..).unwrap_or_default();
    }
}
