//! Test vectors: what must match a rule, and what must not.

use serde::Deserialize;
use wardwatch_proto::v1::Protocol;
use wardwatch_proto::v1::subject::Role;

use crate::condition::{Words, named, possible};
use crate::date;
use crate::error::KnowledgeError;
use crate::evidence::{Evidence, Field, Said, Spoken};
use crate::pack::Place;

/// One observation of an example as a pack spells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawObservation {
    attribute: Option<String>,
    protocol: Option<String>,
    told_by: Option<String>,
    value: Option<String>,
    /// The day on which it was seen, `YYYY-MM-DD`.
    seen: Option<String>,
    spoken: Option<Words>,
    internet: Option<bool>,
    initiated: Option<bool>,
}

/// A device that exists for the sake of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Example {
    said: Vec<(Field, String, Protocol, Role, u64)>,
    spoken: Vec<Spoken>,
}

impl Example {
    pub(crate) fn check(raw: &[RawObservation], place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        let mut example = Self::default();
        for (number, observation) in raw.iter().enumerate() {
            example.add(observation, place, &format!("{key}[{number}]"))?;
        }
        Ok(example)
    }

    /// An example of one observation, of a signature.
    pub(crate) fn check_one(raw: &RawObservation, place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        let mut example = Self::default();
        example.add(raw, place, key)?;
        Ok(example)
    }

    /// A device that says these of itself.
    pub(crate) fn saying(said: &[(Field, &str)]) -> Self {
        let said = said
            .iter()
            .map(|(field, value)| (*field, (*value).to_owned(), Protocol::Unspecified, Role::Sender, 0));
        Self { said: said.collect(), spoken: Vec::new() }
    }

    fn add(&mut self, raw: &RawObservation, place: &Place, key: &str) -> Result<(), KnowledgeError> {
        let one = |word: &Option<String>| word.iter().cloned().collect::<Vec<_>>();
        let seen = match &raw.seen {
            None => 0,
            Some(date) => date::day_of_date(date)
                .and_then(|day| u64::try_from(day).ok())
                .and_then(|day| day.checked_mul(86_400 * 1_000_000_000))
                .ok_or_else(|| {
                    place.wrong(format!("{key}.seen"), format!("{date:?} is no date since 1970"))
                })?,
        };
        let Some(name) = &raw.attribute else {
            let words = raw.spoken.as_ref().map(Words::list).unwrap_or_default();
            let protocols: Vec<Protocol> = named(words, place, &format!("{key}.spoken"))?;
            self.spoken.push(Spoken {
                protocol: protocols.first().copied().unwrap_or_default(),
                initiated: raw.initiated.unwrap_or_default(),
                internet: raw.internet.unwrap_or_default(),
                last_seen: seen,
            });
            return Ok(());
        };
        let field = Field::from_name(name).ok_or_else(|| {
            place.wrong(format!("{key}.attribute"), format!("no attribute is called {name:?}"))
        })?;
        let value = raw.value.clone().ok_or_else(|| place.wrong(format!("{key}.value"), "is missing"))?;
        possible(field, &value, place, &format!("{key}.value"))?;
        let protocols: Vec<Protocol> = named(&one(&raw.protocol), place, &format!("{key}.protocol"))?;
        let roles: Vec<Role> = named(&one(&raw.told_by), place, &format!("{key}.told_by"))?;
        self.said.push((
            field,
            value,
            protocols.first().copied().unwrap_or_default(),
            roles.first().copied().unwrap_or(Role::Sender),
            seen,
        ));
        Ok(())
    }

    /// The one value that it consists of; `None` where it is several, or a conversation.
    pub(crate) fn only_value(&self) -> Option<Said<'_>> {
        match (self.said.as_slice(), self.spoken.as_slice()) {
            ([(field, value, protocol, told_by, last_seen)], []) => Some(Said {
                field: *field,
                value,
                protocol: *protocol,
                told_by: *told_by,
                last_seen: *last_seen,
            }),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.said.is_empty() && self.spoken.is_empty()
    }

    pub(crate) fn evidence(&self) -> Evidence<'_> {
        let said = self.said.iter().map(|(field, value, protocol, told_by, last_seen)| Said {
            field: *field,
            value,
            protocol: *protocol,
            told_by: *told_by,
            last_seen: *last_seen,
        });
        let newest =
            self.said.iter().map(|said| said.4).chain(self.spoken.iter().map(|spoken| spoken.last_seen));
        Evidence::new(said.collect(), self.spoken.clone(), newest.max().unwrap_or_default())
    }
}
