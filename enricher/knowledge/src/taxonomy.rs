//! What kind of device it is: categories, sub-categories and types, and the rules that speak for them.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::certainty::Doubts;
use crate::condition::{Condition, RawCondition};
use crate::error::KnowledgeError;
use crate::evidence::Evidence;
use crate::example::{Example, RawObservation};
use crate::pack::{Entry, Place};

/// How sure a narrower type must be to be shown in place of the broader one, where anything speaks for the broader
/// one or for another narrower one.
const NARROW_ENOUGH: u32 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawType {
    name: String,
    is: Option<String>,
    category: Option<String>,
    subcategory: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    id: String,
    #[serde(rename = "type")]
    device_type: Option<String>,
    category: Option<String>,
    subcategory: Option<String>,
    confidence: u32,
    because: String,
    when: Vec<RawCondition>,
    #[serde(default)]
    unless: Vec<RawCondition>,
    example: Vec<RawObservation>,
    #[serde(default)]
    counterexample: Vec<RawObservation>,
}

#[derive(Clone, Debug)]
struct Type {
    is: Option<String>,
    category: String,
    subcategory: String,
}

/// A rule that speaks for a category, and perhaps for a sub-category and a type.
#[derive(Clone, Debug)]
struct Rule {
    place: Place,
    id: String,
    category: String,
    subcategory: String,
    device_type: String,
    confidence: u32,
    because: String,
    when: Vec<Condition>,
    unless: Vec<Condition>,
    example: Example,
    counterexample: Example,
}

/// What a device is, with every reason for and against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classification {
    /// Empty while unknown.
    pub category: String,
    /// Empty while unknown.
    pub subcategory: String,
    /// Empty while unknown.
    pub device_type: String,
    /// That of the type, or of the category where there is no type: in percent; 0 while unknown. What speaks for other
    /// kinds counts against it.
    pub confidence: u32,
    /// For each rule that holds; the most confident first.
    pub reasons: Vec<Reason>,
}

/// A rule that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The category it speaks for.
    pub category: String,
    /// The type it speaks for; empty where it speaks for the category alone.
    pub device_type: String,
    /// The reason, in a sentence.
    pub because: String,
    /// The facts that make it hold.
    pub evidence: String,
    /// In percent.
    pub confidence: u32,
}

/// The types and rules of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taxonomy {
    types: HashMap<String, Type>,
    rules: Vec<Rule>,
}

impl Taxonomy {
    pub(crate) fn add_type(&mut self, entry: Entry<RawType>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if raw.is.as_deref().is_some_and(|broader| self.is_within(broader, &raw.name)) {
            return Err(place.wrong("is", "leads back to the type itself"));
        }
        let made = match (&raw.is, &raw.category) {
            (Some(broader), None) => {
                let known = self.types.get(broader).ok_or_else(|| {
                    place.wrong("is", format!("no type {broader:?} stands before this one"))
                })?;
                Type {
                    is: raw.is.clone(),
                    category: known.category.clone(),
                    subcategory: known.subcategory.clone(),
                }
            }
            (None, Some(category)) => Type {
                is: None,
                category: category.clone(),
                subcategory: raw.subcategory.clone().unwrap_or_default(),
            },
            _ => return Err(place.wrong("category", "must be given, unless `is` names a broader type")),
        };
        self.types.insert(raw.name, made);
        Ok(())
    }

    /// A rule of the same id that was there before is replaced.
    pub(crate) fn add_rule(&mut self, entry: Entry<RawRule>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !(1..=99).contains(&raw.confidence) {
            return Err(place.wrong("confidence", "must lie between 1 and 99 percent"));
        }
        let (category, subcategory) = match (&raw.device_type, &raw.category) {
            (Some(name), None) => {
                let known = self
                    .types
                    .get(name)
                    .ok_or_else(|| place.wrong("type", format!("no type is called {name:?}")))?;
                (known.category.clone(), known.subcategory.clone())
            }
            (None, Some(category)) => (category.clone(), raw.subcategory.clone().unwrap_or_default()),
            _ => return Err(place.wrong("category", "either it or `type` must be given")),
        };
        let rule = Rule {
            when: conditions(&raw.when, &place, "when")?,
            unless: conditions(&raw.unless, &place, "unless")?,
            example: Example::check(&raw.example, &place, "example")?,
            counterexample: Example::check(&raw.counterexample, &place, "counterexample")?,
            id: raw.id,
            category,
            subcategory,
            device_type: raw.device_type.unwrap_or_default(),
            confidence: raw.confidence,
            because: raw.because,
            place,
        };
        if rule.when.is_empty() {
            return Err(rule.place.wrong("when", "must hold at least one condition"));
        }
        match self.rules.iter_mut().find(|known| known.id == rule.id) {
            Some(known) => *known = rule,
            None => self.rules.push(rule),
        }
        Ok(())
    }

    /// Every rule must match its own example and not its counterexample.
    pub(crate) fn check_examples(&self) -> Result<(), KnowledgeError> {
        for rule in &self.rules {
            if rule.support(&rule.example.evidence()).is_none() {
                return Err(rule.place.wrong("example", "does not match the rule"));
            }
            if !rule.counterexample.is_empty() && rule.support(&rule.counterexample.evidence()).is_some() {
                return Err(rule.place.wrong("counterexample", "matches the rule"));
            }
        }
        Ok(())
    }

    pub(crate) fn kind_of(&self, name: &str) -> Option<(&str, &str)> {
        self.types.get(name).map(|known| (known.category.as_str(), known.subcategory.as_str()))
    }

