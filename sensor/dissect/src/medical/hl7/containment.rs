//! Devices behind the sender of observations: the containment tree of OBX-3, OBX-4 and OBX-18 (IHE PCD TF-2, B.8 and
//! B.10; codes: ISO/IEEE 11073-10101).
//!
//! OBX-4 is `MDS.VMD.CHAN.METRIC`, zeros below the level that is described: `1.0.0.0` is the first device, `1.13.0.0` a
//! module in it, and `1.0.0.3` a value of the device itself. Every device is a third one: what is said about a pump
//! must not land on the gateway that relays it. Modules count as devices of their own where they are told apart.

use wardwatch_proto::v1::Attribute;

use super::header::Header;
use super::instance::Instance;
use super::segment::{Field, Segment};
use crate::Facts;

/// Devices and modules that are kept of one message, values of each, repetitions of OBX-18.
const MOST_UNITS: usize = 32;
const MOST_VALUES: usize = 16;
const MOST_INSTANCES: usize = 4;

/// Device codes stand in this block of the nomenclature; some senders leave it out.
const DEVICE_BLOCK: u32 = 0x1_0000;

/// Which device or module of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    device: u32,
    /// Nothing for the device itself.
    module: Option<u32>,
}

#[derive(Debug)]
struct Unit {
    place: Place,
    /// What its own row says it is.
    instance: Option<Instance>,
    /// What the row of something within it says, for a device that has no row of its own.
    inherited: Option<Instance>,
    values: Vec<(Attribute, String)>,
}

/// The devices of one message.
#[derive(Debug, Default)]
pub(super) struct Containment {
    units: Vec<Unit>,
}

impl Containment {
    /// Reads one OBX.
    pub(super) fn observation(&mut self, segment: &Segment<'_>, header: &Header) {
        let arcs = arcs(&segment.field(4).component(1));
        let Some(place) = arcs
            .as_deref()
            .and_then(place)
            .filter(|_| header.is_patient_care_device || is_tree(arcs.as_deref()))
        else {
            return self.result(segment);
        };
        self.instances(&segment.field(18), place, is_row_of(arcs.as_deref()));
        let observed = segment.field(3);
        let (code, name) = (observed.component(1), observed.component(2));
        if let Some(kind) = device_type(&code, &name, place) {
            self.add(place, Attribute::DeviceTypeCode, &kind.to_string());
        } else if let Some(identity) = identity(&code, &name) {
            self.identity(place, identity, segment);
        }
    }

    /// An observation outside any tree, of a laboratory: its instance may name the analyser.
    fn result(&mut self, segment: &Segment<'_>) {
        let field = segment.field(18);
        let mut instances = field.repetitions();
        let (Some(first), Some(second)) = (instances.next(), instances.next()) else { return };
        if let Some(instance) = Instance::of_analyser(&first, &second)
            && !self.units.iter().any(|unit| unit.instance.as_ref() == Some(&instance))
            && self.units.len() < MOST_UNITS
        {
            let place = Place { device: 0, module: None };
            self.units.push(Unit { place, instance: Some(instance), inherited: None, values: Vec::new() });
        }
    }

    /// OBX-18: the lowest level first, the device last. One alone describes the level of its row.
    fn instances(&mut self, field: &Field<'_>, place: Place, is_own_row: bool) {
        let instances: Vec<Instance> =
            field.repetitions().take(MOST_INSTANCES).filter_map(|one| Instance::read(&one)).collect();
        let (Some(lowest), Some(highest)) = (instances.first(), instances.last()) else { return };
        let device = Place { module: None, ..place };
        if instances.len() > 1 || place == device && is_own_row {
            if let Some(unit) = self.unit(device) {
                unit.instance.get_or_insert_with(|| highest.clone());
            }
        } else if let Some(unit) = self.unit(device) {
            unit.inherited.get_or_insert_with(|| highest.clone());
        }
        if place != device
            && is_own_row
            && let Some(unit) = self.unit(place)
        {
            unit.instance.get_or_insert_with(|| lowest.clone());
        }
    }

