//! From the evidence of a device's dossiers to what it is: its fields, each with why it is believed.
//!
//! `belief` chooses among what is said, `maker` finds who made it, `kind` what it is and how risky, `clinical` what that
//! means for patients, `attachment` how it hangs on the network, and `details` which fields are left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wardwatch_knowledge::{HeldSign, Knowledge};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::chosen::Chosen;
use crate::conclusion::DeviceRecord;
use crate::decision::Decision;
use crate::derivation::Derivations;
use crate::device::Device;
use crate::dossier::Dossier;
use crate::identity::DeviceKey;
use crate::register::Register;
use crate::statement::Statement;

/// What a device is, and which of its values are shown.
pub(crate) struct Profile {
    pub(crate) record: DeviceRecord,
    pub(crate) chosen: Chosen,
}

/// A device being described.
pub(crate) struct Sketch<'a> {
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) dossiers: Vec<&'a Dossier>,
    pub(crate) statements: Vec<&'a Statement>,
    /// What signatures say of it.
    pub(crate) derived: Derivations<'a>,
    /// What people decided about it, by field.
    pub(crate) decisions: BTreeMap<&'static str, &'a Decision>,
    pub(crate) record: DeviceRecord,
    /// Fields of which sources of equal standing go on saying different things.
    pub(crate) conflicts: BTreeSet<String>,
    /// Signs of patient data that hold.
    pub(crate) signs: Vec<HeldSign<'a>>,
}

/// Describes a device by everything that is known of it.
pub(crate) fn describe(register: &Register, at: u32, device: &Device, knowledge: &Knowledge) -> Profile {
    let mut dossiers: Vec<&Dossier> = device.members.iter().filter_map(|at| register.dossier(*at)).collect();
    dossiers.sort_by(|a, b| a.id.cmp(&b.id));
    let mut statements: Vec<&Statement> =
        dossiers.iter().flat_map(|dossier| dossier.statements.iter()).collect();
    statements.sort_by(|a, b| a.key.cmp(&b.key));
    let record = DeviceRecord {
        id: device.id.to_string(),
        knowledge: knowledge.version().to_owned(),
        ..DeviceRecord::default()
    };
    let decisions = register.decisions(at);
    let derived = Derivations::of(&statements, knowledge);
    let mut sketch = Sketch {
        knowledge,
        dossiers,
        statements,
        derived,
        decisions,
        record,
        conflicts: BTreeSet::new(),
        signs: Vec::new(),
    };
    sketch.sightings(register, device);
    crate::addressing::describe(&mut sketch.record, register, device, &sketch.dossiers);
    sketch.fields();
    sketch.manufacturer(device);
    sketch.joints(register, at, device);
    let mut interfaces = sketch.dossiers.iter().filter_map(|dossier| dossier.id.interface());
    let is_router = interfaces.any(|mac| register.is_router(mac));
    sketch.roles(is_router);
    sketch.classify(device, is_router);
    sketch.name(device);
    sketch.clinical();
    sketch.attachment(device, register);
    sketch.lifecycle(register.sighted(device));
    sketch.said_details();
    sketch.completeness();
    let chosen = sketch.chosen();
    Profile { record: sketch.record, chosen }
}

impl Sketch<'_> {
    /// Why it is more than one interface, and what it says that another device says as well.
    fn joints(&mut self, register: &Register, at: u32, device: &Device) {
        self.record.why.extend(register.joint_reasons(at));
        for (attribute, _) in &device.joint().cloned {
            self.conflicts.insert(attribute.name().to_owned());
        }
    }

    fn sightings(&mut self, register: &Register, device: &Device) {
        (self.record.first_seen, self.record.last_seen) = register.seen(device);
        let vlans: BTreeSet<u32> =
            self.dossiers.iter().flat_map(|dossier| dossier.vlans.iter().copied()).collect();
        self.record.vlans = vlans.into_iter().collect();
        let sensors: BTreeSet<&str> =
            self.dossiers.iter().flat_map(|dossier| dossier.sensors.iter().map(Arc::as_ref)).collect();
        self.record.sensors = sensors.into_iter().map(str::to_owned).collect();
        let spoken =
            self.dossiers.iter().flat_map(|dossier| dossier.conversations.iter().map(|c| c.protocol));
        let said =
            self.statements.iter().filter(|s| s.role == i32::from(Role::Sender)).map(|s| s.key.protocol);
        let protocols: BTreeSet<i32> = spoken.chain(said).collect();
        let words =
            protocols.into_iter().filter_map(|number| Protocol::try_from(number).ok()).map(Protocol::name);
        self.record.protocols = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }

    fn roles(&mut self, is_router: bool) {
        let said = self.about(Attribute::Role).map(|statement| statement.key.value.to_string());
        let roles: BTreeSet<String> = said.chain(is_router.then(|| "router".to_owned())).collect();
        self.record.roles = roles.into_iter().collect();
    }

    /// What people call it: what a person decided, else its own names first, its address last.
    fn name(&mut self, device: &Device) {
        if let Some(name) = self.decided("name") {
            self.record.name = name;
            return;
        }
        let own = [Attribute::StationName, Attribute::BacnetObjectName, Attribute::DicomAeTitle];
        let best = |attribute| self.candidates(attribute).best().map(|best| best.value.to_string());
        let said = own.into_iter().find_map(best);
        let unit = best(Attribute::EquipmentId).unwrap_or_default();
        let record = &self.record;
        let number = if record.serial_number.is_empty() { &unit } else { &record.serial_number };
        let described = [&record.manufacturer, &record.model, number]
            .map(String::as_str)
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let described = (!record.model.is_empty() || !number.is_empty()).then_some(described);
        let key = match &device.key {
            DeviceKey::Third(_, key) => Some(key.to_string()),
            DeviceKey::Mac(_) | DeviceKey::Ip(_) => None,
        };
        let host = record.host_names.first().cloned();
        let found = host.or(said).or(described).or(key);
        self.record.name = found
            .or_else(|| record.ips.first().cloned())
            .or_else(|| record.macs.first().cloned())
            .unwrap_or_default();
    }
}
