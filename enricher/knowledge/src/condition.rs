//! Conditions: what a rule asks of the evidence.

use hashbrown::HashSet;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use wardwatch_proto::attribute;
use wardwatch_proto::v1::Protocol;
use wardwatch_proto::v1::subject::Role;

use crate::caseless::{self, Caseless};
use crate::date;
use crate::error::KnowledgeError;
use crate::evidence::{Evidence, Field, Said, Support};
use crate::literal;
use crate::model::Names;
use crate::pack::Place;

/// Largest compiled size of one pattern, so that a pack cannot exhaust the memory.
pub(crate) const PATTERN_BYTES: usize = 1 << 20;

/// A condition as a pack spells it. Either `attribute` with at most one matcher, or `spoken` / `internet`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCondition {
    attribute: Option<String>,
    protocol: Option<Words>,
    told_by: Option<Words>,
    exact: Option<String>,
    prefix: Option<String>,
    contains: Option<String>,
    one_of: Option<Vec<String>>,
    regex: Option<String>,
    past: Option<bool>,
    future: Option<bool>,
    at_least: Option<usize>,
    spoken: Option<Words>,
    internet: Option<bool>,
    initiated: Option<bool>,
}

/// One word or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    pub(crate) fn list(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

/// A condition that was checked.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// A field has a value.
    Said(SaidCondition),
    /// The device was seen in a conversation.
    Spoken { protocols: Vec<Protocol>, internet: Option<bool>, initiated: Option<bool> },
}

/// What must have been said or seen for a condition to hold.
#[derive(Clone, Debug)]
pub(crate) enum Asked<'a> {
    /// A value of the field in which one of these texts stands, whatever the case of its ASCII letters; as
    /// [`SaidCondition::literals`] has it.
    Text(Field, Vec<String>),
    /// One of these values of the field, whatever the case of their ASCII letters.
    Value(Field, Vec<&'a str>),
    /// Any value of the field.
    Field(Field),
    /// A conversation in one of the protocols; in any where there are none.
    Spoken(&'a [Protocol]),
}

/// A field has a value that matches, said in one of the protocols (in any where none is named).
#[derive(Clone, Debug)]
pub(crate) struct SaidCondition {
    pub(crate) field: Field,
    protocols: Vec<Protocol>,
    told_by: Vec<Role>,
    matcher: Matcher,
    at_least: usize,
}

/// How a value is held against the pattern. All but `Pattern` ignore the case of ASCII letters.
#[derive(Clone, Debug)]
enum Matcher {
    Any,
    Exact(String),
    Prefix(String),
    Contains(String),
    OneOf(HashSet<Caseless<String>>),
    Pattern(Regex),
    /// A model of a family.
    Model(Names),
    /// A date before the day on which it was seen.
    Past,
    /// A date after the day on which it was seen.
    Future,
}

impl Condition {
    pub(crate) fn check(raw: &RawCondition, place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        let spoken = raw.spoken.is_some() || raw.internet.is_some() || raw.initiated.is_some();
        match (&raw.attribute, spoken) {
            (Some(name), false) => {
                let field = Field::from_name(name).ok_or_else(|| {
                    place.wrong(format!("{key}.attribute"), format!("no attribute is called {name:?}"))
                })?;
                SaidCondition::check(field, raw, place, key).map(Self::Said)
            }
            (None, true) => {
                let given = raw.protocol.is_some() || raw.told_by.is_some() || raw.at_least.is_some();
                if given || !raw.matchers().is_empty() {
                    return Err(place.wrong(key, "a conversation has no value to match"));
                }
                let words = raw.spoken.as_ref().map(Words::list).unwrap_or_default();
                let protocols = named(words, place, &format!("{key}.spoken"))?;
                Ok(Self::Spoken { protocols, internet: raw.internet, initiated: raw.initiated })
            }
            _ => Err(place.wrong(key, "must ask either for an attribute or for a conversation")),
        }
    }

    /// The condition, if it asks for one value of what sensors state, which is all that a signature can look at.
    pub(crate) fn of_one_value(
        raw: &RawCondition,
        place: &Place,
        key: &str,
    ) -> Result<SaidCondition, KnowledgeError> {
        let given = [
            ("at_least", raw.at_least.is_some()),
            ("past", raw.past.is_some()),
            ("future", raw.future.is_some()),
        ];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(place.wrong(format!("{key}.{name}"), "a signature looks at one value by itself"));
        }
        match Self::check(raw, place, key)? {
            Self::Said(condition) if matches!(condition.field, Field::Stated(_)) => Ok(condition),
            Self::Said(condition) => Err(place.wrong(
                format!("{key}.attribute"),
                format!("{} is concluded; a signature looks at what sensors state", condition.field.name()),
            )),
            Self::Spoken { .. } => {
                Err(place.wrong(key, "a signature looks at a value, not at a conversation"))
            }
        }
    }

    /// A field has this value, whatever its case.
    pub(crate) fn exactly(field: Field, value: &str) -> Self {
        Self::of(field, Matcher::Exact(value.to_owned()))
    }

    /// A field has a value that is a model of a family.
    pub(crate) fn model(field: Field, names: &Names) -> Self {
        Self::of(field, Matcher::Model(names.clone()))
    }

    fn of(field: Field, matcher: Matcher) -> Self {
        Self::Said(SaidCondition { field, protocols: Vec::new(), told_by: Vec::new(), matcher, at_least: 1 })
    }

    /// What must have been said or seen for it to hold.
    pub(crate) fn asks(&self) -> Asked<'_> {
        let condition = match self {
            Self::Said(condition) => condition,
            Self::Spoken { protocols, .. } => return Asked::Spoken(protocols),
        };
        match &condition.matcher {
            Matcher::Exact(value) => Asked::Value(condition.field, vec![value]),
            Matcher::OneOf(values) => {
                Asked::Value(condition.field, values.iter().map(|value| value.0.as_str()).collect())
            }
            _ => match condition.literals() {
                texts if texts.is_empty() => Asked::Field(condition.field),
                texts => Asked::Text(condition.field, texts),
            },
        }
    }

    /// What makes it hold, if anything, among what was seen at `since` or later.
    pub(crate) fn support(&self, evidence: &Evidence<'_>, since: u64) -> Option<Support> {
        match self {
            Self::Said(condition) => evidence.find_said(condition.field, condition.at_least, |said| {
                said.last_seen >= since && condition.is_from(said) && condition.matcher.matches(said)
            }),
            Self::Spoken { protocols, internet, initiated } => evidence.find_spoken(|spoken| {
                spoken.last_seen >= since
                    && (protocols.is_empty() || protocols.contains(&spoken.protocol))
                    && internet.is_none_or(|wanted| wanted == spoken.internet)
                    && initiated.is_none_or(|wanted| wanted == spoken.initiated)
            }),
        }
    }
}

