//! Keys under which third devices are told of, and what makes one a device of the site after all.

use hashbrown::{HashMap, HashSet};
use serde::Deserialize;
use wardwatch_proto::v1::Attribute;

use crate::condition::named;
use crate::error::KnowledgeError;
use crate::pack::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawThirdKey {
    kind: String,
    parts: Vec<String>,
    needs: usize,
    same_by: Vec<String>,
}

/// What stands in one kind of key.
#[derive(Clone, Debug)]
struct Kind {
    needs: usize,
    /// Attribute and position among the parts.
    same_by: Vec<(Attribute, usize)>,
}

/// The kinds of a pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThirdKeys {
    kinds: HashMap<String, Kind>,
    identifying: HashSet<Attribute>,
    distinguishing: HashSet<Attribute>,
}

impl ThirdKeys {
    pub(crate) fn add(&mut self, entry: Entry<RawThirdKey>) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        let parts: Vec<Attribute> = named(&raw.parts, &place, "parts")?;
        let same_by: Vec<Attribute> = named(&raw.same_by, &place, "same_by")?;
        if raw.needs == 0 || raw.needs > parts.len() {
            return Err(place.wrong("needs", "must lie between 1 and the number of parts"));
        }
        let at = |attribute: &Attribute| match parts.iter().position(|part| part == attribute) {
            Some(at) if at < raw.needs => Ok((*attribute, at)),
            _ => Err(place.wrong("same_by", "may only name parts that the key needs")),
        };
        let same_by = same_by.iter().map(at).collect::<Result<Vec<_>, _>>()?;
        if let Some(((last, _), others)) = same_by.split_last() {
            self.identifying.insert(*last);
            self.distinguishing.extend(others.iter().map(|(attribute, _)| *attribute));
        }
        self.kinds.insert(raw.kind, Kind { needs: raw.needs, same_by });
        Ok(())
    }

    /// What a device must say of itself to be this third device, the most telling last; `None` for a key that means
    /// a device behind its teller only.
    pub(crate) fn same_by<'a>(&self, key: &'a str) -> Option<Vec<(Attribute, &'a str)>> {
        let (kind, parts) = key.split_once('=')?;
        let kind = self.kinds.get(kind)?;
        let parts: Vec<&str> = parts.split('|').collect();
        let needed = parts.get(..kind.needs)?;
        if needed.iter().any(|part| part.is_empty()) {
            return None;
        }
        Some(kind.same_by.iter().filter_map(|(attribute, at)| Some((*attribute, *parts.get(*at)?))).collect())
    }

    pub(crate) fn identifies(&self, attribute: Attribute) -> bool {
        self.identifying.contains(&attribute)
    }

    pub(crate) fn distinguishes(&self, attribute: Attribute) -> bool {
        self.distinguishing.contains(&attribute)
    }
}