    /// OBX-5 of an observation that identifies its device.
    fn identity(&mut self, place: Place, identity: Identity, segment: &Segment<'_>) {
        let value = segment.field(5);
        let text = match (segment.field(2).component(1).as_str(), value.is_composite()) {
            ("CE" | "CWE" | "CNE" | "CF", true) => {
                let meaning = value.component(2);
                if meaning.is_empty() { value.component(1) } else { meaning }
            }
            (_, false) => value.component(1),
            (_, true) => return,
        };
        match identity {
            Identity::Is(Attribute::EquipmentId) => match crate::medical::address::eui64(&text) {
                Some(address) => self.add(place, Attribute::Eui64, &address),
                None => self.add(place, Attribute::EquipmentId, &text),
            },
            Identity::Is(Attribute::Model) if text.contains('=') => self.pairs(place, &text),
            Identity::Is(attribute) => self.add(place, attribute, &text),
            Identity::Pairs => self.pairs(place, &text),
        }
    }

    /// `manufacturer=Acme model=Pump 4000`: names that are known, each up to the next.
    fn pairs(&mut self, place: Place, text: &str) {
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('=') {
            let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            // The value ends where the next name begins.
            let value = match behind.split_once('=') {
                Some((value, _)) => value.rsplit_once([' ', ',', ';']).map_or("", |(value, _)| value),
                None => behind,
            };
            let attribute = match name.to_ascii_lowercase().as_str() {
                "manufacturer" => Some(Attribute::Manufacturer),
                "model" => Some(Attribute::Model),
                "serial" => Some(Attribute::SerialNumber),
                _ => None,
            };
            if let Some(attribute) = attribute {
                self.add(place, attribute, value.trim_end_matches([' ', ',', ';']));
            }
            rest = behind;
        }
    }

    fn add(&mut self, place: Place, attribute: Attribute, value: &str) {
        if let Some(unit) = self.unit(place)
            && !value.is_empty()
            && unit.values.len() < MOST_VALUES
            && !unit.values.iter().any(|(of, old)| *of == attribute && old == value)
        {
            unit.values.push((attribute, value.to_owned()));
        }
    }

    fn unit(&mut self, place: Place) -> Option<&mut Unit> {
        let index = self.units.iter().position(|unit| unit.place == place).or_else(|| {
            let unit = Unit { place, instance: None, inherited: None, values: Vec::new() };
            (self.units.len() < MOST_UNITS).then(|| self.units.push(unit)).map(|()| self.units.len() - 1)
        })?;
        self.units.get_mut(index)
    }

    /// States the devices of the message, and forgets them. A sender that relays others is a gateway.
    pub(super) fn state(&mut self, header: &Header, facts: &mut Facts<'_>) {
        let (mut is_gateway, mut analysers) = (false, 0);
        for unit in std::mem::take(&mut self.units) {
            let told = unit.instance.clone().or(unit.inherited.clone()).unwrap_or_default();
            if unit.place.module.is_none() && is_sender(&told, header) {
                for (attribute, value) in unit.values.iter().chain(&told.values) {
                    facts.of_sender(*attribute, value);
                }
                continue;
            }
            let key = unit.key(&told);
            if key.is_empty() {
                continue;
            }
            // One instrument may be the sender itself.
            analysers += u32::from(told.is_analyser);
            is_gateway |= !told.is_analyser || analysers > 1;
            // An address that the gateway has too is not the device's own.
            let eui64 = told.eui64.filter(|eui64| header.eui64.as_ref() != Some(eui64)).unwrap_or_default();
            let named = [(Attribute::EquipmentId, told.unit), (Attribute::Eui64, eui64)];
            for (attribute, value) in named.iter().chain(&told.values).chain(&unit.values) {
                if !value.is_empty() {
                    facts.of_third(&key, *attribute, value);
                }
            }
        }
        if is_gateway {
            facts.of_sender(Attribute::Role, "gateway");
        }
    }
}

