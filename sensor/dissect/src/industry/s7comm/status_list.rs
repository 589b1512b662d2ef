//! Records of the system status lists 0011 (module identification) and 001C (component identification): "System and
//! standard functions for S7-300/400", chapter 34.

use wardwatch_proto::v1::Attribute;

use crate::industry::text::fixed;
use crate::octets::{be16, part};

type Said = Vec<(Attribute, String)>;

/// The low octet of a list's id is its number; the high one tells of which extract, for which class of module.
const MODULE: u16 = 0x11;
const COMPONENT: u16 = 0x1C;

/// Reads a whole list: id, index, length of a record, number of records, records.
pub(super) fn read(list: &[u8]) -> Said {
    read_records(list).unwrap_or_default()
}

fn read_records(list: &[u8]) -> Option<Said> {
    let (id, length) = (be16(list, 0)?, usize::from(be16(list, 4)?));
    let records = list.get(8..)?;
    let mut said = Said::new();
    if length == 0 {
        return None;
    }
    for record in records.chunks_exact(length) {
        let index = be16(record, 0)?;
        match (id & 0x00FF, length) {
            (MODULE, 28) => said.extend(module(index, record)),
            (COMPONENT, 34) => said.extend(component(index, record)),
            _ => return None,
        }
    }
    Some(said)
}

/// Index, order number (20), type of module (2), version (2), version of the description (2).
fn module(index: u16, record: &[u8]) -> Said {
    let order = || part(record, 2, 20).map(fixed).unwrap_or_default();
    match index {
        1 => vec![(Attribute::OrderNumber, order())],
        6 => {
            let number = be16(record, 24).filter(|number| *number != 0);
            number.map(|number| vec![(Attribute::HardwareVersion, number.to_string())]).unwrap_or_default()
        }
        // V and three numbers.
        7 => match record.get(24..28) {
            Some([b'V', major, minor, patch]) => {
                vec![(Attribute::FirmwareVersion, format!("{major}.{minor}.{patch}"))]
            }
            _ => Said::new(),
        },
        _ => Said::new(),
    }
}

/// Index, and a text: 24 or 32 octets. The plant's designation (3) and the copyright (4) are not stated.
fn component(index: u16, record: &[u8]) -> Option<(Attribute, String)> {
    let attribute = match index {
        // The name of the automation system, and that of the module.
        1 => Attribute::Description,
        2 => Attribute::DeviceTag,
        5 => Attribute::SerialNumber,
        7 => Attribute::Model,
        0x0B => Attribute::Location,
        _ => return None,
    };
    let text = record.get(2..).map(fixed)?;
    (!text.is_empty()).then_some((attribute, text))
}
