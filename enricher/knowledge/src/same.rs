//! What makes two interfaces, or two addresses, one device: what a device says of itself wherever it is plugged in.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardwatch_proto::v1::Attribute;

use crate::condition::named;
use crate::error::KnowledgeError;
use crate::pack::Entry;

/// What two endpoints must have in common to be one device, by the weights of what agrees, though both are seen at the
/// same time: two things that are independent of each other.
pub const ENOUGH_TOGETHER: u32 = 3;
/// The same for two endpoints that were never seen at the same time, as a device that moved to a dock.
pub const ENOUGH_APART: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSame {
    attribute: String,
    weight: u32,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    contradicts: bool,
}

/// What an attribute says about two endpoints being one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    /// What both say of themselves.
    pub attribute: Attribute,
    /// What it counts for where they say the same: see [`ENOUGH_TOGETHER`] and [`ENOUGH_APART`].
    pub weight: u32,
    /// One of these must agree as well, where any are named: serial numbers are one maker's.
    pub with: Vec<Attribute>,
    /// A device has one value of it, so that two that are said in one protocol are two devices.
    pub contradicts: bool,
}

/// The attributes of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct SameDevice {
    by: BTreeMap<Attribute, Same>,
}

impl SameDevice {
    pub(crate) fn add(&mut self, entry: Entry<RawSame>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if raw.weight > ENOUGH_TOGETHER {
            return Err(place.wrong("weight", format!("must be at most {ENOUGH_TOGETHER}")));
        }
        let with = named(&raw.with, &place, "with")?;
        let attributes: Vec<Attribute> = named(std::slice::from_ref(&raw.attribute), &place, "attribute")?;
        for attribute in attributes {
            let same =
                Same { attribute, weight: raw.weight, with: with.clone(), contradicts: raw.contradicts };
            self.by.insert(attribute, same);
        }
        Ok(())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Same> {
        self.by.values()
    }

    /// Whether endpoints are looked up by it.
    pub(crate) fn joins(&self, attribute: Attribute) -> bool {
        self.by.get(&attribute).is_some_and(|same| same.weight > 0)
    }

    /// Whether it says anything about two endpoints being one device.
    pub(crate) fn tells(&self, attribute: Attribute) -> bool {
        self.by.contains_key(&attribute)
    }
}
