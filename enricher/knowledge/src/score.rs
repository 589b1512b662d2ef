//! What adds to a device's score.

use serde::Deserialize;
use wardwatch_proto::v1::Attribute;

use crate::condition::{Condition, RawCondition, SaidCondition};
use crate::date;
use crate::error::KnowledgeError;
use crate::evidence::{Evidence, Field, Said};
use crate::example::{Example, RawObservation};
use crate::pack::{Entry, Place};
use crate::taxonomy::conditions;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFactor {
    id: String,
    name: String,
    points: u32,
    within_days: u32,
    #[serde(default)]
    finding: bool,
    explanation: String,
    remedy: String,
    when: Vec<RawCondition>,
    example: Vec<RawObservation>,
    #[serde(default)]
    counterexample: Vec<RawObservation>,
}

/// Something that makes a device more risky.
#[derive(Clone, Debug)]
pub struct Factor {
    place: Place,
    id: String,
    /// What to call it.
    pub name: String,
    /// What it adds to the score.
    pub points: u32,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub remedy: String,
    within_days: u32,
    finding: bool,
    when: Vec<Condition>,
    example: Example,
    counterexample: Example,
}

/// A factor that holds, with the facts that make it hold.
#[derive(Clone, Debug)]
pub struct Held<'k> {
    /// The factor.
    pub factor: &'k Factor,
    /// In words.
    pub evidence: String,
}

/// The factors of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Factors {
    factors: Vec<Factor>,
}

impl Factors {
    /// A factor of the same id that was there before is replaced.
    pub(crate) fn add(&mut self, entry: Entry<RawFactor>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !(1..=100).contains(&raw.points) {
            return Err(place.wrong("points", "must lie between 1 and 100"));
        }
        let factor = Factor {
            when: conditions(&raw.when, &place, "when")?,
            example: Example::check(&raw.example, &place, "example")?,
            counterexample: Example::check(&raw.counterexample, &place, "counterexample")?,
            id: raw.id,
            name: raw.name,
            points: raw.points,
            explanation: raw.explanation,
            remedy: raw.remedy,
            within_days: raw.within_days,
            finding: raw.finding,
            place,
        };
        match factor.when.as_slice() {
            [] => return Err(factor.place.wrong("when", "must hold at least one condition")),
            [Condition::Said(SaidCondition { field: Field::Stated(_), .. })] => {}
            _ if factor.finding => {
                return Err(factor
                    .place
                    .wrong("finding", "needs `when` to be one condition on an attribute"));
            }
            _ => {}
        }
        match self.factors.iter_mut().find(|known| known.id == factor.id) {
            Some(known) => *known = factor,
            None => self.factors.push(factor),
        }
        Ok(())
    }

    /// Every factor must match its own example and not its counterexample.
    pub(crate) fn check_examples(&self) -> Result<(), KnowledgeError> {
        for factor in &self.factors {
            if factor.support(&factor.example.evidence()).is_none() {
                return Err(factor.place.wrong("example", "does not match the factor"));
            }
            let counter = &factor.counterexample;
            if !counter.is_empty() && factor.support(&counter.evidence()).is_some() {
                return Err(factor.place.wrong("counterexample", "matches the factor"));
            }
        }
        Ok(())
    }

    /// The factors that hold, most points first.
    pub(crate) fn judge(&self, evidence: &Evidence<'_>) -> Vec<Held<'_>> {
        let mut held: Vec<Held<'_>> = self
            .factors
            .iter()
            .filter_map(|factor| Some(Held { factor, evidence: factor.support(evidence)? }))
            .collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.factor.points));
        held
    }

    /// Attributes of which some values are findings.
    pub(crate) fn watched(&self) -> impl Iterator<Item = Attribute> {
        self.findings().filter_map(|condition| match condition.field {
            Field::Stated(attribute) => Some(attribute),
            _ => None,
        })
    }

    /// Whether one statement is a finding by itself.
    pub(crate) fn is_finding(&self, said: &Said<'_>) -> bool {
        self.findings().any(|condition| condition.matches(said))
    }

    fn findings(&self) -> impl Iterator<Item = &SaidCondition> {
        self.factors.iter().filter(|factor| factor.finding).flat_map(|factor| &factor.when).filter_map(
            |condition| match condition {
                Condition::Said(condition) => Some(condition),
                Condition::Spoken { .. } => None,
            },
        )
    }
}

impl Factor {
    fn support(&self, evidence: &Evidence<'_>) -> Option<String> {
        let since = date::days_before(evidence.newest(), self.within_days);
        let mut parts = Vec::with_capacity(self.when.len());
        for condition in &self.when {
            let support = condition.support(evidence, since)?;
            parts.push(evidence.describe(support));
        }
        Some(parts.join("; "))
    }
}
