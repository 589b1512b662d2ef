//! Whose equipment? The tags of an object describe the device that made it, which need not be the one that sends it.
//!
//! An archive forwards a scanner's images, a router everybody's; taking the tags for the sender's would turn the
//! archive into a scanner. What has been stated cannot be taken back, so it is decided at the end of the first
//! object's header, and again for every other device that turns up. The creator is the sender when
//!
//! - the object is no sub-operation of a C-MOVE (PS3.7, 9.1.1.1: move originator) and comes from the end that opened
//!   the association, and
//! - the sender's application entity title is the station's or performed station's title, the station's name or the
//!   device's model or serial number, or ends in its serial number (`MRC26266`); or else
//! - the sender proposes what a scanner proposes (`Association::requestor_is_like_a_modality`), the object bears no
//!   note of changes by a system that it passed through, and this is the first device that the sender speaks of on
//!   this association.
//!
//! Otherwise it is a third device, told apart by serial number, device UID or station name; without any of these
//! nothing is stated.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use wardwatch_proto::v1::Attribute;

use super::association::Association;
use super::command::{Command, Operation};
use super::equipment::{Device, Equipment, Station};
use crate::{Direction, Facts};

/// Different descriptions that are stated of one association.
const MOST_DESCRIPTIONS: usize = 64;

/// Letters and digits that make a serial number at the end of a title more than chance.
const SHORTEST_SERIAL_IN_TITLE: usize = 4;

/// What has been stated on one association.
#[derive(Debug, Default)]
pub(super) struct Attribution {
    stated: BTreeSet<u64>,
    /// The device that the sender was taken for: its maker, model and serial number.
    own: Option<[String; 3]>,
    patient_data: BTreeSet<(usize, &'static str)>,
}

impl Attribution {
    /// States what a dataset said, for the end that sent it in this direction with this command.
    pub(super) fn state(
        &mut self,
        equipment: &Equipment,
        command: &Command,
        association: &Association,
        direction: Direction,
        facts: &mut Facts<'_>,
    ) {
        let carrier = if command.is_query() { "dicom-query" } else { "dicom-object" };
        if equipment.has_patient && self.patient_data.insert((direction.index(), carrier)) {
            facts.of_sender(Attribute::CleartextPatientData, carrier);
        }
        match command.operation {
            Operation::Store | Operation::Create | Operation::Set if !command.is_response => {
                if self.is_own(equipment, command, association, direction) {
                    self.own(&equipment.creator, facts);
                } else {
                    self.creator(equipment, facts);
                }
                for device in std::iter::once(&equipment.converter).chain(&equipment.contributors) {
                    self.third(&device.key(), &device.values, facts);
                }
                for machine in &equipment.treatment_machines {
                    self.machine(machine, facts);
                }
            }
            Operation::Find if command.is_response => {
                equipment.scheduled.iter().for_each(|station| self.station(station, association, facts));
            }
            // A film printer tells of itself (PS3.3, C.13.9).
            Operation::Read if command.is_response && names_product(&equipment.creator) => {
                self.own(&equipment.creator, facts);
            }
            _ => {}
        }
    }

    fn is_own(
        &mut self,
        equipment: &Equipment,
        command: &Command,
        association: &Association,
        direction: Direction,
    ) -> bool {
        if command.is_sub_operation || !association.is_requestor(direction) {
            return false;
        }
        let creator = &equipment.creator;
        let identity = [Attribute::Manufacturer, Attribute::Model, Attribute::SerialNumber]
            .map(|attribute| creator.first(attribute).to_owned());
        if is_called_so(&association.calling, equipment) {
            self.own.get_or_insert(identity);
            return true;
        }
        let is_fresh = !equipment.was_changed;
        if is_fresh
            && association.requestor_is_like_a_modality()
            && identity.iter().any(|part| !part.is_empty())
        {
            return *self.own.get_or_insert_with(|| identity.clone()) == identity;
        }
        false
    }

