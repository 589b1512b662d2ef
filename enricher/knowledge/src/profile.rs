//! The profile of a device: which fields it has, where each applies, and what would fill it.
//!
//! A field of the profile is known, or it is absent with a reason. How much of what applies is known is the device's
//! visibility: the weights of the known fields in percent of the weights of all that apply to its kind.

use std::sync::Arc;

use hashbrown::HashMap;
use serde::Deserialize;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use crate::error::KnowledgeError;
use crate::pack::Entry;

/// The heaviest that one field may weigh.
const HEAVIEST: u32 = 100;
/// Fields of a profile; each device carries a reason for each that it lacks.
const MOST_FIELDS: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawField {
    name: String,
    group: String,
    attribute: Option<String>,
    otherwise: Option<String>,
    weight: u32,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default = "yes")]
    nested: bool,
    #[serde(default = "yes")]
    told: bool,
    completed_by: String,
}

fn yes() -> bool {
    true
}

/// A field that a profile has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileField {
    /// Its name, as in `wardwatch device` and in the column `details` of ClickHouse.
    pub name: Arc<str>,
    /// The part of the profile it stands in: `identity`, `classification`, `software`, `clinical`, `network`, `location`,
    /// `maintenance`, `management`, `usage`.
    pub group: String,
    /// What it is read from, where it is what devices or other systems say and nothing more.
    pub attribute: Option<Attribute>,
    /// What it is read from where nobody says that.
    pub otherwise: Option<Attribute>,
    /// What it counts for among the fields that apply; 0 for one that not every device can have.
    pub weight: u32,
    /// Whether its changes are told. They are not where it follows from another field whose changes are.
    pub is_told: bool,
    /// The traffic or the integration that would fill it.
    pub completed_by: Arc<str>,
    categories: Vec<String>,
    nested: bool,
}

impl ProfileField {
    /// Whether a device of this category can have it; a nested one has no place of its own on the network.
    pub fn applies_to(&self, category: &str, is_nested: bool) -> bool {
        let of_kind = category.is_empty() || self.categories.is_empty();
        (of_kind || self.categories.iter().any(|known| known == category)) && (self.nested || !is_nested)
    }
}

/// The fields of a pack, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    fields: Vec<ProfileField>,
    /// Where the field of a name stands.
    places: HashMap<Arc<str>, usize>,
}

impl Profile {
    /// A field of the same name that was there before is replaced.
    pub(crate) fn add(&mut self, entry: Entry<RawField>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        let is_word = |word: &str| {
            (1..=64).contains(&word.len())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
        };
        for (key, word) in [("name", &raw.name), ("group", &raw.group)] {
            if !is_word(word) {
                return Err(place.wrong(key, "must be a word of at most 64 small letters, digits and _"));
            }
        }
        if raw.weight > HEAVIEST {
            return Err(place.wrong("weight", format!("must be at most {HEAVIEST}")));
        }
        let named = |key: &str, word: &Option<String>| match word {
            None => Ok(None),
            Some(word) => Attribute::from_name(word)
                .map(Some)
                .ok_or_else(|| place.wrong(key, format!("no attribute is called {word:?}"))),
        };
        let (attribute, otherwise) =
            (named("attribute", &raw.attribute)?, named("otherwise", &raw.otherwise)?);
        let field = ProfileField {
            name: raw.name.into(),
            group: raw.group,
            attribute,
            otherwise,
            weight: raw.weight,
            is_told: raw.told,
            completed_by: raw.completed_by.into(),
            categories: raw.categories,
            nested: raw.nested,
        };
        let is_full = self.fields.len() >= MOST_FIELDS;
        match self.place(&field.name).and_then(|at| self.fields.get_mut(at)) {
            Some(known) => *known = field,
            None if is_full => {
                return Err(place.wrong("name", format!("a profile has at most {MOST_FIELDS} fields")));
            }
            None => {
                self.places.insert(Arc::clone(&field.name), self.fields.len());
                self.fields.push(field);
            }
        }
        Ok(())
    }

    pub(crate) fn fields(&self) -> &[ProfileField] {
        &self.fields
    }

    /// Where the field of this name stands among them.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}
