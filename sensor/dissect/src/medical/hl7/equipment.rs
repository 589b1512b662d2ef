//! Equipment that a message names outside its observations: EQU (HL7 v2.4, 13.4.1) and PRT (HL7 v2.7, 7.4.4; device
//! identifiers since 2.8.2).

use wardwatch_proto::v1::Attribute;

use super::header::Header;
use super::segment::Segment;
use crate::Facts;
use crate::medical::udi::Udi;

/// EQU-1 of messages that an analyser sends about itself, or gets from its controller.
pub(super) fn equipment(segment: &Segment<'_>, header: &Header, facts: &mut Facts<'_>) {
    let number = segment.field(1).component(1);
    match header.kind.split('_').next() {
        // Status, inventory, notification, log: from the equipment.
        Some("ESU" | "INU" | "EAN" | "LSU" | "EAR") => facts.of_sender(Attribute::EquipmentId, &number),
        // Command, request, settings: to the equipment.
        Some("EAC" | "ESR" | "INR" | "LSR" | "TCU" | "TCR") => {
            facts.of_receiver(Attribute::EquipmentId, &number);
        }
        _ => {}
    }
}

/// PRT of a device: a third one, since a participation names what took part in somebody's care.
pub(super) fn participation(segment: &Segment<'_>, facts: &mut Facts<'_>) {
    let [entity, declared, made, lot, serial] =
        [10, 16, 17, 19, 21].map(|number| segment.field(number).component(1));
    // Free text stands in these fields too: an identifier counts with a valid check character only.
    let udi = Udi::read(&declared).or_else(|| Udi::read(&entity)).unwrap_or_default();
    let own = |own: String, read: &str| if own.is_empty() { read.to_owned() } else { own };
    let serial = own(serial, &udi.serial);
    let unit = if udi.device.is_empty() { entity.as_str() } else { "" };
    let identifiers = [
        (Attribute::UdiDi, udi.device.as_str()),
        (Attribute::SerialNumber, serial.as_str()),
        (Attribute::EquipmentId, unit),
    ];
    // A number of its own, or at least the product: a name alone is nobody.
    let key = Facts::third_key("udi", &identifiers);
    if key.is_empty() {
        return;
    }
    let made = own(date(&made).unwrap_or_default(), &udi.manufactured);
    let lot = own(lot, &udi.lot);
    let dated = [(Attribute::LotNumber, lot.as_str()), (Attribute::ManufactureDate, made.as_str())];
    for (attribute, value) in identifiers.iter().chain(&dated) {
        if !value.is_empty() {
            facts.of_third(&key, *attribute, value);
        }
    }
}

/// The date of a time stamp (HL7 v2, 2.A.22: `YYYYMMDD...`).
fn date(stamp: &str) -> Option<String> {
    let digits = stamp.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some(format!("{year}-{month}-{day}"))
}
