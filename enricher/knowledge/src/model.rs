//! Families of models: what a maker calls its devices, cut down to the name that all variants share.
//!
//! No rule cuts a family out of a model by itself: where "AS+" is a variant, "ONE" is a name. What no entry names has no
//! family.

use serde::Deserialize;

use crate::caseless;
use crate::clinical::{self, FdaClass};
use crate::error::KnowledgeError;
use crate::manufacturer::Manufacturers;
use crate::pack::{Entry, Place};

/// Families of a pack; each device with a model is held against those of its maker.
const MOST_FAMILIES: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawModel {
    family: String,
    manufacturer: String,
    #[serde(default)]
    exact: Vec<String>,
    #[serde(default)]
    starts_with: Vec<String>,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(rename = "type")]
    device_type: Option<String>,
    product_code: Option<String>,
    fda_class: Option<FdaClass>,
    example: String,
    counterexample: Option<String>,
}

/// How models of a family are recognised, whatever their case.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    exact: Vec<String>,
    starts_with: Vec<String>,
    contains: Vec<String>,
}

impl Names {
    pub(crate) fn fit(&self, model: &str) -> bool {
        self.exact.iter().any(|name| model.eq_ignore_ascii_case(name))
            || self.starts_with.iter().any(|start| caseless::begins(model, start))
            || self.contains.iter().any(|part| caseless::contains(model, part))
    }

    /// Texts of which one stands in every model that fits, whatever the case of its ASCII letters.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &String> {
        self.exact.iter().chain(&self.starts_with).chain(&self.contains)
    }
}

/// A family of models of one maker.
#[derive(Clone, Debug)]
pub struct ModelFamily {
    /// The name that all its models share.
    pub family: String,
    /// The type of its devices; empty where they are of several.
    pub device_type: String,
    /// The FDA's product code of its devices and its class, where it is not that of the type.
    pub product: Option<(String, FdaClass)>,
    pub(crate) manufacturer: String,
    pub(crate) names: Names,
    pub(crate) example: String,
    pub(crate) place: Place,
    counterexample: Option<String>,
}

/// The families of a pack, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    families: Vec<ModelFamily>,
}

impl Models {
    /// A family of the same maker and name that was there before is replaced.
    pub(crate) fn add(
        &mut self,
        entry: Entry<RawModel>,
        manufacturers: &Manufacturers,
        is_type: impl Fn(&str) -> bool,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if !manufacturers.is_known(&raw.manufacturer) {
            return Err(
                place.wrong("manufacturer", format!("no manufacturer is called {:?}", raw.manufacturer))
            );
        }
        let device_type = raw.device_type.unwrap_or_default();
        if !device_type.is_empty() && !is_type(&device_type) {
            return Err(place.wrong("type", format!("no type is called {device_type:?}")));
        }
        let given = [("exact", &raw.exact), ("starts_with", &raw.starts_with), ("contains", &raw.contains)];
        if let Some((key, _)) = given.iter().find(|(_, names)| names.iter().any(String::is_empty)) {
            return Err(place.wrong(*key, "must not hold an empty name"));
        }
        if given.iter().all(|(_, names)| names.is_empty()) {
            return Err(place.wrong("starts_with", "it, `exact` or `contains` must be given"));
        }
        let names = Names { exact: raw.exact, starts_with: raw.starts_with, contains: raw.contains };
        let family = ModelFamily {
            product: clinical::product(raw.product_code, raw.fda_class, &place)?,
            family: raw.family,
            device_type,
            manufacturer: raw.manufacturer,
            names,
            example: raw.example,
            counterexample: raw.counterexample,
            place,
        };
        let is_same = |known: &&mut ModelFamily| {
            (&known.manufacturer, &known.family) == (&family.manufacturer, &family.family)
        };
        let is_full = self.families.len() >= MOST_FAMILIES;
        match self.families.iter_mut().find(is_same) {
            Some(known) => *known = family,
            None if is_full => {
                return Err(family.place.wrong("family", format!("a pack has at most {MOST_FAMILIES}")));
            }
            None => self.families.push(family),
        }
        Ok(())
    }

    /// Every family must be the first that its own example fits, and not fit its counterexample.
    pub(crate) fn check_examples(&self) -> Result<(), KnowledgeError> {
        for family in &self.families {
            match self.family(&family.manufacturer, &family.example) {
                Some(found) if found.family == family.family => {}
                Some(found) => {
                    let problem = format!("is taken for {:?}, which stands before it", found.family);
                    return Err(family.place.wrong("example", problem));
                }
                None => return Err(family.place.wrong("example", "does not match the model")),
            }
            if family.counterexample.as_ref().is_some_and(|model| family.names.fit(model)) {
                return Err(family.place.wrong("counterexample", "matches the model"));
            }
        }
        Ok(())
    }

    /// The first family of the maker that the model fits.
    pub(crate) fn family(&self, manufacturer: &str, model: &str) -> Option<&ModelFamily> {
        let mut families = self.families.iter().filter(|family| family.manufacturer == manufacturer);
        families.find(|family| family.names.fit(model))
    }

    pub(crate) fn families(&self) -> &[ModelFamily] {
        &self.families
    }
}
