//! What a device's type says of its clinical weight: regulation, criticality, mobility, and whether it keeps patient data.
//!
//! The facts stand with the types of the taxonomy. A narrower type has those of the broader one that it does not state
//! itself; product code and class stand together, because the class is the code's.

use serde::Deserialize;

use crate::error::KnowledgeError;
use crate::fda::is_code;
use crate::pack::Place;

/// The longest sentence about what happens when a device fails, in octets.
const LONGEST_CONSEQUENCE: usize = 200;

/// How an FDA regulates devices of a product code (21 CFR 860.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum FdaClass {
    /// General controls.
    #[serde(rename = "1")]
    One,
    /// Special controls.
    #[serde(rename = "2")]
    Two,
    /// Premarket approval.
    #[serde(rename = "3")]
    Three,
    /// Has a product code and no class yet.
    #[serde(rename = "unclassified")]
    Unclassified,
}

/// What a device is to a patient, the gravest first. A type has the gravest that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criticality {
    /// Takes over a function of the body: the patient dies or is harmed within minutes unless somebody steps in.
    LifeSupporting,
    /// Treats: gives drugs, energy, blood or radiation. A failure stops the treatment, a wrong command harms.
    Therapeutic,
    /// Watches a patient and raises alarms: a failure leaves a change for the worse unnoticed.
    Monitoring,
    /// Examines a patient or a sample: a failure delays the diagnosis, a wrong result misleads.
    Diagnostic,
    /// Care needs it, without a patient at it: a failure slows many down.
    Supportive,
}

/// Whether a device stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mobility {
    /// Installed in a room.
    Fixed,
    /// On wheels, moved between rooms.
    Mobile,
    /// Carried by hand.
    Portable,
    /// Worn by a patient or by staff.
    Worn,
}

impl FdaClass {
    /// The word for it in a device's profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
            Self::Three => "3",
            Self::Unclassified => "unclassified",
        }
    }
}

impl Criticality {
    /// The word for it in a device's profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::LifeSupporting => "life-supporting",
            Self::Therapeutic => "therapeutic",
            Self::Monitoring => "monitoring",
            Self::Diagnostic => "diagnostic",
            Self::Supportive => "supportive",
        }
    }
}

impl Mobility {
    /// The word for it in a device's profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Mobile => "mobile",
            Self::Portable => "portable",
            Self::Worn => "worn",
        }
    }
}

/// What is known of all devices of a type. Nothing is stated where it depends on the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClinicalFacts {
    /// The FDA's product code that fits, three letters, and the class of devices with this code.
    pub product: Option<(String, FdaClass)>,
    /// What the device is to a patient.
    pub criticality: Option<Criticality>,
    /// What happens to a patient when it fails, in a sentence.
    pub consequence: Option<String>,
    /// Whether it stays where it is.
    pub mobility: Option<Mobility>,
    /// Whether it keeps data of patients beyond the examination or treatment at hand.
    pub stores_patient_data: Option<bool>,
}

impl ClinicalFacts {
    /// The same, with what the broader type states where this says nothing.
    pub(crate) fn within(self, broader: &Self) -> Self {
        Self {
            product: self.product.or_else(|| broader.product.clone()),
            criticality: self.criticality.or(broader.criticality),
            consequence: self.consequence.or_else(|| broader.consequence.clone()),
            mobility: self.mobility.or(broader.mobility),
            stores_patient_data: self.stores_patient_data.or(broader.stores_patient_data),
        }
    }
}

/// A product code and its class, which must be given together.
pub(crate) fn product(
    code: Option<String>,
    class: Option<FdaClass>,
    place: &Place,
) -> Result<Option<(String, FdaClass)>, KnowledgeError> {
    match (code, class) {
        (None, None) => Ok(None),
        (Some(code), Some(class)) => {
            if is_code(&code) {
                Ok(Some((code, class)))
            } else {
                Err(place.wrong("product_code", "must be three capital letters"))
            }
        }
        (Some(_), None) => Err(place.wrong("fda_class", "must be given with `product_code`")),
        (None, Some(_)) => Err(place.wrong("product_code", "must be given with `fda_class`")),
    }
}

/// A sentence about what happens when a device fails.
pub(crate) fn consequence(sentence: Option<String>, place: &Place) -> Result<Option<String>, KnowledgeError> {
    match &sentence {
        Some(text) if text.is_empty() || text.len() > LONGEST_CONSEQUENCE => {
            Err(place.wrong("consequence", format!("must have between 1 and {LONGEST_CONSEQUENCE} octets")))
        }
        _ => Ok(sentence),
    }
}
