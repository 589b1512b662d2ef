//! What a device tells of under a key of its own protocol, and may be itself: the only unit at an address, the only analyser
//! that an analyser's software names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use wardwatch_proto::attribute;
use wardwatch_proto::v1::Attribute;

use crate::condition::named;
use crate::error::KnowledgeError;
use crate::pack::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTeller {
    kind: String,
    #[serde(default)]
    agrees: Vec<RawAgreement>,
    #[serde(default)]
    never_for: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgreement {
    own: String,
    told: String,
}

/// When the only thing that a device tells of under a key of one kind is that device itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Teller {
    /// One of these must hold, where there are any: what it says of itself, and what it tells of the other, have the same value.
    pub agrees: Vec<(Attribute, Attribute)>,
    /// Roles of devices that speak for others, so that they are never what they tell of.
    pub never_for: Vec<String>,
}

/// The kinds of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tellers {
    by: BTreeMap<String, Teller>,
    bearing: BTreeSet<Attribute>,
}

impl Tellers {
    pub(crate) fn add(&mut self, entry: Entry<RawTeller>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        let is_kind = |kind: &str| {
            !kind.is_empty()
                && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if !is_kind(&raw.kind) {
            return Err(place.wrong("kind", "must be a kind of keys: lower-case letters, digits and hyphens"));
        }
        let own: Vec<String> = raw.agrees.iter().map(|pair| pair.own.clone()).collect();
        let told: Vec<String> = raw.agrees.iter().map(|pair| pair.told.clone()).collect();
        let own: Vec<Attribute> = named(&own, &place, "agrees.own")?;
        let told: Vec<Attribute> = named(&told, &place, "agrees.told")?;
        for role in &raw.never_for {
            if attribute::accept(Attribute::Role, role).as_deref() != Some(role) {
                return Err(place.wrong("never_for", format!("{role:?} is no role")));
            }
        }
        self.bearing.extend(own.iter().chain(&told));
        if !raw.never_for.is_empty() {
            self.bearing.insert(Attribute::Role);
        }
        let agrees = own.into_iter().zip(told).collect();
        self.by.insert(raw.kind, Teller { agrees, never_for: raw.never_for });
        Ok(())
    }

    /// Of a key's kind.
    pub(crate) fn of(&self, key: &str) -> Option<&Teller> {
        let (kind, _) = key.split_once('=')?;
        self.by.get(kind)
    }

    /// Whether what is said of this attribute decides.
    pub(crate) fn bears(&self, attribute: Attribute) -> bool {
        self.bearing.contains(&attribute)
    }
}
