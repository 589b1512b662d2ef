//! What identifies a device, as data: a declarative pack of TOML files that is built in and over which a hospital may
//! lay its own.
//!
//! A pack holds manufacturers and their spellings, MAC prefixes, DICOM roots, BACnet vendors, HL7 applications, the
//! order in which sources are believed, the taxonomy with the rules that classify and the clinical facts of types, families of
//! models, signs of patient data, the factors of the score, the fields of a device's profile, and the states of retired devices.
//! Every rule and factor carries an example that must match it; a pack whose rules do not hold their own examples, or
//! ask for values that no sensor may send, is refused with an error that names file, entry and key. A pack may also hold
//! models of how kinds of devices behave, which [`learn`] makes of labelled captures; none is built in.
//!
//! The crate is pure: it reads files once and judges [`Evidence`] afterwards, without a clock: ages are counted from
//! the time on the wire.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;

mod assigned;
mod behaviour;
mod by_text;
mod caseless;
mod certainty;
mod clinical;
mod condition;
mod date;
mod dicom;
mod error;
mod evidence;
mod example;
pub mod fda;
mod hl7;
mod lifecycle;
mod literal;
mod manufacturer;
mod model;
mod pack;
mod patient_data;
mod profile;
pub mod recog;
mod same;
mod score;
mod signature;
mod source;
mod taxonomy;
mod teller;
mod third;

pub use behaviour::{
    Behaviour, Example, Features, Habits, Ignored, LearnError, Likeness, MOST_CONFIDENT, MOST_FLOWS, Names,
    Spoke, WINDOW, learn,
};
pub use clinical::{ClinicalFacts, Criticality, FdaClass, Mobility};
pub use dicom::DicomRoot;
pub use error::KnowledgeError;
pub use evidence::{Evidence, Field, Said, Spoken};
use hashbrown::HashMap;
pub use manufacturer::Registered;
pub use model::ModelFamily;
pub use patient_data::{HeldSign, PatientData};
pub use profile::ProfileField;
pub use same::{ENOUGH_APART, ENOUGH_TOGETHER, Same};
pub use score::{Factor, Held};
pub use signature::{Derived, known_by};
pub use source::{Source, Trust};
pub use taxonomy::{Classification, Reason};
pub use teller::Teller;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

/// The longest version of a pack that is laid over another, in octets.
const LONGEST_VERSION: usize = 64;

/// Models of behaviour in a pack and those that it is laid over.
const MOST_BEHAVIOURS: usize = 8;

/// A checked knowledge pack.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    version: String,
    manufacturers: manufacturer::Manufacturers,
    dicom_roots: dicom::DicomRoots,
    bacnet_vendors: HashMap<u32, String>,
    hl7_applications: hl7::Hl7Applications,
    assigned: assigned::Assigned,
    sources: source::Sources,
    third_keys: third::ThirdKeys,
    tellers: teller::Tellers,
    taxonomy: taxonomy::Taxonomy,
    signatures: signature::Signatures,
    models: model::Models,
    patient_data: patient_data::Signs,
    factors: score::Factors,
    profile: profile::Profile,
    same_device: same::SameDevice,
    fda_products: fda::Products,
    retired_states: lifecycle::RetiredStates,
    behaviours: Vec<Behaviour>,
    watched: Vec<Attribute>,
}

impl Knowledge {
    /// The pack that is built in.
    pub fn builtin() -> Result<Self, KnowledgeError> {
        Self::from_files(&pack::built_in()?)
    }

    /// The built-in pack with another laid over it: a `.toml` file, or a folder of such files, read in the order of
    /// their names. An entry of the same id, name or key replaces the built-in one.
    pub fn with(path: &Path) -> Result<Self, KnowledgeError> {
        let mut files = pack::built_in()?;
        files.extend(pack::read_from(path)?);
        Self::from_files(&files)
    }

    /// This knowledge with a pack laid over it, which must say its version. The name and the version go into
    /// [`Knowledge::version`]: `2025.11+north@3`.
    pub fn over(&self, name: &str, text: &str) -> Result<Self, KnowledgeError> {
        let file = pack::File::parse(name, text)?;
        let version = Self::version_in(&file)?;
        let mut knowledge = self.clone();
        knowledge.add(&file)?;
        knowledge.version = format!("{}+{name}@{version}", self.version);
        knowledge.checked()
    }

    /// The version that a pack says of itself.
    pub fn version_of(name: &str, text: &str) -> Result<String, KnowledgeError> {
        Self::version_in(&pack::File::parse(name, text)?)
    }

