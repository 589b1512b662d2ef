//! What gives away that a device transmits or stores data of patients.

use serde::Deserialize;

use crate::condition::{Condition, RawCondition};
use crate::error::KnowledgeError;
use crate::evidence::Evidence;
use crate::example::{Example, RawObservation};
use crate::pack::{Entry, Place};
use crate::taxonomy::conditions;

/// What a device does with data of patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatientData {
    /// Sends or receives it over the network.
    Transmits,
    /// Keeps it beyond the examination or treatment at hand, so that it must be wiped before the device leaves the house.
    Stores,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSign {
    id: String,
    does: Vec<PatientData>,
    confidence: u32,
    because: String,
    when: Vec<RawCondition>,
    example: Vec<RawObservation>,
    #[serde(default)]
    counterexample: Vec<RawObservation>,
}

/// A sign that a device does something with data of patients.
#[derive(Clone, Debug)]
struct Sign {
    place: Place,
    id: String,
    does: Vec<PatientData>,
    confidence: u32,
    because: String,
    when: Vec<Condition>,
    example: Example,
    counterexample: Example,
}

/// A sign that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSign<'k> {
    /// What it is a sign of.
    pub does: &'k [PatientData],
    /// The reason, in a sentence.
    pub because: &'k str,
    /// The facts that make it hold.
    pub evidence: String,
    /// In percent.
    pub confidence: u32,
}

/// The signs of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signs {
    signs: Vec<Sign>,
}

impl Signs {
    /// A sign of the same id that was there before is replaced.
    pub(crate) fn add(&mut self, entry: Entry<RawSign>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !(1..=99).contains(&raw.confidence) {
            return Err(place.wrong("confidence", "must lie between 1 and 99 percent"));
        }
        let sign = Sign {
            when: conditions(&raw.when, &place, "when")?,
            example: Example::check(&raw.example, &place, "example")?,
            counterexample: Example::check(&raw.counterexample, &place, "counterexample")?,
            id: raw.id,
            does: raw.does,
            confidence: raw.confidence,
            because: raw.because,
            place,
        };
        for (key, is_empty) in [("when", sign.when.is_empty()), ("does", sign.does.is_empty())] {
            if is_empty {
                return Err(sign.place.wrong(key, "must hold at least one"));
            }
        }
        match self.signs.iter_mut().find(|known| known.id == sign.id) {
            Some(known) => *known = sign,
            None => self.signs.push(sign),
        }
        Ok(())
    }

    /// Every sign must match its own example and not its counterexample.
    pub(crate) fn check_examples(&self) -> Result<(), KnowledgeError> {
        for sign in &self.signs {
            if sign.support(&sign.example.evidence()).is_none() {
                return Err(sign.place.wrong("example", "does not match the sign"));
            }
            let counter = &sign.counterexample;
            if !counter.is_empty() && sign.support(&counter.evidence()).is_some() {
                return Err(sign.place.wrong("counterexample", "matches the sign"));
            }
        }
        Ok(())
    }

    /// The signs that hold, the surest first.
    pub(crate) fn held(&self, evidence: &Evidence<'_>) -> Vec<HeldSign<'_>> {
        let holds = |sign: &'_ Sign| sign.support(evidence);
        let mut held: Vec<HeldSign<'_>> = self
            .signs
            .iter()
            .filter_map(|sign| {
                Some(HeldSign {
                    evidence: holds(sign)?,
                    does: &sign.does,
                    because: &sign.because,
                    confidence: sign.confidence,
                })
            })
            .collect();
        held.sort_by_key(|sign| std::cmp::Reverse(sign.confidence));
        held
    }
}

impl Sign {
    fn support(&self, evidence: &Evidence<'_>) -> Option<String> {
        let parts: Option<Vec<String>> = self
            .when
            .iter()
            .map(|condition| Some(evidence.describe(condition.support(evidence, 0)?)))
            .collect();
        Some(parts?.join("; "))
    }
}