impl SaidCondition {
    fn check(field: Field, raw: &RawCondition, place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        let words =
            |words: &Option<Words>| words.as_ref().map(|words| words.list().to_vec()).unwrap_or_default();
        Ok(Self {
            field,
            protocols: named(&words(&raw.protocol), place, &format!("{key}.protocol"))?,
            told_by: named(&words(&raw.told_by), place, &format!("{key}.told_by"))?,
            matcher: Matcher::check(field, raw, place, key)?,
            at_least: raw.at_least.unwrap_or(1),
        })
    }

    pub(crate) fn matches(&self, said: &Said<'_>) -> bool {
        self.is_about(said) && self.matcher.matches(said)
    }

    /// Whether the value is of the field, protocol and teller that it asks for.
    pub(crate) fn is_about(&self, said: &Said<'_>) -> bool {
        said.field == self.field && self.is_from(said)
    }

    /// Whether it was said in the protocol and by the teller that it asks for.
    fn is_from(&self, said: &Said<'_>) -> bool {
        (self.protocols.is_empty() || self.protocols.contains(&said.protocol))
            && (self.told_by.is_empty() || self.told_by.contains(&said.told_by))
    }

    /// The pattern, where it is a regular expression.
    pub(crate) fn pattern(&self) -> Option<&Regex> {
        match &self.matcher {
            Matcher::Pattern(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// Texts of which one stands in every value that matches, whatever the case of its ASCII letters; empty where
    /// there are no such.
    pub(crate) fn literals(&self) -> Vec<String> {
        let texts = match &self.matcher {
            Matcher::Exact(text) | Matcher::Prefix(text) | Matcher::Contains(text) => vec![text.clone()],
            Matcher::OneOf(texts) => texts.iter().map(|text| text.0.clone()).collect(),
            Matcher::Pattern(pattern) => literal::required(pattern.as_str()),
            Matcher::Model(names) => names.texts().cloned().collect(),
            Matcher::Any | Matcher::Past | Matcher::Future => Vec::new(),
        };
        // The empty text stands in every value.
        if texts.iter().any(String::is_empty) { Vec::new() } else { texts }
    }
}

impl RawCondition {
    /// The names of the matchers that are given.
    fn matchers(&self) -> Vec<&'static str> {
        let given = [
            ("exact", self.exact.is_some()),
            ("prefix", self.prefix.is_some()),
            ("contains", self.contains.is_some()),
            ("one_of", self.one_of.is_some()),
            ("regex", self.regex.is_some()),
            ("past", self.past.is_some()),
            ("future", self.future.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}

impl Matcher {
    fn check(field: Field, raw: &RawCondition, place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        if let [first, second, ..] = raw.matchers().as_slice() {
            return Err(place.wrong(format!("{key}.{second}"), format!("cannot stand beside {first}")));
        }
        if let Some(value) = &raw.exact {
            possible(field, value, place, &format!("{key}.exact"))?;
            return Ok(Self::Exact(value.clone()));
        }
        if let Some(values) = &raw.one_of {
            for (number, value) in values.iter().enumerate() {
                possible(field, value, place, &format!("{key}.one_of[{number}]"))?;
            }
            return Ok(Self::OneOf(values.iter().cloned().map(Caseless).collect()));
        }
        if let Some(pattern) = &raw.regex {
            return RegexBuilder::new(pattern)
                .size_limit(PATTERN_BYTES)
                .build()
                .map(Self::Pattern)
                .map_err(|error| place.wrong(format!("{key}.regex"), error.to_string()));
        }
        for (name, given) in [("past", raw.past), ("future", raw.future)] {
            match given {
                None => {}
                Some(false) => return Err(place.wrong(format!("{key}.{name}"), "must be true or left out")),
                Some(true) if !is_date(field) => {
                    return Err(place.wrong(format!("{key}.{name}"), format!("{} is no date", field.name())));
                }
                Some(true) => return Ok(if name == "past" { Self::Past } else { Self::Future }),
            }
        }
        Ok(match (&raw.prefix, &raw.contains) {
            (Some(prefix), _) => Self::Prefix(prefix.clone()),
            (None, Some(part)) => Self::Contains(part.clone()),
            (None, None) => Self::Any,
        })
    }

    fn matches(&self, said: &Said<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => said.value.eq_ignore_ascii_case(wanted),
            Self::Prefix(wanted) => caseless::begins(said.value, wanted),
            Self::Contains(wanted) => caseless::contains(said.value, wanted),
            Self::OneOf(wanted) => wanted.contains(&Caseless(said.value)),
            Self::Pattern(pattern) => pattern.is_match(said.value),
            Self::Model(names) => names.fit(said.value),
            Self::Past => date::day_of_date(said.value).is_some_and(|day| day < date::day_of(said.last_seen)),
            Self::Future => {
                date::day_of_date(said.value).is_some_and(|day| day > date::day_of(said.last_seen))
            }
        }
    }
}

fn is_date(field: Field) -> bool {
    matches!(field, Field::Stated(attribute) if attribute::grammar(attribute) == Some(attribute::Grammar::Date))
}

/// A value that no sensor may send can never match: the rule would be dead.
pub(crate) fn possible(field: Field, value: &str, place: &Place, key: &str) -> Result<(), KnowledgeError> {
    match field {
        Field::Stated(attribute) if attribute::accept(attribute, value).is_none() => {
            Err(place.wrong(key, format!("{value:?} can never be a value of {}", field.name())))
        }
        _ => Ok(()),
    }
}

pub(crate) fn named<T: wardwatch_proto::name::Named>(
    words: &[String],
    place: &Place,
    key: &str,
) -> Result<Vec<T>, KnowledgeError> {
    let value =
        |word: &String| T::from_name(word).ok_or_else(|| place.wrong(key, format!("{word:?} is not known")));
    words.iter().map(value).collect()
}