    fn version_in(file: &pack::File) -> Result<String, KnowledgeError> {
        let is_short = |version: &String| {
            (1..=LONGEST_VERSION).contains(&version.len()) && !version.contains(char::is_control)
        };
        let version = file.value::<String>("version")?.map(|version| version.value).filter(is_short);
        version.ok_or_else(|| {
            let problem = format!("must be given, in at most {LONGEST_VERSION} octets: version = \"1\"");
            file.place("version").wrong("", problem)
        })
    }

    fn from_files(files: &[pack::File]) -> Result<Self, KnowledgeError> {
        let mut knowledge = Self::default();
        for file in files {
            knowledge.add(file)?;
        }
        knowledge.checked()
    }

    /// The same, if every rule and factor holds its own example.
    fn checked(mut self) -> Result<Self, KnowledgeError> {
        self.models.check_examples()?;
        self.taxonomy.set_models(self.models.families());
        self.taxonomy.check_examples()?;
        self.patient_data.check_examples()?;
        self.factors.check_examples()?;
        self.taxonomy.index();
        self.signatures.index();
        self.watched = self.factors.watched().collect();
        Ok(self)
    }

    /// Takes in one file; what it refers to must stand in it or in a file before it.
    fn add(&mut self, file: &pack::File) -> Result<(), KnowledgeError> {
        if let Some(version) = file.value::<String>("version")? {
            let joined = if self.version.is_empty() { "" } else { "+" };
            self.version = format!("{}{joined}{}", self.version, version.value);
        }
        for entry in file.entries("manufacturer", "name")? {
            self.manufacturers.add(entry)?;
        }
        if let Some(prefixes) = file.value("mac_prefixes")? {
            self.manufacturers.add_prefixes(prefixes)?;
        }
        for entry in file.entries("dicom_root", "root")? {
            self.dicom_roots.add(entry, &self.manufacturers)?;
        }
        if let Some(vendors) = file.value::<BTreeMap<String, String>>("bacnet_vendors")? {
            for (text, name) in vendors.value {
                let id = text.parse().map_err(|_| vendors.place.wrong(&text, "must be a number"))?;
                if !self.manufacturers.is_known(&name) {
                    return Err(vendors.place.wrong(&text, format!("no manufacturer is called {name:?}")));
                }
                self.bacnet_vendors.insert(id, name);
            }
        }
        for entry in file.entries("hl7_application", "prefix")? {
            self.hl7_applications.add(entry, &self.manufacturers)?;
        }
        if let Some(assigned) = file.value("assigned")? {
            self.assigned.add(assigned, &self.manufacturers)?;
        }
        if let Some(prefixes) = file.value("assigned_prefix")? {
            self.assigned.add_prefixes(prefixes, &self.manufacturers)?;
        }
        if let Some(protocols) = file.value("assigned_protocol")? {
            self.assigned.add_protocols(protocols, &self.manufacturers)?;
        }
        for entry in file.entries("source", "attributes")? {
            self.sources.add(entry)?;
        }
        if let Some(attributes) = file.value("many_valued")? {
            self.sources.add_many_valued(&attributes)?;
        }
        for entry in file.entries("third_key", "kind")? {
            self.third_keys.add(entry)?;
        }
        for entry in file.entries("teller", "kind")? {
            self.tellers.add(entry)?;
        }
        for entry in file.entries("same_device", "attribute")? {
            self.same_device.add(entry)?;
        }
        if let Some(protocols) = file.value("binding_protocols")? {
            self.sources.add_binding(&protocols)?;
        }
        for entry in file.entries("type", "name")? {
            self.taxonomy.add_type(entry)?;
        }
        for entry in file.entries("rule", "id")? {
            self.taxonomy.add_rule(entry)?;
        }
        self.signatures.add(file.entries("signature", "id")?, &self.taxonomy)?;
        for entry in file.entries("model", "family")? {
            let taxonomy = &self.taxonomy;
            let is_type = |name: &str| taxonomy.facts_of(name).is_some();
            self.models.add(entry, &self.manufacturers, is_type)?;
        }
        for entry in file.entries("patient_data", "id")? {
            self.patient_data.add(entry)?;
        }
        for entry in file.entries("factor", "id")? {
            self.factors.add(entry)?;
        }
        for entry in file.entries("field", "name")? {
            self.profile.add(entry)?;
        }
        if let Some(products) = file.value("fda_products")? {
            self.fda_products.add(products)?;
        }
        if let Some(states) = file.value("retired_states")? {
            self.retired_states.add(&states)?;
        }
        for entry in file.entries("behaviour", "name")? {
            self.add_behaviour(entry)?;
        }
        Ok(())
    }

