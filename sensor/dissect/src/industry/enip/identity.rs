//! The Identity object (CIP volume 1, 5-2): its attributes one by one, all together, and as ListIdentity gives them
//! (volume 2, 2-4.2).

use wardwatch_proto::v1::Attribute;

use super::frame::{IDENTITY, items};
use crate::industry::text::fixed;
use crate::octets::{le16, le32, part};

pub(super) type Said = Vec<(Attribute, String)>;

/// An answer to ListIdentity: protocol version and socket address come before the object's attributes. A device without
/// a vendor is none.
pub(super) fn listed(data: &[u8]) -> Said {
    let item = items(data).find(|(kind, _)| *kind == IDENTITY);
    item.and_then(|(_, value)| value.get(18..)).map(all).unwrap_or_default()
}

/// Vendor, device type, product code, revision, status, serial number, product name.
pub(super) fn all(data: &[u8]) -> Said {
    let fixed_part = [(1, 0, 2), (2, 2, 2), (3, 4, 2), (4, 6, 2), (6, 10, 4)];
    let mut said = Said::new();
    for (number, at, length) in fixed_part {
        let Some(value) = part(data, at, length) else { return Said::new() };
        said.extend(attribute(number, value));
    }
    said.extend(data.get(14..).and_then(|name| attribute(7, name)));
    said
}

/// One attribute of the object, if it is on the list.
pub(super) fn attribute(number: u16, value: &[u8]) -> Option<(Attribute, String)> {
    let decimal = |attribute| Some((attribute, le16(value, 0).filter(|number| *number != 0)?.to_string()));
    match number {
        1 => decimal(Attribute::CipVendorId),
        2 => le16(value, 0).map(|number| (Attribute::CipDeviceType, number.to_string())),
        3 => decimal(Attribute::CipProductCode),
        // Major and minor; the high bit of the major is reserved.
        4 => match value {
            [major, minor, ..] if *major != 0 => {
                Some((Attribute::FirmwareVersion, format!("{}.{minor}", major & 0x7F)))
            }
            _ => None,
        },
        6 => le32(value, 0)
            .filter(|serial| !matches!(*serial, 0 | u32::MAX))
            .map(|serial| (Attribute::SerialNumber, format!("{serial:08X}"))),
        7 => {
            let name = part(value, 1, (*value.first()?).into())?;
            Some((Attribute::Model, fixed(name)))
        }
        _ => None,
    }
}

/// Octets that an attribute takes in a list of attributes; a name tells its own.
pub(super) fn width(number: u16, value: &[u8]) -> Option<usize> {
    match number {
        1..=5 => Some(2),
        6 => Some(4),
        7 => Some(1 + usize::from(*value.first()?)),
        8 => Some(1),
        _ => None,
    }
}
