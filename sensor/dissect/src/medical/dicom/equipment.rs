//! What a dataset says about equipment (PS3.3, C.7.5.1, C.7.5.2, C.8.6.1, C.8.8.14, C.8.8.21, C.12.1, C.13.9), and about
//! nothing else.
//!
//! The table below is the whole list: an element that is not in it is stepped over. Of the patient's group only one
//! thing is noted, that something stands in it.

use wardwatch_proto::v1::Attribute;

use super::dataset::{Place, Tag, Visitor, Want};
use super::text::CharacterSet;
use crate::Facts;
use crate::medical::udi::Udi;

const CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
const STATION_AE: Tag = Tag(0x0008, 0x0055);
const MODALITY: Tag = Tag(0x0008, 0x0060);
const MANUFACTURER: Tag = Tag(0x0008, 0x0070);
const STATION_NAME: Tag = Tag(0x0008, 0x1010);
const MODEL: Tag = Tag(0x0008, 0x1090);
const PATIENT: u16 = 0x0010;
const SERIAL_NUMBER: Tag = Tag(0x0018, 0x1000);
const UDI: Tag = Tag(0x0018, 0x1009);
const UDI_SEQUENCE: Tag = Tag(0x0018, 0x100A);
const SOFTWARE_VERSIONS: Tag = Tag(0x0018, 0x1020);
const CONTRIBUTING_SEQUENCE: Tag = Tag(0x0018, 0xA001);
const SCHEDULED_AE: Tag = Tag(0x0040, 0x0001);
const SCHEDULED_STATION: Tag = Tag(0x0040, 0x0010);
const SCHEDULED_LOCATION: Tag = Tag(0x0040, 0x0011);
const SCHEDULED_SEQUENCE: Tag = Tag(0x0040, 0x0100);
const PERFORMED_AE: Tag = Tag(0x0040, 0x0241);
const ORIGINAL_ATTRIBUTES: Tag = Tag(0x0400, 0x0561);
const BEAM_SEQUENCE: Tag = Tag(0x300A, 0x00B0);
const TREATMENT_MACHINE: Tag = Tag(0x300A, 0x00B2);
const TREATMENT_MACHINE_SEQUENCE: Tag = Tag(0x300A, 0x0206);

/// Elements that describe the device that made the object, or contributed to it, one value each (several where the
/// standard allows several).
const OF_DEVICE: &[(Tag, Attribute)] = &[
    (MODALITY, Attribute::DicomModality),
    (MANUFACTURER, Attribute::Manufacturer),
    (Tag(0x0008, 0x0080), Attribute::Institution),
    (STATION_NAME, Attribute::StationName),
    (Tag(0x0008, 0x1040), Attribute::Department),
    (MODEL, Attribute::Model),
    (SERIAL_NUMBER, Attribute::SerialNumber),
    (Tag(0x0018, 0x1002), Attribute::DeviceUid),
    (SOFTWARE_VERSIONS, Attribute::SoftwareVersion),
    (Tag(0x0018, 0x1200), Attribute::CalibrationDate),
    (Tag(0x0018, 0x1204), Attribute::ManufactureDate),
    (Tag(0x0040, 0x0242), Attribute::StationName),
    (Tag(0x0040, 0x0243), Attribute::Location),
];

/// Elements that describe what turned something else into the object: a device of secondary capture, or (retired) one of
/// hardcopies.
const OF_CONVERTER: &[(Tag, Attribute)] = &[
    (Tag(0x0018, 0x1010), Attribute::SerialNumber),
    (Tag(0x0018, 0x1011), Attribute::SerialNumber),
    (Tag(0x0018, 0x1016), Attribute::Manufacturer),
    (Tag(0x0018, 0x1017), Attribute::Manufacturer),
    (Tag(0x0018, 0x1018), Attribute::Model),
    (Tag(0x0018, 0x1019), Attribute::SoftwareVersion),
    (Tag(0x0018, 0x101A), Attribute::SoftwareVersion),
    (Tag(0x0018, 0x101B), Attribute::Model),
];

/// Elements of a beam, or of a record of what was given, that describe the machine which gives it.
const OF_TREATMENT_MACHINE: &[(Tag, Attribute)] = &[
    (MANUFACTURER, Attribute::Manufacturer),
    (MODEL, Attribute::Model),
    (SERIAL_NUMBER, Attribute::SerialNumber),
    (TREATMENT_MACHINE, Attribute::StationName),
];

/// The creator of GE's identification block, and what of it is wanted by the low octet of the element.
const GE_IDENTIFICATION: &str = "GEMS_IDEN_01";
const OF_GE_IDENTIFICATION: &[(u8, Attribute)] = &[
    (0x04, Attribute::Model),
    (0x30, Attribute::EquipmentId),
    (0xE3, Attribute::DeviceUid),
    (0xE6, Attribute::SoftwareVersion),
];

