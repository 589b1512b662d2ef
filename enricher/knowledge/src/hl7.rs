//! HL7 v2 sending applications (MSH-3) whose maker is known.

use serde::Deserialize;

use crate::caseless;
use crate::error::KnowledgeError;
use crate::manufacturer::Manufacturers;
use crate::pack::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawApplication {
    prefix: String,
    manufacturer: String,
}

/// The applications of a pack: prefix and manufacturer, longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hl7Applications {
    prefixes: Vec<(String, String)>,
}

impl Hl7Applications {
    pub(crate) fn add(
        &mut self,
        entry: Entry<RawApplication>,
        known: &Manufacturers,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !known.is_known(&raw.manufacturer) {
            return Err(
                place.wrong("manufacturer", format!("no manufacturer is called {:?}", raw.manufacturer))
            );
        }
        self.prefixes.retain(|(prefix, _)| *prefix != raw.prefix);
        self.prefixes.push((raw.prefix, raw.manufacturer));
        self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(())
    }

    pub(crate) fn manufacturer(&self, application: &str) -> Option<&str> {
        let starts = |prefix: &str| caseless::begins(application, prefix);
        self.prefixes.iter().find(|(prefix, _)| starts(prefix)).map(|(_, name)| name.as_str())
    }
}
