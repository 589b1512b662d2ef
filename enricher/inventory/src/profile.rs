//! From the evidence of a device's dossiers to what it is: its fields, each with why it is believed.

use std::collections::{BTreeMap, BTreeSet};

use wardwatch_knowledge::{
    Classification, DicomRoot, Evidence, Field, HeldSign, Knowledge, Said, Source, Spoken, describe_said,
};
use wardwatch_proto::attribute::is_table;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};
use wardwatch_proto::{address, name};

use crate::choice::{Candidate, Candidates, trust, words};
use crate::conclusion::{DeviceRecord, Factor, Why};
use crate::decision::Decision;
use crate::derivation::Derivations;
use crate::device::Device;
use crate::dossier::Dossier;
use crate::identity::DeviceKey;
use crate::register::Register;
use crate::statement::Statement;

/// Reasons that are given for one field.
pub(crate) const MOST_REASONS: usize = 8;
/// Host names that are listed.
const MOST_NAMES: usize = 16;

/// Where a field stands in a record.
type Place = fn(&mut DeviceRecord) -> &mut String;

/// The fields that hold what is said of one attribute.
const FIELDS: &[(&str, Attribute, Place)] = &[
    ("model", Attribute::Model, |record| &mut record.model),
    ("serial_number", Attribute::SerialNumber, |record| &mut record.serial_number),
    ("hardware_version", Attribute::HardwareVersion, |record| &mut record.hardware_version),
    ("firmware_version", Attribute::FirmwareVersion, |record| &mut record.firmware_version),
    ("software_version", Attribute::SoftwareVersion, |record| &mut record.software_version),
    ("udi_di", Attribute::UdiDi, |record| &mut record.udi_di),
    ("location", Attribute::Location, |record| &mut record.location),
    ("department", Attribute::Department, |record| &mut record.department),
    ("institution", Attribute::Institution, |record| &mut record.institution),
];

/// What stands for a model that is not named, the best first.
const MODEL_NUMBERS: &[Attribute] = &[Attribute::ModelNumber, Attribute::PartNumber, Attribute::OrderNumber];

/// What a device is, and which of its values are shown.
pub(crate) struct Profile {
    pub(crate) record: DeviceRecord,
    pub(crate) chosen: Vec<(i32, String)>,
}