    pub(crate) fn classify(&self, evidence: &Evidence<'_>) -> Classification {
        let mut held: Vec<(&Rule, String)> =
            self.rules.iter().filter_map(|rule| Some((rule, rule.support(evidence)?))).collect();
        held.sort_by_key(|(rule, _)| std::cmp::Reverse(rule.confidence));
        let mut doubts: BTreeMap<&str, f64> = BTreeMap::new();
        for (rule, _) in &held {
            *doubts.entry(rule.category.as_str()).or_insert(1.0) *= doubt(rule);
        }
        // The least doubtful; of equals the first by name.
        let Some((category, _)) =
            doubts.into_iter().reduce(|best, next| if next.1 < best.1 { next } else { best })
        else {
            return Classification::default();
        };
        let within: Vec<&Rule> =
            held.iter().map(|(rule, _)| *rule).filter(|rule| rule.category == category).collect();
        let device_type = self.narrowest(&within);
        let subcategory = match self.types.get(&device_type) {
            Some(known) => known.subcategory.clone(),
            None => within
                .iter()
                .map(|rule| rule.subcategory.clone())
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
        };
        let reasons = held.iter().map(|(rule, evidence)| Reason {
            category: rule.category.clone(),
            device_type: rule.device_type.clone(),
            because: rule.because.clone(),
            evidence: evidence.clone(),
            confidence: rule.confidence,
        });
        Classification {
            category: category.to_owned(),
            subcategory,
            confidence: percent(self.doubt_of(&held, category, &device_type)),
            device_type,
            reasons: reasons.collect(),
        }
    }

    /// The doubt that is left about a type, or about a category where there is no type. For a type speaks what speaks for
    /// it or for a narrower one; what speaks for a broader one, or for its category alone, does not speak against it.
    fn doubt_of(&self, held: &[(&Rule, String)], category: &str, device_type: &str) -> f64 {
        let chosen = if device_type.is_empty() { category } else { device_type };
        let mut doubts = Doubts::default();
        for (rule, _) in held {
            if rule.category != category {
                doubts.lessen(&rule.category, rule.confidence);
            } else if device_type.is_empty() || self.is_within(&rule.device_type, device_type) {
                doubts.lessen(chosen, rule.confidence);
            } else if !rule.device_type.is_empty() && !self.is_within(device_type, &rule.device_type) {
                doubts.lessen(&rule.device_type, rule.confidence);
            }
        }
        doubts.left(chosen)
    }

    /// Whether a type is `broader` or a narrower kind of it.
    fn is_within(&self, name: &str, broader: &str) -> bool {
        let mut at = Some(name);
        while let Some(name) = at {
            if name == broader {
                return true;
            }
            at = self.types.get(name).and_then(|known| known.is.as_deref());
        }
        false
    }

    /// From the best broad type down, as long as a narrower one is sure enough.
    fn narrowest(&self, rules: &[&Rule]) -> String {
        let mut chosen: Option<&str> = None;
        loop {
            let mut doubts: BTreeMap<&str, f64> = BTreeMap::new();
            for rule in rules {
                if let Some(branch) = self.branch(&rule.device_type, chosen) {
                    *doubts.entry(branch).or_insert(1.0) *= doubt(rule);
                }
            }
            let is_unopposed =
                doubts.len() == 1 && !rules.iter().any(|rule| Some(rule.device_type.as_str()) == chosen);
            let best = doubts.into_iter().reduce(|best, next| if next.1 < best.1 { next } else { best });
            match best {
                Some((name, left)) if is_unopposed || chosen.is_none() || percent(left) >= NARROW_ENOUGH => {
                    chosen = Some(name);
                }
                _ => return chosen.unwrap_or_default().to_owned(),
            }
        }
    }

    /// The type on the way from `below` (from the top where it is `None`) down to `name`.
    fn branch<'a>(&'a self, name: &'a str, below: Option<&str>) -> Option<&'a str> {
        let (mut at, mut known) = (name, self.types.get(name)?);
        loop {
            if known.is.as_deref() == below {
                return Some(at);
            }
            at = known.is.as_deref()?;
            known = self.types.get(at)?;
        }
    }
}

impl Rule {
    /// The facts that make it hold, in words.
    fn support(&self, evidence: &Evidence<'_>) -> Option<String> {
        let mut parts = Vec::with_capacity(self.when.len());
        for condition in &self.when {
            parts.push(condition.support(evidence, 0)?);
        }
        if self.unless.iter().any(|condition| condition.support(evidence, 0).is_some()) {
            return None;
        }
        Some(parts.into_iter().map(|part| evidence.describe(part)).collect::<Vec<_>>().join("; "))
    }
}

/// What a rule leaves open; rules are taken as independent, so doubts multiply.
fn doubt(rule: &Rule) -> f64 {
    1.0 - f64::from(rule.confidence) / 100.0
}

/// The certainty that a doubt leaves: never complete.
#[expect(clippy::cast_sign_loss, reason = "a doubt lies between 0 and 1")]
fn percent(doubt: f64) -> u32 {
    (((1.0 - doubt) * 100.0).round() as u32).min(99)
}

pub(crate) fn conditions(
    raw: &[RawCondition],
    place: &Place,
    key: &str,
) -> Result<Vec<Condition>, KnowledgeError> {
    raw.iter()
        .enumerate()
        .map(|(number, condition)| Condition::check(condition, place, &format!("{key}[{number}]")))
        .collect()
}