    fn own(&mut self, device: &Device, facts: &mut Facts<'_>) {
        if self.is_new("", &device.values) {
            for (attribute, value) in &device.values {
                facts.of_sender(*attribute, value);
            }
        }
    }

    /// The creator of an object that somebody else sends; it has the titles that the object gives it.
    fn creator(&mut self, equipment: &Equipment, facts: &mut Facts<'_>) {
        let titles = equipment.titles.iter().filter(|title| !title.is_empty());
        let mut key = equipment.creator.key();
        if key.is_empty()
            && let Some(title) = titles.clone().next()
        {
            key = Facts::third_key("ae", &[(Attribute::DicomAeTitle, title)]);
        }
        let mut values = equipment.creator.values.clone();
        values.extend(titles.map(|title| (Attribute::DicomAeTitle, title.clone())));
        self.third(&key, &values, facts);
    }

    fn third(&mut self, key: &str, values: &[(Attribute, String)], facts: &mut Facts<'_>) {
        if !key.is_empty() && self.is_new(key, values) {
            for (attribute, value) in values {
                facts.of_third(key, *attribute, value);
            }
        }
    }

    /// A treatment machine, told apart by its serial number or by the name that plans call it by.
    fn machine(&mut self, machine: &Device, facts: &mut Facts<'_>) {
        let name = (Attribute::StationName, machine.first(Attribute::StationName));
        let serial = (Attribute::SerialNumber, machine.first(Attribute::SerialNumber));
        let key = if Facts::third_key("serial", &[serial]).is_empty() {
            Facts::third_key("machine", &[name])
        } else {
            machine.key()
        };
        self.third(&key, &machine.values, facts);
    }

    /// A worklist names the stations that steps are scheduled on: the one that asks, or others.
    fn station(&mut self, station: &Station, association: &Association, facts: &mut Facts<'_>) {
        // Several titles (the attribute may have many) share one name: whose it is cannot be told.
        if station.title.is_empty() || station.title.contains('\\') {
            return;
        }
        if station.title == association.calling {
            if self.is_new("=", &station.values) {
                for (attribute, value) in &station.values {
                    facts.of_receiver(*attribute, value);
                }
            }
        } else {
            let key = Facts::third_key("ae", &[(Attribute::DicomAeTitle, &station.title)]);
            let mut values = vec![(Attribute::DicomAeTitle, station.title.clone())];
            values.extend_from_slice(&station.values);
            self.third(&key, &values, facts);
        }
    }

    /// Whether this has not been stated yet on this association and may be stated.
    fn is_new(&mut self, key: &str, values: &[(Attribute, String)]) -> bool {
        let mut hasher = DefaultHasher::new();
        (key, values).hash(&mut hasher);
        !values.is_empty() && self.stated.len() < MOST_DESCRIPTIONS && self.stated.insert(hasher.finish())
    }
}

/// Whether a description is of a product, and not only of a place that something happens at.
fn names_product(device: &Device) -> bool {
    [Attribute::Manufacturer, Attribute::Model, Attribute::SerialNumber]
        .iter()
        .any(|attribute| !device.first(*attribute).is_empty())
}

/// Whether the sender's title agrees with what the object calls its creator.
fn is_called_so(calling: &str, equipment: &Equipment) -> bool {
    let calling = folded(calling);
    if calling.is_empty() {
        return false;
    }
    let creator = &equipment.creator;
    let serial = folded(creator.first(Attribute::SerialNumber));
    let stations =
        creator.values.iter().filter(|(of, _)| *of == Attribute::StationName).map(|(_, name)| name);
    equipment.titles.iter().chain(stations).any(|name| folded(name) == calling)
        || folded(creator.first(Attribute::Model)) == calling
        || serial.len() >= SHORTEST_SERIAL_IN_TITLE && calling.ends_with(&serial)
}

/// Letters and digits only, in upper case: titles are spelled in many ways.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
