//! Signatures: patterns over one value that was said, which speak for attributes of the device or for its kind.
//!
//! There may be thousands, and each value is held against those that ask for its attribute: [`index`] leaves those over
//! whose texts stand in the value.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use regex::Captures;
use serde::Deserialize;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use crate::condition::{Condition, RawCondition, SaidCondition};
use crate::error::KnowledgeError;
use crate::evidence::{Field, Said};
use crate::example::{Example, RawObservation};
use crate::manufacturer::Manufacturers;
use crate::pack::{Entry, Place};
use crate::source::shared;
use crate::taxonomy::{Taxonomy, Voice};

mod index;
mod says;

use index::Group;
use says::Says;

/// Signatures in all packs together: each holds a compiled pattern.
const MOST_SIGNATURES: usize = 20_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSignature {
    id: String,
    series: Option<String>,
    when: RawCondition,
    #[serde(default)]
    says: BTreeMap<String, String>,
    confidence: u32,
    because: Option<String>,
    example: RawObservation,
    counterexample: Option<RawObservation>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
}

/// A signature that was checked.
#[derive(Debug)]
struct Signature {
    id: String,
    /// Of a series, in its order, only the first that matches speaks.
    series: Option<String>,
    when: SaidCondition,
    says: Says,
    /// In percent.
    confidence: u32,
    because: String,
}

/// What a signature says of the device that said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived<'a> {
    /// The signature's id.
    pub signature: &'a str,
    /// The reason, in a sentence.
    pub because: &'a str,
    /// In percent, when the device itself said it.
    pub confidence: u32,
    /// Attributes and their values, in canonical form; none where it speaks for a kind of device only.
    pub values: Vec<(Attribute, String)>,
    /// The kind of device that it speaks for; empty words where it speaks for none.
    kind: &'a Says,
}

/// The signatures of a pack, by the attribute that they look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signatures {
    groups: HashMap<Attribute, Group>,
    /// The attribute that the signature of an id looks at.
    ids: HashMap<String, Attribute>,
}

/// That a signature matches.
struct Match<'s> {
    /// What its pattern found; there is none with the other matchers.
    captures: Option<Captures<'s>>,
}

impl Signatures {
    /// Takes in those of one file. One of the same id that was there before is replaced.
    pub(crate) fn add(
        &mut self,
        entries: Vec<Entry<RawSignature>>,
        taxonomy: &Taxonomy,
    ) -> Result<(), KnowledgeError> {
        let mut of_file = HashSet::new();
        for entry in entries {
            if !of_file.insert(entry.value.id.clone()) {
                return Err(entry.place.wrong("id", "another signature of this file has it"));
            }
            let place = entry.place.clone();
            let (attribute, signature) = Signature::check(entry, taxonomy)?;
            if let Some(before) = self.ids.insert(signature.id.clone(), attribute)
                && before != attribute
                && let Some(group) = self.groups.get_mut(&before)
            {
                group.remove(&signature.id);
            }
            if self.ids.len() > MOST_SIGNATURES {
                return Err(place.wrong("", format!("there are more than {MOST_SIGNATURES} signatures")));
            }
            self.groups.entry(attribute).or_default().put(Arc::new(signature));
        }
        Ok(())
    }

