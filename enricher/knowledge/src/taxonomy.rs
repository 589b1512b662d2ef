//! What kind of device it is: categories, sub-categories and types, and the rules that speak for them.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::Deserialize;
use wardwatch_proto::v1::Attribute;

use crate::certainty::Doubts;
use crate::clinical::{self, ClinicalFacts, Criticality, FdaClass, Mobility};
use crate::condition::{Condition, RawCondition};
use crate::error::KnowledgeError;
use crate::evidence::{Evidence, Field};
use crate::example::{Example, RawObservation};
use crate::model::ModelFamily;
use crate::pack::{Entry, Place};

mod index;

use index::RuleIndex;

/// How far a maker's name for a model is believed to say of which type it is, in percent.
const BY_MODEL: u32 = 85;
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
    product_code: Option<String>,
    fda_class: Option<FdaClass>,
    criticality: Option<Criticality>,
    consequence: Option<String>,
    mobility: Option<Mobility>,
    stores_patient_data: Option<bool>,
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
    facts: ClinicalFacts,
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

/// Something that speaks for a category, and perhaps for a sub-category and a type: a rule or a signature that holds.
#[derive(Clone, Debug)]
pub(crate) struct Voice<'a> {
    pub(crate) category: &'a str,
    pub(crate) subcategory: &'a str,
    pub(crate) device_type: &'a str,
    pub(crate) confidence: u32,
    pub(crate) because: &'a str,
    pub(crate) evidence: String,
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
    /// For each rule and signature that holds; the most confident first.
    pub reasons: Vec<Reason>,
}

/// A rule or a signature that holds.
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
    /// Those that follow from families of models.
    model_rules: Vec<Rule>,
    index: RuleIndex,
}

impl Taxonomy {
    pub(crate) fn add_type(&mut self, entry: Entry<RawType>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if raw.is.as_deref().is_some_and(|broader| self.is_within(broader, &raw.name)) {
            return Err(place.wrong("is", "leads back to the type itself"));
        }
        let facts = ClinicalFacts {
            product: clinical::product(raw.product_code, raw.fda_class, &place)?,
            criticality: raw.criticality,
            consequence: clinical::consequence(raw.consequence, &place)?,
            mobility: raw.mobility,
            stores_patient_data: raw.stores_patient_data,
        };
        let made = match (&raw.is, &raw.category) {
            (Some(broader), None) => {
                let known = self.types.get(broader).ok_or_else(|| {
                    place.wrong("is", format!("no type {broader:?} stands before this one"))
                })?;
                Type {
                    is: raw.is.clone(),
                    category: known.category.clone(),
                    subcategory: known.subcategory.clone(),
                    facts: facts.within(&known.facts),
                }
            }
            (None, Some(category)) => Type {
                is: None,
                category: category.clone(),
                subcategory: raw.subcategory.clone().unwrap_or_default(),
                facts,
            },
            _ => return Err(place.wrong("category", "must be given, unless `is` names a broader type")),
        };
        self.types.insert(raw.name, made);
        Ok(())
    }

