//! What a device says about itself: I-Am, I-Have and Who-Am-I (ASHRAE 135, clauses 16.10, 16.9, 16.11), and its device
//! object's properties in answers to ReadProperty and ReadPropertyMultiple (15.5, 15.7; property identifiers: clause 21).

use wardwatch_proto::v1::Attribute;

use super::tag::{
    CHARACTER_STRING, OBJECT_IDENTIFIER, Tag, Tags, UNSIGNED, device_instance, is_device, text, unsigned,
};

/// One statement.
pub(super) type Fact = (Attribute, String);

/// Objects and properties of one answer that are looked at.
const MOST_PROPERTIES: usize = 256;

/// I-Am: the device's instance, two limits, the vendor.
pub(super) fn i_am(mut tags: Tags<'_>) -> Option<[Fact; 2]> {
    let Tag::Application(OBJECT_IDENTIFIER, device) = tags.next()? else { return None };
    let instance = device_instance(device)?;
    let Tag::Application(UNSIGNED, vendor) = tags.nth(2)? else { return None };
    Some([
        (Attribute::BacnetInstance, instance.to_string()),
        (Attribute::BacnetVendorId, unsigned(vendor)?.to_string()),
    ])
}

/// I-Have: the device, the object and its name; the name counts when the object is the device itself.
pub(super) fn i_have(mut tags: Tags<'_>) -> Vec<Fact> {
    let Some(Tag::Application(OBJECT_IDENTIFIER, device)) = tags.next() else { return Vec::new() };
    let Some(instance) = device_instance(device) else { return Vec::new() };
    let mut facts = vec![(Attribute::BacnetInstance, instance.to_string())];
    if let (Some(Tag::Application(OBJECT_IDENTIFIER, object)), Some(Tag::Application(CHARACTER_STRING, name))) =
        (tags.next(), tags.next())
        && object == device
        && let Some(name) = text(name)
    {
        facts.push((Attribute::BacnetObjectName, name));
    }
    facts
}

/// Who-Am-I of a device that has no instance yet: vendor, model's name, serial number. You-Are, which answers it, goes to
/// everybody and names the device by the same three; nothing of it is new.
pub(super) fn who_am_i(mut tags: Tags<'_>) -> Vec<Fact> {
    let Some(Tag::Application(UNSIGNED, vendor)) = tags.next() else { return Vec::new() };
    let vendor = unsigned(vendor).map(|vendor| (Attribute::BacnetVendorId, vendor.to_string()));
    let mut facts = Vec::from_iter(vendor);
    for attribute in [Attribute::Model, Attribute::SerialNumber] {
        let Some(Tag::Application(CHARACTER_STRING, characters)) = tags.next() else { break };
        facts.extend(text(characters).map(|text| (attribute, text)));
    }
    facts
}

/// The answer to ReadProperty: object, property, perhaps an index, value.
pub(super) fn read_property(mut tags: Tags<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(object) = tags.context(0)
        && let Some(property) = tags.context(1)
        && is_device(object)
    {
        facts.extend(instance_fact(object));
        if tags.context(2).is_none()
            && tags.opens(3)
            && let Some(value) = tags.enclosed(3)
        {
            facts.extend(fact(property, value));
        }
    }
    facts
}

/// The answer to ReadPropertyMultiple: objects, each with a list of properties, each with a value or an error.
pub(super) fn read_property_multiple(mut tags: Tags<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut left = MOST_PROPERTIES;
    while let Some(object) = tags.context(0) {
        let is_device = is_device(object);
        facts.extend(instance_fact(object));
        if !tags.opens(1) {
            break;
        }
        loop {
            left = left.saturating_sub(1);
            if left == 0 {
                return facts;
            }
            if tags.closes(1) {
                break;
            }
            let Some(property) = tags.context(2) else { return facts };
            let is_whole = tags.context(3).is_none();
            if tags.opens(4) {
                let Some(value) = tags.enclosed(4) else { return facts };
                if is_device && is_whole {
                    facts.extend(fact(property, value));
                }
            } else if !(tags.opens(5) && tags.enclosed(5).is_some()) {
                return facts;
            }
        }
    }
    facts
}

/// A device's number, unless it is the one that stands for any.
fn instance_fact(object: &[u8]) -> Option<Fact> {
    device_instance(object).map(|instance| (Attribute::BacnetInstance, instance.to_string()))
}

/// A property of the device object, if it is on the list and its value is a single one of the right type.
fn fact(property: &[u8], mut value: Tags<'_>) -> Option<Fact> {
    let attribute = match unsigned(property)? {
        12 => Attribute::SoftwareVersion,
        28 => Attribute::Description,
        44 => Attribute::FirmwareVersion,
        58 => Attribute::Location,
        70 => Attribute::Model,
        75 => Attribute::BacnetInstance,
        77 => Attribute::BacnetObjectName,
        120 => Attribute::BacnetVendorId,
        121 => Attribute::Manufacturer,
        372 => Attribute::SerialNumber,
        _ => return None,
    };
    let text = match (attribute, value.next()?) {
        (Attribute::BacnetVendorId, Tag::Application(UNSIGNED, number)) => unsigned(number)?.to_string(),
        (Attribute::BacnetInstance, Tag::Application(OBJECT_IDENTIFIER, object)) => {
            device_instance(object)?.to_string()
        }
        (Attribute::BacnetVendorId | Attribute::BacnetInstance, _) => return None,
        (_, Tag::Application(CHARACTER_STRING, characters)) => text(characters)?,
        _ => return None,
    };
    Some((attribute, text)).filter(|_| value.next().is_none())
}
