//! Whether two endpoints say that they are one device, or that they are two.
//!
//! What counts is what each says of itself. The knowledge pack names the attributes and what each weighs: two endpoints
//! that are in use together must agree on more than two that never were. Different values of what a device has but one of,
//! said in one protocol, are two devices; so whatever they say alike is a clone's (a factory's default serial number, a
//! machine made from an image), and counts for nobody.

use std::collections::BTreeMap;

use wardwatch_knowledge::{ENOUGH_APART, ENOUGH_TOGETHER, Knowledge, Same};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::activity::Activity;
use crate::dossier::Dossier;

/// A value that an endpoint says of itself, and between which event times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    /// Manufacturers by their canonical name.
    value: Box<str>,
    protocol: i32,
    first: u64,
    last: u64,
}

/// What an endpoint says of itself that tells devices apart, and when it was in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Likeness {
    said: BTreeMap<Attribute, Vec<Said>>,
    activity: Activity,
}

/// Why two endpoints are one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Likely {
    pub(crate) because: String,
    pub(crate) evidence: String,
}

impl Likeness {
    pub(crate) fn of<'a>(dossiers: impl Iterator<Item = &'a Dossier>, knowledge: &Knowledge) -> Self {
        let mut likeness = Self::default();
        let mut times = Vec::new();
        for dossier in dossiers {
            times.extend_from_slice(dossier.activity.times());
            for statement in dossier.statements.iter().filter(|said| said.role == i32::from(Role::Sender)) {
                let attribute = Attribute::try_from(statement.key.attribute).unwrap_or_default();
                let is_maker = attribute == Attribute::Manufacturer;
                if !is_maker && !knowledge.tells_devices_apart(attribute) {
                    continue;
                }
                let protocol = Protocol::try_from(statement.key.protocol).unwrap_or_default();
                let maker =
                    is_maker.then(|| knowledge.manufacturer(&statement.key.value, protocol)).flatten();
                likeness.said.entry(attribute).or_default().push(Said {
                    protocol: statement.key.protocol,
                    value: maker.map_or_else(|| statement.key.value.clone(), Box::from),
                    first: statement.first_seen,
                    last: statement.last_seen,
                });
            }
        }
        for said in likeness.said.values_mut() {
            said.sort();
        }
        likeness.activity = Activity::from_times(times);
        likeness
    }

    fn about(&self, attribute: Attribute) -> &[Said] {
        self.said.get(&attribute).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it says several values in one protocol at the same time of what a device has but one of: it speaks for
    /// several, as a gateway or what hides behind address translation.
    fn speaks_for_many(&self, attribute: Attribute) -> bool {
        let said = self.about(attribute);
        said.iter().enumerate().any(|(at, one)| {
            said.iter().skip(at + 1).any(|other| {
                one.protocol == other.protocol
                    && one.value != other.value
                    && one.first <= other.last
                    && other.first <= one.last
            })
        })
    }

    fn has(&self, same: &Same, value: &str) -> bool {
        let is_one = !same.contradicts || !self.speaks_for_many(same.attribute);
        is_one && self.about(same.attribute).iter().any(|said| *said.value == *value)
    }

    /// Whether both cannot be one device.
    pub(crate) fn contradicts(&self, other: &Self, knowledge: &Knowledge) -> bool {
        knowledge.same_device().filter(|same| same.contradicts).any(|same| {
            let attribute = same.attribute;
            if self.speaks_for_many(attribute) || other.speaks_for_many(attribute) {
                return false;
            }
            let ours = self.about(attribute);
            let shares_protocol =
                |said: &&Said| other.about(attribute).iter().any(|their| their.protocol == said.protocol);
            let mut comparable = ours.iter().filter(shares_protocol).peekable();
            comparable.peek().is_some()
                && !ours
                    .iter()
                    .any(|said| other.about(attribute).iter().any(|their| their.value == said.value))
        })
    }

    /// Why both are one device, if they are; `is_cloned` says which values count for nobody.
    pub(crate) fn agrees(
        &self,
        other: &Self,
        knowledge: &Knowledge,
        is_cloned: impl Fn(Attribute, &str) -> bool,
    ) -> Option<Likely> {
        let (mut weight, mut evidence) = (0, Vec::new());
        for same in knowledge.same_device().filter(|same| same.weight > 0) {
            let agrees_on = |attribute: Attribute| {
                let both =
                    |said: &&Said| other.about(attribute).iter().any(|their| their.value == said.value);
                self.about(attribute).iter().find(both).map(|said| &said.value)
            };
            let with = same.with.iter().find_map(|with| agrees_on(*with).map(|value| (*with, value)));
            if !same.with.is_empty() && with.is_none() {
                continue;
            }
            let shared = self.about(same.attribute).iter().map(|said| &*said.value).find(|value| {
                self.has(same, value) && other.has(same, value) && !is_cloned(same.attribute, value)
            });
            let Some(value) = shared else { continue };
            weight += same.weight;
            evidence.push(format!("{} {value}", same.attribute.name()));
            evidence.extend(with.map(|(attribute, value)| format!("{} {value}", attribute.name())));
        }
        if weight < ENOUGH_APART {
            return None;
        }
        let is_together = self.activity.is_together_with(&other.activity);
        if is_together && weight < ENOUGH_TOGETHER {
            return None;
        }
        evidence.dedup();
        let because = if is_together {
            "both say the same of themselves in several ways"
        } else {
            "both say the same of themselves and were never in use together"
        };
        Some(Likely { because: because.to_owned(), evidence: evidence.join("; ") })
    }
}