/// Values kept of one device, devices and stations kept of one dataset, values of one element.
const MOST_VALUES: usize = 48;
const MOST_DEVICES: usize = 8;
const MOST_STATIONS: usize = 16;
const MOST_MULTIPLES: usize = 8;

/// One device as a dataset describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Device {
    /// In the order in which they stood.
    pub(super) values: Vec<(Attribute, String)>,
}

impl Device {
    /// The first value of this attribute, or nothing.
    pub(super) fn first(&self, attribute: Attribute) -> &str {
        self.values
            .iter()
            .find(|(of, _)| *of == attribute)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// What tells this device from others, as a key for a third device: the serial number or the device UID, or
    /// failing both the station name, beside maker and model. Empty when there is none of these: maker and model
    /// alone would make one device out of two.
    pub(super) fn key(&self) -> String {
        let [maker, model] =
            [Attribute::Manufacturer, Attribute::Model].map(|attribute| (attribute, self.first(attribute)));
        for (kind, attribute) in [
            ("serial", Attribute::SerialNumber),
            ("uid", Attribute::DeviceUid),
            ("station", Attribute::StationName),
        ] {
            let own = (attribute, self.first(attribute));
            if !Facts::third_key(kind, &[own]).is_empty() {
                return Facts::third_key(kind, &[maker, model, own]);
            }
        }
        String::new()
    }

    fn add(&mut self, attribute: Attribute, value: &str) {
        let known = || self.values.iter().any(|(of, old)| *of == attribute && old == value);
        if !value.is_empty() && self.values.len() < MOST_VALUES && !known() {
            self.values.push((attribute, value.to_owned()));
        }
    }

    /// Adds an element's value in the shape that the attribute has.
    fn add_element(&mut self, attribute: Attribute, text: &str) {
        match attribute {
            Attribute::SoftwareVersion => {
                for version in text.split('\\').take(MOST_MULTIPLES) {
                    // Some systems write each version in quotation marks.
                    self.add(attribute, version.trim_matches([' ', '"']));
                }
            }
            Attribute::CalibrationDate | Attribute::ManufactureDate => {
                for date in text.split('\\').take(MOST_MULTIPLES).filter_map(date) {
                    self.add(attribute, &date);
                }
            }
            // Some systems put their address there.
            Attribute::SerialNumber if text.parse::<std::net::IpAddr>().is_ok() => {}
            _ => self.add(attribute, text),
        }
    }
}

/// A station of a worklist's answer: whom a procedure step is scheduled on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Station {
    pub(super) title: String,
    pub(super) values: Vec<(Attribute, String)>,
}

/// What one dataset says.
#[derive(Debug, Default)]
pub(super) struct Equipment {
    /// The device that made the object.
    pub(super) creator: Device,
    /// The titles that the object gives its creator.
    pub(super) titles: Vec<String>,
    /// What turned something else into this object: a frame grabber, a film digitiser.
    pub(super) converter: Device,
    /// Whatever else the object passed through.
    pub(super) contributors: Vec<Device>,
    pub(super) scheduled: Vec<Station>,
    /// One for each beam that is looked at: often the same.
    pub(super) treatment_machines: Vec<Device>,
    /// Something stands in group 0010.
    pub(super) has_patient: bool,
    /// A system that it passed through, an archive as a rule, has noted what it changed (C.12.1.1.9).
    pub(super) was_changed: bool,
    character_set: CharacterSet,
    /// The group and the block that GE's identification has taken.
    ge_block: Option<(u16, u8)>,
}

impl Visitor for Equipment {
    fn want(&mut self, place: Place, tag: Tag, length: u32) -> Want {
        match place {
            Place::Root if tag.0 == PATIENT => {
                self.has_patient |= length > 0;
                Want::Nothing
            }
            Place::Root if tag == ORIGINAL_ATTRIBUTES => {
                self.was_changed |= length > 0;
                Want::Nothing
            }
            Place::Root => match tag {
                UDI_SEQUENCE
                | CONTRIBUTING_SEQUENCE
                | SCHEDULED_SEQUENCE
                | BEAM_SEQUENCE
                | TREATMENT_MACHINE_SEQUENCE => Want::Items,
                CHARACTER_SET | STATION_AE | PERFORMED_AE => Want::Value,
                _ => wanted(
                    find(OF_DEVICE, tag).or(find(OF_CONVERTER, tag)).is_some()
                        || is_creator(tag)
                        || self.of_ge_block(tag).is_some(),
                ),
            },
            Place::Item(UDI_SEQUENCE, _) => wanted(tag == UDI),
            Place::Item(CONTRIBUTING_SEQUENCE, _) => wanted(find(OF_DEVICE, tag).is_some()),
            Place::Item(SCHEDULED_SEQUENCE, _) => {
                wanted(matches!(tag, MODALITY | SCHEDULED_AE | SCHEDULED_STATION | SCHEDULED_LOCATION))
            }
            Place::Item(BEAM_SEQUENCE | TREATMENT_MACHINE_SEQUENCE, _) => {
                wanted(find(OF_TREATMENT_MACHINE, tag).is_some())
            }
            Place::Item(..) => Want::Nothing,
        }
    }