    /// A model of the same name that was there before is replaced.
    fn add_behaviour(&mut self, entry: pack::Entry<behaviour::RawBehaviour>) -> Result<(), KnowledgeError> {
        let place = entry.place.clone();
        let behaviour = Behaviour::check(entry, |name| self.taxonomy.kind_of(name).is_some())?;
        if let Some(known) = self.behaviours.iter_mut().find(|known| known.name() == behaviour.name()) {
            *known = behaviour;
            return Ok(());
        }
        if self.behaviours.len() == MOST_BEHAVIOURS {
            return Err(place.wrong("name", format!("there are {MOST_BEHAVIOURS} models already")));
        }
        self.behaviours.push(behaviour);
        Ok(())
    }

    /// What the FDA's table says of a product code, where a pack has it.
    pub fn fda_product(&self, code: &str) -> Option<&fda::Product> {
        self.fda_products.get(code)
    }

    /// Whether a state in another system's table says that a device is no longer in service.
    pub fn is_retired_state(&self, state: &str) -> bool {
        self.retired_states.holds(state)
    }

    /// What makes two endpoints one device, in the order of the attributes.
    pub fn same_device(&self) -> impl Iterator<Item = &Same> {
        self.same_device.all()
    }

    /// Whether endpoints that say the same of this may be one device.
    pub fn joins(&self, attribute: Attribute) -> bool {
        self.same_device.joins(attribute)
    }

    /// Whether this says anything about two endpoints being one device, or two.
    pub fn tells_devices_apart(&self, attribute: Attribute) -> bool {
        self.same_device.tells(attribute)
    }

    /// The fields of a device's profile, in the order in which they are shown.
    pub fn profile(&self) -> &[ProfileField] {
        self.profile.fields()
    }

    /// Whether changes of a field of the profile that has no column of its own are told.
    pub fn tells_changes_of(&self, detail: &str) -> bool {
        self.profile_place(detail).and_then(|at| self.profile().get(at)).is_some_and(|field| field.is_told)
    }

    /// Where the field of this name stands in the profile.
    pub fn profile_place(&self, field: &str) -> Option<usize> {
        self.profile.place(field)
    }

    /// Whether the signatures of a file are sound by themselves.
    pub(crate) fn takes_signatures(&self, file: &pack::File) -> bool {
        let mut signatures = signature::Signatures::default();
        file.entries("signature", "id").and_then(|entries| signatures.add(entries, &self.taxonomy)).is_ok()
    }

    /// The pack's version, joined by `+` with those of the packs laid over it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The canonical name of a manufacturer by a spelling met in a protocol; `None` where it is not known.
    pub fn manufacturer(&self, spelling: &str, protocol: Protocol) -> Option<&str> {
        self.manufacturers.canonical(spelling, protocol)
    }

    /// The one category that a manufacturer makes devices of; empty where it makes several or is not known.
    pub fn makes(&self, manufacturer: &str) -> &str {
        self.manufacturers.makes(manufacturer)
    }

    /// Whom a MAC address is registered to; `None` for unknown and for locally administered addresses.
    pub fn registered(&self, mac: [u8; 6]) -> Option<&Registered> {
        self.manufacturers.registered(mac)
    }

    /// Whose root a DICOM implementation class UID is under.
    pub fn dicom_root(&self, uid: &str) -> Option<&DicomRoot> {
        self.dicom_roots.owner(uid)
    }

    /// The manufacturer of a BACnet vendor identifier.
    pub fn bacnet_vendor(&self, id: u32) -> Option<&str> {
        self.bacnet_vendors.get(&id).map(String::as_str)
    }

    /// The manufacturer of an HL7 sending application.
    pub fn hl7_application(&self, application: &str) -> Option<&str> {
        self.hl7_applications.manufacturer(application)
    }

    /// The manufacturer that a value of this attribute is assigned to, such as a vendor identifier or a role that only
    /// its devices have.
    pub fn assigned(&self, attribute: Attribute, value: &str) -> Option<&str> {
        self.assigned.maker(attribute, value)
    }

    /// The manufacturer whose devices alone say in this protocol what model they are.
    pub fn assigned_protocol(&self, protocol: Protocol) -> Option<&str> {
        self.assigned.maker_in(protocol)
    }

    /// How far a source is believed for an attribute.
    pub fn trust(&self, attribute: Attribute, source: Source, told_by: Role) -> Trust {
        self.sources.trust(attribute, source, told_by)
    }

    /// How far a value is believed that a signature of this confidence, in percent, speaks for.
    pub fn trust_of_signature(&self, attribute: Attribute, confidence: u32, told_by: Role) -> Trust {
        self.sources.trust_of_signature(attribute, confidence, told_by)
    }

    /// What signatures say of the device that said this; manufacturers by their canonical names.
    pub fn derive<'a>(&'a self, said: &Said<'_>) -> Vec<Derived<'a>> {
        self.signatures.derive(said, &self.manufacturers)
    }

    /// How many signatures there are.
    pub fn signatures(&self) -> usize {
        self.signatures.len()
    }

