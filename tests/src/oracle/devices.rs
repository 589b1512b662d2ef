//! What the devices in a capture are expected to be, and how much of it the inventory concludes from the sensor's facts.
//!
//! [`expected`] reads the truth: the lab's descriptions of its hospitals, and the table of the captures that others have
//! recorded. [`concluded`] puts the facts of captures into an inventory and finds the expected devices in it. [`judged`]
//! holds both against each other, field by field, with [`taxonomy`] for types, and [`score`] counts.

use anyhow::{Context, Result};
use wardwatch_inventory::Inventory;

use super::corpus::{self, Capture};
use super::stated;

pub mod concluded;
pub mod expected;
pub mod judged;
pub mod score;
pub mod taxonomy;

use expected::Expected;
use judged::Judgement;
use taxonomy::Taxonomy;

/// Where truth comes from; figures are given for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Set {
    /// The hospital in `tests/captures`.
    FirstLab,
    /// The hospital in `tests/lab/larkfield`.
    SecondLab,
    /// The captures that others have recorded.
    Captures,
}

impl Set {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstLab, Self::SecondLab, Self::Captures];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstLab => "first lab",
            Self::SecondLab => "second lab",
            Self::Captures => "captures",
        }
    }
}

/// What was made of one site: a hospital of the lab with all its scenes, or one capture.
#[derive(Debug)]
pub struct Case {
    /// Where its truth comes from.
    pub set: Set,
    /// As exceptions name it: the capture, or the area of a hospital's captures.
    pub id: String,
    /// Each device that is expected, and what was judged of it.
    pub judgements: Vec<Judgement>,
}

/// The hospitals of the lab, each one site that all its scenes are heard at.
pub fn hospitals() -> Result<Vec<Case>> {
    let taxonomy = Taxonomy::read()?;
    let mut cases = Vec::new();
    for (set, hospital) in [Set::FirstLab, Set::SecondLab].into_iter().zip(corpus::hospitals()?) {
        let facts = corpus::each(&hospital.captures, |capture| stated::facts(&capture.path))?;
        let expected = expected::of_hospital(hospital.lab.hospital());
        let inventory = concluded::inventory(facts, &expected)?;
        cases.push(Case {
            set,
            id: hospital.area.to_owned(),
            judgements: judge(&inventory, &expected, &taxonomy),
        });
    }
    Ok(cases)
}

/// The captures of the table, each a site of its own; `captures` are those that are there.
pub fn captures(captures: &[Capture]) -> Result<Vec<Case>> {
    let taxonomy = Taxonomy::read()?;
    let table = expected::table()?;
    let mut listed = Vec::new();
    for id in table.keys() {
        let capture = captures.iter().find(|capture| capture.id == *id);
        listed.push(
            capture.with_context(|| format!("devices are expected in {id}, which is not there"))?.clone(),
        );
    }
    corpus::each(&listed, |capture| {
        let expected = table.get(&capture.id).map(Vec::as_slice).unwrap_or_default();
        let inventory = concluded::inventory([stated::facts(&capture.path)?], expected)?;
        let judgements = judge(&inventory, expected, &taxonomy);
        Ok(Case { set: Set::Captures, id: capture.id.clone(), judgements })
    })
}

fn judge(inventory: &Inventory, expected: &[Expected], taxonomy: &Taxonomy) -> Vec<Judgement> {
    let found = concluded::find(inventory, expected);
    expected
        .iter()
        .zip(found)
        .map(|(expected, found)| judged::judge(expected, found.as_ref(), taxonomy))
        .collect()
}
