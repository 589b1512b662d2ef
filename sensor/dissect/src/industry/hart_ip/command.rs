//! What answers to universal and common practice commands say (HCF_SPEC-127, HCF_SPEC-151).

use wardwatch_proto::v1::Attribute;

use super::frame::Pdu;
use crate::industry::text::fixed;
use crate::octets::{be16, be32, part, piece};

type Said = Vec<(Attribute, String)>;

const READ_TAG: u8 = 13;
const READ_FINAL_ASSEMBLY: u8 = 16;
const READ_LONG_TAG: u8 = 20;
pub(super) const READ_SUB_DEVICE: u8 = 84;

/// Bit of the flags: the device is a bridge to another protocol, as gateways are.
const BRIDGE: u8 = 0x04;

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Device type and device id: the unique address.
    pub(super) address: [u8; 5],
    pub(super) is_bridge: bool,
    pub(super) said: Said,
}

/// Commands 0, 11 and 21: 254, type (2), preambles, universal revision, device revision, software revision, hardware
/// revision and signalling, flags, device id (3), and since revision 7 more, among it the maker (2).
pub(super) fn identity(pdu: &Pdu<'_>) -> Option<Identity> {
    let data = pdu.data;
    if !matches!(pdu.command, 0 | 11 | 21) || data.first() != Some(&254) {
        return None;
    }
    let kind = be16(data, 1)?;
    let [universal, _device, software, hardware, flags] = piece(data, 4)?;
    let [a, b, c] = piece(data, 9)?;
    let [high, low] = kind.to_be_bytes();
    let maker = if universal >= 7 { be16(data, 17)? } else { high.into() };
    let mut said = vec![
        (Attribute::HartManufacturerId, maker.to_string()),
        (Attribute::HartDeviceType, kind.to_string()),
        (Attribute::SerialNumber, device_id([a, b, c])),
        // The five high bits.
        (Attribute::HardwareVersion, (hardware >> 3).to_string()),
    ];
    // Those above stand for devices that have none.
    if software < 253 {
        said.push((Attribute::FirmwareVersion, software.to_string()));
    }
    Some(Identity { address: [high & 0x3F, low, a, b, c], is_bridge: flags & BRIDGE != 0, said })
}

/// Commands whose answers have a tag or a number in them.
pub(super) fn other(pdu: &Pdu<'_>) -> Said {
    let said = match pdu.command {
        READ_TAG => tag_and_descriptor(pdu.data),
        READ_FINAL_ASSEMBLY => final_assembly(pdu.data),
        READ_LONG_TAG => pdu.data.get(..32).map(|tag| vec![(Attribute::DeviceTag, fixed(tag))]),
        _ => None,
    };
    let mut said = said.unwrap_or_default();
    said.retain(|(_, value)| !value.is_empty());
    said
}

fn tag_and_descriptor(data: &[u8]) -> Option<Said> {
    let (tag, descriptor) = (part(data, 0, 6)?, part(data, 6, 12)?);
    Some(vec![(Attribute::DeviceTag, packed(tag)), (Attribute::Description, packed(descriptor))])
}

fn final_assembly(data: &[u8]) -> Option<Said> {
    let [a, b, c] = piece(data, 0)?;
    let number = u32::from_be_bytes([0, a, b, c]);
    let is_set = !matches!(number, 0 | 0x00FF_FFFF);
    is_set.then(|| vec![(Attribute::EquipmentId, number.to_string())])
}

/// Command 84: index (2), card, channel, maker (2), type (2), device id (3), universal revision, long tag (32).
pub(super) fn sub_device(data: &[u8]) -> Option<([u8; 5], Said)> {
    let (maker, kind) = (be16(data, 4)?, be16(data, 6)?);
    let [a, b, c] = piece(data, 8)?;
    let [high, low] = kind.to_be_bytes();
    let mut said = vec![
        (Attribute::HartManufacturerId, maker.to_string()),
        (Attribute::HartDeviceType, kind.to_string()),
        (Attribute::SerialNumber, device_id([a, b, c])),
    ];
    let tag = part(data, 12, 32).map(fixed).filter(|tag| !tag.is_empty());
    said.extend(tag.map(|tag| (Attribute::DeviceTag, tag)));
    Some(([high & 0x3F, low, a, b, c], said))
}

fn device_id([a, b, c]: [u8; 3]) -> String {
    u32::from_be_bytes([0, a, b, c]).to_string()
}

/// Characters of six bits: four of them in three octets; those below 32 stand for the letters. A tag that was never set
/// is all `@`.
fn packed(octets: &[u8]) -> String {
    let (threes, _) = octets.as_chunks::<3>();
    let characters = threes.iter().flat_map(|[a, b, c]| {
        let bits = be32(&[0, *a, *b, *c], 0).unwrap_or_default();
        [18, 12, 6, 0].map(|shift| {
            let six = (bits >> shift & 0x3F) as u8;
            char::from(if six < 0x20 { six | 0x40 } else { six })
        })
    });
    let text: String = characters.collect();
    text.trim_end_matches('@').trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_six_bits_are_unpacked() {
        // P = 10h, 1 = 31h, 0 = 30h, 1 = 31h, blanks.
        assert_eq!(packed(&[0b0100_0011, 0b0001_1100, 0b0011_0001, 0x82, 0x08, 0x20]), "P101");
        assert_eq!(packed(&[0; 6]), "");
    }
}
