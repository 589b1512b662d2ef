//! Whom to believe: sources in order for each attribute.

use hashbrown::{HashMap, HashSet};
use serde::Deserialize;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::condition::named;
use crate::error::KnowledgeError;
use crate::pack::Entry;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// It was said in this protocol.
    Protocol(Protocol),
    /// Concluded from the root of a DICOM implementation class UID.
    DicomRoot,
    /// Concluded from a BACnet vendor identifier.
    BacnetVendor,
    /// Concluded from an HL7 sending application.
    Hl7Application,
    /// Concluded from a number or word that is assigned to one maker.
    Assigned,
    /// Concluded by a signature from what was said of something else.
    Signature,
    /// Guessed from a MAC address's prefix.
    MacPrefix,
}

/// How far a source is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trust {
    /// Place in the order of sources, then who said it; the lowest is believed.
    pub rank: u32,
    /// In percent.
    pub confidence: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSource {
    attributes: Vec<String>,
    order: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    source: String,
    confidence: u32,
}

/// What is not named in an order comes after everything that is.
const UNNAMED: Trust = Trust { rank: 1000, confidence: 30 };

/// The orders of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    orders: HashMap<Attribute, HashMap<Source, Trust>>,
    default: HashMap<Source, Trust>,
    many_valued: HashSet<Attribute>,
    binding: HashSet<Protocol>,
}

impl Source {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "dicom_root" => Self::DicomRoot,
            "bacnet_vendor" => Self::BacnetVendor,
            "hl7_application" => Self::Hl7Application,
            "assigned" => Self::Assigned,
            "signature" => Self::Signature,
            "mac_prefix" => Self::MacPrefix,
            protocol => Self::Protocol(Protocol::from_name(protocol)?),
        })
    }
}

impl Sources {
    pub(crate) fn add(&mut self, entry: Entry<RawSource>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        let mut order = HashMap::new();
        for (position, step) in raw.order.iter().enumerate() {
            let key = format!("order[{position}]");
            let source = Source::from_name(&step.source).ok_or_else(|| {
                place.wrong(format!("{key}.source"), format!("{:?} is not known", step.source))
            })?;
            if !(1..=100).contains(&step.confidence) {
                return Err(place.wrong(format!("{key}.confidence"), "must lie between 1 and 100 percent"));
            }
            order.insert(source, Trust { rank: position as u32 * 4, confidence: step.confidence });
        }
        let attributes: Vec<Attribute> = named(&raw.attributes, &place, "attributes")?;
        if attributes.is_empty() {
            self.default = order;
        } else {
            self.orders.extend(attributes.into_iter().map(|attribute| (attribute, order.clone())));
        }
        Ok(())
    }

    pub(crate) fn add_many_valued(&mut self, entry: &Entry<Vec<String>>) -> Result<(), KnowledgeError> {
        self.many_valued.extend(named::<Attribute>(&entry.value, &entry.place, "")?);
        Ok(())
    }

    pub(crate) fn add_binding(&mut self, entry: &Entry<Vec<String>>) -> Result<(), KnowledgeError> {
        self.binding.extend(named::<Protocol>(&entry.value, &entry.place, "")?);
        Ok(())
    }

    /// What a device says of itself counts in full, what its peer says less, what a third device says least.
    pub(crate) fn trust(&self, attribute: Attribute, source: Source, told_by: Role) -> Trust {
        let order = self.orders.get(&attribute).unwrap_or(&self.default);
        let trust = order.get(&source).copied().unwrap_or(UNNAMED);
        let (place, _) = share(told_by);
        Trust { rank: trust.rank + place, confidence: shared(trust.confidence, told_by) }
    }

    /// As [`Self::trust`] of [`Source::Signature`], and never surer than the signature itself.
    pub(crate) fn trust_of_signature(&self, attribute: Attribute, confidence: u32, told_by: Role) -> Trust {
        let trust = self.trust(attribute, Source::Signature, told_by);
        Trust { confidence: trust.confidence.min(shared(confidence, told_by)), ..trust }
    }

    pub(crate) fn has_many_values(&self, attribute: Attribute) -> bool {
        self.many_valued.contains(&attribute)
    }

    pub(crate) fn binds(&self, protocol: Protocol) -> bool {
        self.binding.contains(&protocol)
    }
}

/// The place among those of the same source, and the share of the source's confidence in percent.
fn share(told_by: Role) -> (u32, u32) {
    match told_by {
        Role::Unspecified | Role::Sender => (0, 100),
        Role::Peer => (1, 85),
        Role::Third => (2, 70),
    }
}

/// What is left of a confidence, in percent, by who said it.
pub(crate) fn shared(confidence: u32, told_by: Role) -> u32 {
    confidence * share(told_by).1 / 100
}