    /// Makes ready for asking.
    pub(crate) fn index(&mut self) {
        self.groups.values_mut().for_each(Group::index);
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Those that match, each with what its pattern found.
    fn matching<'a, 's>(&'a self, said: &Said<'s>) -> Vec<(&'a Signature, Match<'s>)> {
        let Field::Stated(attribute) = said.field else { return Vec::new() };
        let Some(group) = self.groups.get(&attribute) else { return Vec::new() };
        let mut found: Vec<(&Signature, Match<'s>)> = Vec::new();
        for signature in group.candidates(said.value) {
            let is_over = |(before, _): &(&Signature, _)| before.series == signature.series;
            if signature.series.is_some() && found.iter().any(is_over) {
                continue;
            }
            if let Some(matched) = signature.matches(said) {
                found.push((signature, matched));
            }
        }
        found
    }

    pub(crate) fn derive<'a>(&'a self, said: &Said<'_>, manufacturers: &Manufacturers) -> Vec<Derived<'a>> {
        let found = self.matching(said).into_iter().map(|(signature, matched)| Derived {
            signature: &signature.id,
            because: &signature.because,
            confidence: signature.confidence,
            values: signature
                .says
                .values(matched.captures.as_ref())
                .map(|(attribute, value)| match attribute {
                    Attribute::Manufacturer => {
                        let canonical = manufacturers.canonical(&value, said.protocol);
                        (attribute, canonical.map_or_else(|| value.clone(), str::to_owned))
                    }
                    _ => (attribute, value),
                })
                .collect(),
            kind: &signature.says,
        });
        found.filter(|derived| !derived.values.is_empty() || !derived.kind.category.is_empty()).collect()
    }

    /// What speaks for a kind of device. A value counts once, and so does a signature: several that read the same
    /// value say one thing, not several that are independent.
    pub(crate) fn voices<'a>(readings: &[(Said<'_>, &Derived<'a>)]) -> Vec<Voice<'a>> {
        let mut speaking: Vec<(Said<'_>, &Derived<'a>)> =
            readings.iter().filter(|(_, derived)| !derived.kind.category.is_empty()).copied().collect();
        speaking.sort_by_key(|(said, _)| *said);
        let mut best: BTreeMap<(Field, &str), (u32, &Derived<'a>, Said<'_>)> = BTreeMap::new();
        for (said, derived) in speaking {
            let confidence = shared(derived.confidence, said.told_by);
            let known = best.entry((said.field, said.value)).or_insert((confidence, derived, said));
            if confidence > known.0 {
                *known = (confidence, derived, said);
            }
        }
        let mut found: Vec<_> = best.into_values().collect();
        found.sort_by_key(|(confidence, _, _)| std::cmp::Reverse(*confidence));
        let mut spoken = HashSet::new();
        found.retain(|(_, derived, _)| spoken.insert(derived.signature));
        let voice = |(confidence, derived, said): (u32, &Derived<'a>, Said<'_>)| Voice {
            category: &derived.kind.category,
            subcategory: &derived.kind.subcategory,
            device_type: &derived.kind.device_type,
            confidence,
            because: derived.because,
            evidence: known_by(&said, derived.signature),
        };
        found.into_iter().filter(|(confidence, _, _)| *confidence > 0).map(voice).collect()
    }
}

impl Signature {
    fn check(entry: Entry<RawSignature>, taxonomy: &Taxonomy) -> Result<(Attribute, Self), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !(1..=99).contains(&raw.confidence) {
            return Err(place.wrong("confidence", "must lie between 1 and 99 percent"));
        }
        let when = Condition::of_one_value(&raw.when, &place, "when")?;
        let Field::Stated(attribute) = when.field else {
            return Err(place.wrong("when.attribute", "must be one that sensors state"));
        };
        let says = Says::check(&raw.says, when.pattern(), taxonomy, &place)?;
        if says.is_empty() && raw.series.is_none() {
            return Err(place.wrong("says", "must hold something, unless it ends a series"));
        }
        let signature = Self {
            because: raw.because.unwrap_or_else(|| {
                format!("its {} is one that a signature knows", attribute.name().replace('_', " "))
            }),
            id: raw.id,
            series: raw.series,
            when,
            says,
            confidence: raw.confidence,
        };
        signature.check_examples(&raw.example, raw.counterexample.as_ref(), &raw.expect, &place)?;
        Ok((attribute, signature))
    }

    fn check_examples(
        &self,
        example: &RawObservation,
        counterexample: Option<&RawObservation>,
        expect: &BTreeMap<String, String>,
        place: &Place,
    ) -> Result<(), KnowledgeError> {
        let one = |raw, key| {
            let example = Example::check_one(raw, place, key)?;
            let is_value = example.only_value().is_some();
            if is_value { Ok(example) } else { Err(place.wrong(key, "must be one value of an attribute")) }
        };
        let example = one(example, "example")?;
        let matched = example.only_value().and_then(|said| self.matches(&said));
        let Some(matched) = matched else {
            return Err(place.wrong("example", "does not match the signature"));
        };
        self.says.check_expected(matched.captures.as_ref(), expect, place)?;
        if let Some(raw) = counterexample {
            let counterexample = one(raw, "counterexample")?;
            if counterexample.only_value().is_some_and(|said| self.matches(&said).is_some()) {
                return Err(place.wrong("counterexample", "matches the signature"));
            }
        }
        Ok(())
    }

    fn matches<'s>(&self, said: &Said<'s>) -> Option<Match<'s>> {
        match self.when.pattern() {
            Some(pattern) if self.when.is_about(said) => {
                pattern.captures(said.value).map(|captures| Match { captures: Some(captures) })
            }
            Some(_) => None,
            None => self.when.matches(said).then_some(Match { captures: None }),
        }
    }
}

/// What was said, and the signature that knows it, in words.
pub fn known_by(said: &Said<'_>, signature: &str) -> String {
    said.words() + ", by signature " + signature
}
