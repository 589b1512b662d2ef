//! Roots of DICOM implementation class UIDs (PS3.7 D.3.3.2): the software, and sometimes the maker.

use serde::Deserialize;

use crate::error::KnowledgeError;
use crate::manufacturer::Manufacturers;
use crate::pack::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRoot {
    root: String,
    manufacturer: Option<String>,
    software: Option<String>,
}

/// Whose root it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DicomRoot {
    /// A manufacturer's own: a hint at the maker of the device.
    Manufacturer(String),
    /// A toolkit's: the software that speaks DICOM, which says nothing of the maker.
    Software(String),
}

/// The roots of a pack, longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct DicomRoots {
    roots: Vec<(String, DicomRoot)>,
}

impl DicomRoots {
    pub(crate) fn add(&mut self, entry: Entry<RawRoot>, known: &Manufacturers) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        let owner = match (raw.manufacturer, raw.software) {
            (Some(name), None) if known.is_known(&name) => DicomRoot::Manufacturer(name),
            (Some(name), None) => {
                return Err(place.wrong("manufacturer", format!("no manufacturer is called {name:?}")));
            }
            (None, Some(name)) => DicomRoot::Software(name),
            _ => return Err(place.wrong("manufacturer", "either it or `software` must be given")),
        };
        self.roots.retain(|(root, _)| *root != raw.root);
        self.roots.push((raw.root, owner));
        self.roots.sort_by_key(|(root, _)| std::cmp::Reverse(root.len()));
        Ok(())
    }

    /// Matches on whole arcs: `1.2.840.11361` is no root of `1.2.840.113619`.
    pub(crate) fn owner(&self, uid: &str) -> Option<&DicomRoot> {
        let below =
            |root: &str| uid.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.roots.iter().find(|(root, _)| below(root)).map(|(_, owner)| owner)
    }
}
