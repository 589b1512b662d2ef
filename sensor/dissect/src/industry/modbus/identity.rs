//! What answers say about the device: Read Device Identification (specification, 6.21), Report Server ID (6.13), and the
//! identity in UMAS, whose layout is that which open drivers for Modicon controllers read.

use wardwatch_proto::v1::Attribute;

use crate::industry::text::fixed;
use crate::octets::{le16, part};

type Said = Vec<(Attribute, String)>;

/// The shortest run of characters in a server id that is taken for text.
const SHORTEST_TEXT: usize = 4;

/// Objects of a device identification: number, length, characters. A model has a code (1) and may have a name (5). The
/// vendor's address on the web (3) and the name that a user gives to the application (6) are not stated.
pub(super) fn device_identification(data: &[u8]) -> Said {
    let mut said = Said::new();
    let Some(mut rest) = data.get(6..) else { return said };
    while let [number, length, behind @ ..] = rest {
        let Some((value, next)) = behind.split_at_checked((*length).into()) else { break };
        let attribute = match number {
            0 => Some(Attribute::Manufacturer),
            1 | 5 => Some(Attribute::Model),
            2 => Some(Attribute::FirmwareVersion),
            4 => Some(Attribute::Description),
            _ => None,
        };
        let told = attribute.map(|attribute| (attribute, fixed(value)));
        // Some devices give their code as the name, too.
        said.extend(told.filter(|told| !said.contains(told)));
        rest = next;
    }
    said
}

/// A server id has no form that all devices share: a text in it, if there is one, describes the device.
pub(super) fn server_id(data: &[u8]) -> Said {
    let runs = data.get(1..).unwrap_or_default().split(|octet| !(b' '..=b'~').contains(octet));
    let longest = runs.max_by_key(|run| run.len()).filter(|run| run.len() >= SHORTEST_TEXT);
    longest.map(|text| vec![(Attribute::Description, fixed(text))]).unwrap_or_default()
}

/// Behind session and result: range (2), identity (4), model (2), version (2, in binary-coded decimal, the lowest octet
/// first), patch (2), internal version (2), hardware (2), crash code (4), unknown (2), the length of the name, the name.
pub(super) fn umas(data: &[u8]) -> Said {
    const RESULT_OK: u8 = 0xFE;
    let mut said = Said::new();
    let Some((&[_session, RESULT_OK], identity)) = data.split_first_chunk::<2>() else { return said };
    let name = identity.get(22).and_then(|length| part(identity, 23, (*length).into()));
    let Some(name) = name.map(fixed).filter(|name| !name.is_empty() && name.is_ascii()) else { return said };
    said.push((Attribute::Model, name));
    let is_decimal = |version: &u16| format!("{version:x}").bytes().all(|digit| digit.is_ascii_digit());
    if let Some(version) = le16(identity, 8).filter(|version| *version != 0).filter(is_decimal) {
        said.push((Attribute::FirmwareVersion, format!("{:x}.{:02x}", version >> 8, version & 0xFF)));
    }
    said
}