    fn value(&mut self, place: Place, tag: Tag, value: &[u8]) {
        if tag == CHARACTER_SET {
            self.character_set = CharacterSet::from_value(value);
            return;
        }
        let text = self.character_set.read(value);
        if text.is_empty() {
            return;
        }
        match place {
            Place::Root => self.root_value(tag, &text),
            Place::Item(UDI_SEQUENCE, _) => {
                for (attribute, value) in Udi::read(&text).iter().flat_map(Udi::facts) {
                    self.creator.add(attribute, value);
                }
            }
            Place::Item(CONTRIBUTING_SEQUENCE, number) => {
                if let (Some(attribute), Some(device)) =
                    (find(OF_DEVICE, tag), nth(&mut self.contributors, number, MOST_DEVICES))
                {
                    device.add_element(attribute, &text);
                }
            }
            Place::Item(SCHEDULED_SEQUENCE, number) => {
                let Some(station) = nth(&mut self.scheduled, number, MOST_STATIONS) else { return };
                match tag {
                    SCHEDULED_AE => station.title = text,
                    SCHEDULED_STATION => station.values.push((Attribute::StationName, text)),
                    SCHEDULED_LOCATION => station.values.push((Attribute::Location, text)),
                    _ => station.values.push((Attribute::DicomModality, text)),
                }
            }
            Place::Item(_, number) => {
                if let (Some(attribute), Some(device)) =
                    (find(OF_TREATMENT_MACHINE, tag), nth(&mut self.treatment_machines, number, MOST_DEVICES))
                {
                    device.add_element(attribute, &text);
                }
            }
        }
    }
}

impl Equipment {
    fn root_value(&mut self, tag: Tag, text: &str) {
        match tag {
            STATION_AE | PERFORMED_AE => {
                self.titles
                    .extend(text.split('\\').take(MOST_MULTIPLES).map(|title| title.trim().to_owned()));
            }
            _ if is_creator(tag) => {
                if text == GE_IDENTIFICATION {
                    self.ge_block = Some((tag.0, (tag.1 & 0xFF) as u8));
                }
                self.creator.add(Attribute::DicomPrivateCreator, text);
            }
            _ => {
                if let Some(attribute) = find(OF_DEVICE, tag).or_else(|| self.of_ge_block(tag)) {
                    self.creator.add_element(attribute, text);
                } else if let Some(attribute) = find(OF_CONVERTER, tag) {
                    self.converter.add_element(attribute, text);
                }
            }
        }
    }

    fn of_ge_block(&self, tag: Tag) -> Option<Attribute> {
        let [element, block] = tag.1.to_le_bytes();
        let of = OF_GE_IDENTIFICATION.iter().find(|(number, _)| *number == element);
        of.filter(|_| self.ge_block == Some((tag.0, block))).map(|(_, attribute)| *attribute)
    }
}

fn wanted(yes: bool) -> Want {
    if yes { Want::Value } else { Want::Nothing }
}

/// What a table has an element for.
fn find(table: &[(Tag, Attribute)], tag: Tag) -> Option<Attribute> {
    table.iter().find(|(of, _)| *of == tag).map(|(_, attribute)| *attribute)
}

/// Whether this element reserves a block of private elements by naming its creator (PS3.5, 7.8.1).
fn is_creator(tag: Tag) -> bool {
    tag.0 % 2 == 1 && tag.0 > 0x0008 && (0x0010..=0x00FF).contains(&tag.1)
}

/// The list's entry with this number, made if it is the next one.
fn nth<T: Default>(list: &mut Vec<T>, number: u32, most: usize) -> Option<&mut T> {
    let number = usize::try_from(number).ok().filter(|number| *number < most)?;
    while list.len() <= number {
        list.push(T::default());
    }
    list.get_mut(number)
}

/// `YYYYMMDD` with dashes.
fn date(value: &str) -> Option<String> {
    let value = value.trim();
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = value.split_at_checked(4).filter(|_| digits)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some(format!("{year}-{month}-{day}"))
}