impl Unit {
    /// By its instance, or by the serial number among its values. A module's inherited instance is its device's.
    fn key(&self, told: &Instance) -> String {
        let own = told.key();
        if !own.is_empty() {
            return own;
        }
        let value = |attribute| {
            let found = self.values.iter().find(|(of, _)| *of == attribute);
            (attribute, found.map(|(_, value)| value.as_str()).unwrap_or_default())
        };
        let serial = value(Attribute::SerialNumber);
        if Facts::third_key("serial", &[serial]).is_empty() {
            return String::new();
        }
        Facts::third_key("serial", &[value(Attribute::Manufacturer), value(Attribute::Model), serial])
    }
}

/// Whether the instance is the sending application itself: one address, and no number of its own.
fn is_sender(told: &Instance, header: &Header) -> bool {
    let same = told.eui64.is_some() && told.eui64 == header.eui64;
    same && (told.unit.is_empty() || told.unit == header.application)
}

/// The numbers of OBX-4; nothing where it holds text.
fn arcs(text: &str) -> Option<Vec<u32>> {
    text.split('.').take(7).map(|arc| arc.parse().ok()).collect()
}

/// Whether these are so many arcs that they can only be a tree.
fn is_tree(arcs: Option<&[u32]>) -> bool {
    arcs.is_some_and(|arcs| (4..=6).contains(&arcs.len()))
}

fn place(arcs: &[u32]) -> Option<Place> {
    let device = *arcs.first()?;
    let module = arcs.get(1).copied().filter(|module| *module != 0);
    Some(Place { device, module })
}

/// Whether the row describes a device or module itself: the zeros begin behind it.
fn is_row_of(arcs: Option<&[u32]>) -> bool {
    arcs.is_some_and(|arcs| arcs.iter().skip(2).all(|arc| *arc == 0))
}

/// The kind of device or module that a row of its own declares. The name tells what the code's block may not.
fn device_type(code: &str, name: &str, place: Place) -> Option<u32> {
    let level = if place.module.is_none() { "_MDS" } else { "_VMD" };
    let code: u32 = code.parse().ok()?;
    (name.starts_with("MDC_DEV_") && name.ends_with(level)).then_some(if code < DEVICE_BLOCK {
        code + DEVICE_BLOCK
    } else {
        code
    })
}

/// What an observation says about its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Is(Attribute),
    /// Names and values in one text.
    Pairs,
}

/// The closed list of observations that identify a device, by name or by code.
fn identity(code: &str, name: &str) -> Option<Identity> {
    const LIST: &[(&str, &str, Identity)] = &[
        ("531969", "MDC_ID_MODEL_NUMBER", Identity::Is(Attribute::Model)),
        ("531970", "MDC_ID_MODEL_MANUFACTURER", Identity::Is(Attribute::Manufacturer)),
        ("531972", "MDC_ID_PROD_SPEC_SERIAL", Identity::Is(Attribute::SerialNumber)),
        ("531973", "MDC_ID_PROD_SPEC_PART", Identity::Is(Attribute::PartNumber)),
        ("531974", "MDC_ID_PROD_SPEC_HW", Identity::Is(Attribute::HardwareVersion)),
        ("531975", "MDC_ID_PROD_SPEC_SW", Identity::Is(Attribute::SoftwareVersion)),
        ("531976", "MDC_ID_PROD_SPEC_FW", Identity::Is(Attribute::FirmwareVersion)),
        ("67880", "MDC_ATTR_ID_MODEL", Identity::Is(Attribute::Model)),
        ("67972", "MDC_ATTR_SYS_ID", Identity::Is(Attribute::EquipmentId)),
        ("67885", "MDC_ATTR_ID_PROD_SPECN", Identity::Pairs),
    ];
    LIST.iter().find(|(number, word, _)| *number == code || *word == name).map(|(.., identity)| *identity)
}