    /// A rule of the same id that was there before is replaced.
    pub(crate) fn add_rule(&mut self, entry: Entry<RawRule>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        // 100 is for who knows: it leaves no doubt, whatever else speaks for something else.
        if !(1..=100).contains(&raw.confidence) {
            return Err(place.wrong("confidence", "must lie between 1 and 100 percent"));
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

    /// Families of models whose devices are all of one type speak for the type; of one maker's, the first that fits.
    pub(crate) fn set_models(&mut self, families: &[ModelFamily]) {
        let rules = families.iter().enumerate().filter_map(|(at, family)| {
            let known = self.types.get(&family.device_type)?;
            let (maker, model) = (Field::Maker, Field::Stated(Attribute::Model));
            let before = families.get(..at).unwrap_or_default().iter();
            let others = before.filter(|other| other.manufacturer == family.manufacturer);
            Some(Rule {
                place: family.place.clone(),
                id: family.family.clone(),
                category: known.category.clone(),
                subcategory: known.subcategory.clone(),
                device_type: family.device_type.clone(),
                confidence: BY_MODEL,
                because: format!("is a model of the family {} of {}", family.family, family.manufacturer),
                when: vec![
                    Condition::exactly(maker, &family.manufacturer),
                    Condition::model(model, &family.names),
                ],
                unless: others.map(|other| Condition::model(model, &other.names)).collect(),
                example: Example::saying(&[(maker, &family.manufacturer), (model, &family.example)]),
                counterexample: Example::default(),
            })
        });
        self.model_rules = rules.collect();
    }

    /// Makes ready for asking.
    pub(crate) fn index(&mut self) {
        self.index = RuleIndex::of(self.rules.iter().chain(&self.model_rules));
    }

    /// The rule of a place among all.
    fn rule(&self, place: usize) -> Option<&Rule> {
        self.rules.get(place).or_else(|| self.model_rules.get(place.checked_sub(self.rules.len())?))
    }

    /// Every rule must match its own example and not its counterexample.
    pub(crate) fn check_examples(&self) -> Result<(), KnowledgeError> {
        for rule in self.rules.iter().chain(&self.model_rules) {
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

    pub(crate) fn facts_of(&self, name: &str) -> Option<&ClinicalFacts> {
        self.types.get(name).map(|known| &known.facts)
    }

    /// Every type by name.
    pub(crate) fn types(&self) -> BTreeMap<&str, &ClinicalFacts> {
        self.types.iter().map(|(name, known)| (name.as_str(), &known.facts)).collect()
    }

    /// The broadest type that a type belongs to: itself where it belongs to no other.
    pub(crate) fn broadest<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.types.get(name)?;
        let mut at = name;
        while let Some(broader) = self.types.get(at).and_then(|known| known.is.as_deref()) {
            at = broader;
        }
        Some(at)
    }

    /// What the rules and `others` speak for.
    pub(crate) fn classify<'a>(&'a self, evidence: &Evidence<'_>, others: Vec<Voice<'a>>) -> Classification {
        let rules = self.index.find(evidence).into_iter().filter_map(|place| self.rule(place));
        let mut held: Vec<Voice<'a>> = rules.filter_map(|rule| rule.voice(evidence)).collect();
        held.extend(others);
        held.sort_by_key(|voice| std::cmp::Reverse(voice.confidence));
        let mut doubts: BTreeMap<&str, f64> = BTreeMap::new();
        for voice in &held {
            *doubts.entry(voice.category).or_insert(1.0) *= voice.doubt();
        }
        // The least doubtful; of equals the first by name.
        let Some((category, _)) =
            doubts.into_iter().reduce(|best, next| if next.1 < best.1 { next } else { best })
        else {
            return Classification::default();
        };
        let within: Vec<&Voice<'a>> = held.iter().filter(|voice| voice.category == category).collect();
        let device_type = self.narrowest(&within);
        let subcategory = match self.types.get(&device_type) {
            Some(known) => known.subcategory.clone(),
            None => within
                .iter()
                .map(|voice| voice.subcategory.to_owned())
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
        };
        let confidence = percent(self.doubt_of(&held, category, &device_type));
        let category = category.to_owned();
        let reasons = held.into_iter().map(|voice| Reason {
            category: voice.category.to_owned(),
            device_type: voice.device_type.to_owned(),
            because: voice.because.to_owned(),
            evidence: voice.evidence,
            confidence: voice.confidence,
        });
        Classification { category, subcategory, device_type, confidence, reasons: reasons.collect() }
    }

    /// The doubt that is left about a type, or about a category where there is no type. For a type speaks what speaks for
    /// it or for a narrower one; what speaks for a broader one, or for its category alone, does not speak against it.
    fn doubt_of(&self, held: &[Voice<'_>], category: &str, device_type: &str) -> f64 {
        let chosen = if device_type.is_empty() { category } else { device_type };
        let mut doubts = Doubts::default();
        for voice in held {
            if voice.category != category {
                doubts.lessen(voice.category, voice.confidence);
            } else if device_type.is_empty() || self.is_within(voice.device_type, device_type) {
                doubts.lessen(chosen, voice.confidence);
            } else if !voice.device_type.is_empty() && !self.is_within(device_type, voice.device_type) {
                doubts.lessen(voice.device_type, voice.confidence);
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
    fn narrowest(&self, voices: &[&Voice<'_>]) -> String {
        let mut chosen: Option<&str> = None;
        loop {
            let mut doubts: BTreeMap<&str, f64> = BTreeMap::new();
            for voice in voices {
                if let Some(branch) = self.branch(voice.device_type, chosen) {
                    *doubts.entry(branch).or_insert(1.0) *= voice.doubt();
                }
            }
            let is_unopposed =
                doubts.len() == 1 && !voices.iter().any(|voice| Some(voice.device_type) == chosen);
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
    fn voice(&self, evidence: &Evidence<'_>) -> Option<Voice<'_>> {
        Some(Voice {
            category: &self.category,
            subcategory: &self.subcategory,
            device_type: &self.device_type,
            confidence: self.confidence,
            because: &self.because,
            evidence: self.support(evidence)?,
        })
    }

    /// The facts that make it hold, in words.
    fn support(&self, evidence: &Evidence<'_>) -> Option<String> {
        let parts = self.when.iter().map(|condition| condition.support(evidence, 0));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        if self.unless.iter().any(|condition| condition.support(evidence, 0).is_some()) {
            return None;
        }
        Some(parts.into_iter().map(|part| evidence.describe(part)).collect::<Vec<_>>().join("; "))
    }
}

impl Voice<'_> {
    /// What it leaves open; voices are taken as independent, so doubts multiply.
    fn doubt(&self) -> f64 {
        1.0 - f64::from(self.confidence) / 100.0
    }
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