    /// Whether a device has many values of this attribute at once; of any other, one is shown.
    pub fn has_many_values(&self, attribute: Attribute) -> bool {
        self.sources.has_many_values(attribute)
    }

    /// Whether an address stands in this protocol beside the MAC address that really has it.
    pub fn binds(&self, protocol: Protocol) -> bool {
        self.sources.binds(protocol)
    }

    /// Reads the key of a third device (`serial=Acme|X1|42`): what a device of the site must say of itself to be it,
    /// the most telling last. `None` where the key means a device behind its teller only.
    pub fn same_by<'a>(&self, key: &'a str) -> Option<Vec<(Attribute, &'a str)>> {
        self.third_keys.same_by(key)
    }

    /// Whether a value of this attribute may be the most telling of those that make a third device the same.
    pub fn identifies(&self, attribute: Attribute) -> bool {
        self.third_keys.identifies(attribute)
    }

    /// Whether a value of this attribute may be one of the others.
    pub fn distinguishes(&self, attribute: Attribute) -> bool {
        self.third_keys.distinguishes(attribute)
    }

    /// When the only thing that a device tells of under such a key is the device itself; `None` for keys under which a device
    /// always tells of others.
    pub fn teller(&self, key: &str) -> Option<&Teller> {
        self.tellers.of(key)
    }

    /// Whether what is said of this attribute decides whether a device is what it tells of.
    pub fn bears_on_tellers(&self, attribute: Attribute) -> bool {
        self.tellers.bears(attribute)
            || self.same_device.all().any(|same| same.contradicts && same.attribute == attribute)
    }

    /// The category and sub-category of devices of this type; `None` where the type is not known.
    pub fn kind_of(&self, device_type: &str) -> Option<(&str, &str)> {
        self.taxonomy.kind_of(device_type)
    }

    /// What is known of all devices of this type; `None` where the type is not known.
    pub fn clinical_facts(&self, device_type: &str) -> Option<&ClinicalFacts> {
        self.taxonomy.facts_of(device_type)
    }

    /// Every type by name, with what is known of all devices of it.
    pub fn types(&self) -> BTreeMap<&str, &ClinicalFacts> {
        self.taxonomy.types()
    }

    /// The broadest type that a type belongs to: itself where it belongs to no other; `None` where it is not known.
    pub fn type_family<'a>(&'a self, device_type: &'a str) -> Option<&'a str> {
        self.taxonomy.broadest(device_type)
    }

    /// The family that a maker's model belongs to; the maker by its canonical name.
    pub fn model_family(&self, manufacturer: &str, model: &str) -> Option<&ModelFamily> {
        self.models.family(manufacturer, model)
    }

    /// Every family of models.
    pub fn model_families(&self) -> &[ModelFamily] {
        self.models.families()
    }

    /// The signs that a device transmits or stores data of patients, the surest first.
    pub fn patient_data(&self, evidence: &Evidence<'_>) -> Vec<HeldSign<'_>> {
        self.patient_data.held(evidence)
    }

    /// What kind of device it is, by the rules and the signatures.
    pub fn classify(&self, evidence: &Evidence<'_>) -> Classification {
        let said = evidence.said().iter();
        let read: Vec<(Said<'_>, Vec<Derived<'_>>)> = said.map(|said| (*said, self.derive(said))).collect();
        let readings =
            read.iter().flat_map(|(said, derived)| derived.iter().map(move |derived| (*said, derived)));
        self.classify_read(evidence, &readings.collect::<Vec<_>>())
    }

    /// The same, where what signatures say of each value is known already.
    pub fn classify_read(
        &self,
        evidence: &Evidence<'_>,
        readings: &[(Said<'_>, &Derived<'_>)],
    ) -> Classification {
        self.taxonomy.classify(evidence, signature::Signatures::voices(readings))
    }

    /// The models of how kinds of devices behave.
    pub fn behaviours(&self) -> &[Behaviour] {
        &self.behaviours
    }

    /// The kind of device that one behaves like, by the model that is surest; `None` where it fits none of any model.
    pub fn behaves_like(&self, habits: &Habits) -> Option<Likeness> {
        let likenesses =
            self.behaviours.iter().filter_map(|model| model.classify(&Features::of(habits, model.names())));
        likenesses.reduce(|best, next| if next.confidence > best.confidence { next } else { best })
    }

    /// The score's factors that hold, most points first.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Vec<Held<'_>> {
        self.factors.judge(evidence)
    }

    /// Whether a statement is something that the alerter wants to hear of.
    pub fn is_finding(&self, said: &Said<'_>) -> bool {
        matches!(said.field, Field::Stated(attribute) if self.watched.contains(&attribute))
            && self.factors.is_finding(said)
    }
}