/// A device being described.
pub(crate) struct Sketch<'a> {
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) dossiers: Vec<&'a Dossier>,
    pub(crate) statements: Vec<&'a Statement>,
    /// What signatures say of it.
    derived: Derivations<'a>,
    /// What people decided about it, by field.
    decisions: BTreeMap<&'static str, &'a Decision>,
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
        for (attribute, _) in &device.joint.cloned {
            self.conflicts.insert(attribute.name().to_owned());
        }
    }

    fn sightings(&mut self, register: &Register, device: &Device) {
        let sighted = || register.sighted(device);
        self.record.first_seen = sighted().map(|dossier| dossier.first_seen).min().unwrap_or_default();
        self.record.last_seen = sighted().map(Dossier::last_seen).max().unwrap_or_default();
        let vlans: BTreeSet<u32> =
            self.dossiers.iter().flat_map(|dossier| dossier.vlans.iter().copied()).collect();
        self.record.vlans = vlans.into_iter().collect();
        let sensors: BTreeSet<&str> =
            self.dossiers.iter().flat_map(|dossier| dossier.sensors.iter().map(String::as_str)).collect();
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

    /// What is said of an attribute, as candidates.
    pub(crate) fn candidates(&self, attribute: Attribute) -> Candidates {
        let mut candidates = Candidates::default();
        for statement in self.about(attribute) {
            candidates.add(self.candidate(statement, statement.key.value.to_string(), None));
        }
        candidates
    }

    /// What is said of an attribute, and what signatures say of it.
    pub(crate) fn said_or_derived(&self, attribute: Attribute) -> Candidates {
        let mut candidates = self.candidates(attribute);
        self.derived.candidates(attribute).for_each(|derived| candidates.add(derived));
        candidates
    }

    pub(crate) fn about(&self, attribute: Attribute) -> impl Iterator<Item = &Statement> {
        let number = i32::from(attribute);
        let start = self.statements.partition_point(|statement| statement.key.attribute < number);
        let rest = self.statements.get(start..).unwrap_or_default();
        rest.iter().take_while(move |statement| statement.key.attribute == number).copied()
    }

    /// A value that a statement speaks for, directly or by way of a table.
    pub(crate) fn candidate(
        &self,
        statement: &Statement,
        value: String,
        by: Option<(Attribute, Source, &str)>,
    ) -> Candidate {
        let (attribute, protocol, role) = words(statement);
        let (trust, because) = if let Some((of, source, because)) = by {
            (self.knowledge.trust(of, source, role), because.to_owned())
        } else if is_table(protocol) {
            (
                trust(self.knowledge, statement),
                format!("the imported table {:?} says so", statement.key.sensor),
            )
        } else {
            let teller = match role {
                Role::Sender | Role::Unspecified => "says so itself",
                Role::Peer => "its peer says so",
                Role::Third => "another device says so",
            };
            (trust(self.knowledge, statement), format!("{teller}, in {}", spell(protocol)))
        };
        Candidate {
            value,
            trust,
            first_seen: statement.first_seen,
            last_seen: statement.last_seen,
            because,
            evidence: describe_said(&said(statement, attribute, protocol, role)),
        }
    }

    fn fields(&mut self) {
        for (name, attribute, field) in FIELDS {
            let mut candidates = self.said_or_derived(*attribute);
            if *attribute == Attribute::Model {
                // Some makers give the number of the product and no name.
                for number in MODEL_NUMBERS {
                    if candidates.is_empty() {
                        candidates = self.said_or_derived(*number);
                    }
                }
            }
            let value = self.believe(name, candidates);
            *field(&mut self.record) = value;
        }
        let mut software = self.said_or_derived(Attribute::SoftwareName);
        for statement in self.about(Attribute::DicomImplementationUid) {
            if let Some(DicomRoot::Software(name)) = self.knowledge.dicom_root(&statement.key.value) {
                let by = (
                    Attribute::SoftwareName,
                    Source::DicomRoot,
                    "its DICOM implementation is of this software's root",
                );
                software.add(self.candidate(statement, name.clone(), Some(by)));
            }
        }
        self.record.software_name = self.believe("software_name", software);
        let names = self.candidates(Attribute::HostName).ranked();
        self.record.host_names =
            names.into_iter().take(MOST_NAMES).map(|candidate| candidate.value).collect();
    }

    /// What a person decided about a field.
    pub(crate) fn decision(&self, field: &str) -> Option<&Decision> {
        self.decisions.get(field).copied()
    }

    /// What a person decided about a field, which goes on record.
    pub(crate) fn decided(&mut self, field: &str) -> Option<String> {
        let decision = self.decisions.get(field)?;
        self.record.why.push(decision.why(field));
        Some(decision.value.clone())
    }

    /// What a person decided, else the best candidate's value; the reasons for it and for its rivals go on record.
    pub(crate) fn believe(&mut self, field: &str, candidates: Candidates) -> String {
        let decided = self.decided(field);
        if candidates.is_empty() {
            return decided.unwrap_or_default();
        }
        if decided.is_none() && candidates.is_conflicting() {
            self.conflicts.insert(field.to_owned());
        }
        let best = decided
            .or_else(|| candidates.best().map(|candidate| candidate.value.clone()))
            .unwrap_or_default();
        let (chosen, rivals): (Vec<_>, Vec<_>) =
            candidates.ranked().into_iter().partition(|candidate| candidate.value == best);
        let reasons = chosen.into_iter().chain(rivals).take(MOST_REASONS).map(|candidate| Why {
            field: field.to_owned(),
            value: candidate.value,
            statement: candidate.because,
            evidence: candidate.evidence,
            confidence: candidate.trust.confidence,
        });
        self.record.why.extend(reasons);
        best
    }

    fn manufacturer(&mut self, device: &Device) {
        let knowledge = self.knowledge;
        let mut makers = Candidates::default();
        for statement in self.about(Attribute::Manufacturer) {
            let (_, protocol, _) = words(statement);
            let spelled = &statement.key.value;
            let canonical = knowledge.manufacturer(spelled, protocol).unwrap_or(spelled);
            makers.add(self.candidate(statement, canonical.to_owned(), None));
        }
        let mut by_table = |attribute, source, because, lookup: &dyn Fn(&str) -> Option<String>| {
            for statement in self.about(attribute) {
                if let Some(maker) = lookup(&statement.key.value) {
                    let by = (Attribute::Manufacturer, source, because);
                    makers.add(self.candidate(statement, maker, Some(by)));
                }
            }
        };
        by_table(
            Attribute::BacnetVendorId,
            Source::BacnetVendor,
            "its BACnet vendor identifier is this maker's",
            &|id| knowledge.bacnet_vendor(id.parse().ok()?).map(str::to_owned),
        );
        by_table(
            Attribute::Hl7Application,
            Source::Hl7Application,
            "its HL7 application is this maker's",
            &|application| knowledge.hl7_application(application).map(str::to_owned),
        );
        by_table(
            Attribute::DicomImplementationUid,
            Source::DicomRoot,
            "its DICOM implementation is under this maker's root",
            &|uid| match knowledge.dicom_root(uid) {
                Some(DicomRoot::Manufacturer(maker)) => Some(maker.clone()),
                _ => None,
            },
        );
        for statement in &self.statements {
            let (attribute, _, _) = words(statement);
            if let Some(maker) = knowledge.assigned(attribute, &statement.key.value) {
                let because = format!("its {} is this maker's", attribute.name().replace('_', " "));
                let by = (Attribute::Manufacturer, Source::Assigned, because.as_str());
                makers.add(self.candidate(statement, maker.to_owned(), Some(by)));
            }
        }
        self.derived.candidates(Attribute::Manufacturer).for_each(|maker| makers.add(maker));
        for statement in self.about(Attribute::Model) {
            let (_, protocol, _) = words(statement);
            if let Some(maker) = knowledge.assigned_protocol(protocol) {
                let because = format!("only this maker's devices say so in {}", spell(protocol));
                let by = (Attribute::Manufacturer, Source::Assigned, because.as_str());
                makers.add(self.candidate(statement, maker.to_owned(), Some(by)));
            }
        }
        if let DeviceKey::Mac(mac) = device.key
            && let Some(registered) = knowledge.registered(mac)
        {
            self.record.mac_manufacturer.clone_from(&registered.manufacturer);
            if !registered.is_virtual {
                makers.add(Candidate {
                    value: registered.manufacturer.clone(),
                    trust: knowledge.trust(Attribute::Manufacturer, Source::MacPrefix, Role::Sender),
                    first_seen: self.record.first_seen,
                    last_seen: self.record.last_seen,
                    because: "its MAC address is registered to this maker, which is a guess".to_owned(),
                    evidence: format!("mac {}", address::mac_text(&mac)),
                });
            }
        }
        self.record.manufacturer = self.believe("manufacturer", makers);
    }

    fn roles(&mut self, is_router: bool) {
        let said = self.about(Attribute::Role).map(|statement| statement.key.value.to_string());
        let roles: BTreeSet<String> = said.chain(is_router.then(|| "router".to_owned())).collect();
        self.record.roles = roles.into_iter().collect();
    }

    fn classify(&mut self, device: &Device, is_router: bool) {
        let knowledge = self.knowledge;
        let newest = self.record.last_seen;
        let maker_is_guessed = !self.record.why.iter().any(|why| {
            why.field == "manufacturer" && why.value == self.record.manufacturer && why.confidence >= 30
        });
        let maker = if maker_is_guessed { String::new() } else { self.record.manufacturer.clone() };
        let registered = match device.key {
            DeviceKey::Mac(mac) => knowledge.registered(mac),
            _ => None,
        };
        let concluded = |field, value| Said {
            field,
            value,
            protocol: Protocol::Unspecified,
            told_by: Role::Sender,
            last_seen: newest,
        };
        let mut facts: Vec<Said<'_>> = self
            .statements
            .iter()
            .map(|statement| {
                let (attribute, protocol, role) = words(statement);
                said(statement, attribute, protocol, role)
            })
            .collect();
        facts.push(concluded(Field::Maker, maker.as_str()));
        facts.push(concluded(Field::MakerMakes, knowledge.makes(&maker)));
        if let Some(registered) = registered {
            facts.push(concluded(Field::MacMaker, registered.manufacturer.as_str()));
            facts.push(concluded(Field::MacMakes, registered.makes.as_str()));
        }
        if is_router {
            facts.push(concluded(Field::Stated(Attribute::Role), "router"));
        }
        facts.retain(|said| !said.value.is_empty());
        let spoken =
            self.dossiers.iter().flat_map(|dossier| &dossier.conversations).map(|conversation| Spoken {
                protocol: Protocol::try_from(conversation.protocol).unwrap_or_default(),
                initiated: conversation.initiated,
                internet: conversation.internet,
                last_seen: conversation.last_seen,
            });
        let mut evidence = Evidence::new(facts, spoken.collect(), newest);
        let found = self.decided_kind(knowledge.classify(&evidence));
        if !found.category.is_empty() {
            evidence.add(concluded(Field::Category, &found.category));
        }
        self.signs = knowledge.patient_data(&evidence);
        let held = knowledge.judge(&evidence);
        self.record.score = held.iter().map(|held| held.factor.points).sum::<u32>().min(100);
        self.record.factors = held
            .into_iter()
            .map(|held| Factor {
                name: held.factor.name.clone(),
                points: held.factor.points,
                evidence: held.evidence,
                explanation: held.factor.explanation.clone(),
                remedy: held.factor.remedy.clone(),
            })
            .collect();
        let reasons = found.reasons.into_iter().take(2 * MOST_REASONS).map(|reason| {
            let speaks_for_type = !reason.device_type.is_empty();
            Why {
                field: if speaks_for_type { "device_type" } else { "category" }.to_owned(),
                value: if speaks_for_type { reason.device_type } else { reason.category },
                statement: reason.because,
                evidence: reason.evidence,
                confidence: reason.confidence,
            }
        });
        let reasons: Vec<Why> = reasons.collect();
        self.record.why.extend(reasons);
        self.record.category = found.category;
        self.record.subcategory = found.subcategory;
        self.record.device_type = found.device_type;
        self.record.confidence = found.confidence;
    }

    /// The classification with what people decided of it. A type brings its category along; a category that is not the
    /// type's leaves no type.
    fn decided_kind(&mut self, found: Classification) -> Classification {
        let mut kind = found;
        let device_type = self.decided("device_type");
        let category = self.decided("category");
        let subcategory = self.decided("subcategory");
        if device_type.is_some() || category.is_some() {
            kind.confidence = 100;
        }
        if let Some(device_type) = device_type {
            if let Some((category, subcategory)) = self.knowledge.kind_of(&device_type) {
                (kind.category, kind.subcategory) = (category.to_owned(), subcategory.to_owned());
            }
            kind.device_type = device_type;
            if let Some(category) = category {
                kind.category = category;
            }
        } else if let Some(category) = category.filter(|category| *category != kind.category) {
            kind = Classification {
                category,
                confidence: 100,
                reasons: kind.reasons,
                ..Classification::default()
            };
        }
        if let Some(subcategory) = subcategory {
            kind.subcategory = subcategory;
        }
        kind
    }

    /// What people call it: what a person decided, else its own names first, its address last.
    fn name(&mut self, device: &Device) {
        if let Some(name) = self.decided("name") {
            self.record.name = name;
            return;
        }
        let own = [Attribute::StationName, Attribute::BacnetObjectName, Attribute::DicomAeTitle];
        let best = |attribute| self.candidates(attribute).best().map(|best| best.value.clone());
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

    /// Of each attribute that has one value at a time, the one that is shown.
    fn chosen(&self) -> Vec<(i32, String)> {
        let single = name::attributes().filter(|attribute| !self.knowledge.has_many_values(*attribute));
        single
            .filter_map(|attribute| {
                let decided = self.decisions.get(attribute.name()).map(|decision| decision.value.clone());
                let best = decided.or_else(|| Some(self.candidates(attribute).best()?.value.clone()))?;
                Some((i32::from(attribute), best))
            })
            .collect()
    }
}

pub(crate) fn said(statement: &Statement, attribute: Attribute, protocol: Protocol, role: Role) -> Said<'_> {
    Said {
        field: Field::Stated(attribute),
        value: &statement.key.value,
        protocol,
        told_by: role,
        last_seen: statement.last_seen,
    }
}

fn spell(protocol: Protocol) -> &'static str {
    match protocol.name() {
        "" => "an unnamed protocol",
        word => word,
    }
}
