//! What is learned from which captures, and held against which. A capture is never held against a model that was learned
//! with it, and the threshold of a model comes from its own examples alone.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use wardwatch_knowledge::{Behaviour, Example, Features, Names, learn};

use super::answers::{Answer, Answers};
use super::archive::Labelled;

/// Of each kind's captures in the order of their names, every fifth is in the same part.
const PARTS: usize = 5;

/// The share of each kind's captures that is learned where the later ones are held against it.
const EARLIER: f64 = 0.7;

/// Two names of the data set for devices of one kind: `EdimaxCam=EdimaxCam1,EdimaxCam2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    /// The kind.
    pub kind: String,
    /// Its devices.
    pub labels: Vec<String>,
}

/// Kinds that are near-identical: `D-LinkSensor,D-LinkSiren`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike(pub Vec<String>);

/// The captures of the IoT Sentinel data set: four kinds are there as two devices, and three groups of kinds are one
/// platform each, sold for several purposes (Miettinen et al., ICDCS 2017, name the same).
pub const SAME: [&str; 4] = [
    "EdimaxCam=EdimaxCam1,EdimaxCam2",
    "EdnetCam=EdnetCam1,EdnetCam2",
    "WeMoInsightSwitch=WeMoInsightSwitch,WeMoInsightSwitch2",
    "WeMoSwitch=WeMoSwitch,WeMoSwitch2",
];

/// See [`SAME`].
pub const ALIKE: [&str; 3] = [
    "D-LinkSwitch,D-LinkWaterSensor,D-LinkSiren,D-LinkSensor",
    "TP-LinkPlugHS100,TP-LinkPlugHS110",
    "EdimaxPlug1101W,EdimaxPlug2101W",
];

impl std::str::FromStr for Same {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, labels) = text.split_once('=').context("must be KIND=LABEL,LABEL")?;
        Ok(Self { kind: kind.to_owned(), labels: labels.split(',').map(str::to_owned).collect() })
    }
}

impl std::str::FromStr for Alike {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let kinds: Vec<String> = text.split(',').map(str::to_owned).collect();
        ensure!(kinds.len() > 1, "must be KIND,KIND");
        Ok(Self(kinds))
    }
}

/// Labelled captures as examples of one sort of features.
pub struct Trial {
    examples: Vec<Example>,
    /// By example: the device, the part, and when.
    labels: Vec<String>,
    parts: Vec<usize>,
    times: Vec<u64>,
    names: Names,
    groups: Vec<Vec<String>>,
}

impl Trial {
    /// Of all captures of an archive.
    pub fn new(captures: &[Labelled], names: Names, same: &[Same], alike: &[Alike]) -> Self {
        let kind = |label: &String| {
            let known = same.iter().find(|same| same.labels.contains(label));
            known.map_or(label, |same| &same.kind).clone()
        };
        let mut sorted: Vec<&Labelled> = captures.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let parts = sorted.iter().map(|capture| {
            let count = counts.entry(kind(&capture.label)).or_default();
            *count += 1;
            (*count - 1) % PARTS
        });
        Self {
            parts: parts.collect(),
            examples: sorted
                .iter()
                .map(|capture| Example {
                    name: capture.name.clone(),
                    device_type: kind(&capture.label),
                    features: Features::of(&capture.habits, names),
                })
                .collect(),
            labels: sorted.iter().map(|capture| capture.label.clone()).collect(),
            times: sorted.iter().map(|capture| capture.at).collect(),
            names,
            groups: alike.iter().map(|Alike(kinds)| kinds.clone()).collect(),
        }
    }

    /// The groups of near-identical kinds.
    pub fn groups(&self) -> &[Vec<String>] {
        &self.groups
    }

    /// The kinds.
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.examples.iter().map(|example| example.device_type.as_str()).collect()
    }

    /// How many captures there are.
    pub fn captures(&self) -> usize {
        self.examples.len()
    }

    /// A model of all of them.
    pub fn model(&self, name: &str, learned_from: &str) -> Result<Behaviour> {
        Ok(learn(name, learned_from, self.names, &self.examples)?)
    }

    /// The fixed split: the first part is held against a model of the other four.
    pub fn split(&self) -> Result<Answers> {
        self.held_out(|at| self.parts[at] == 0)
    }

    /// Each part against a model of the other four.
    pub fn folds(&self) -> Result<Answers> {
        let mut answers = Answers::default();
        for part in 0..PARTS {
            answers.0.extend(self.held_out(|at| self.parts[at] == part)?.0);
        }
        Ok(answers)
    }

    /// The last three tenths of each kind's captures against a model of those before.
    pub fn later(&self) -> Result<Answers> {
        let mut later = BTreeSet::new();
        for kind in self.kinds() {
            let mut of_kind: Vec<usize> =
                (0..self.examples.len()).filter(|at| self.examples[*at].device_type == kind).collect();
            of_kind.sort_by_key(|at| self.times[*at]);
            #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
            let earlier = (of_kind.len() as f64 * EARLIER) as usize;
            later.extend(of_kind.split_off(earlier));
        }
        self.held_out(|at| later.contains(&at))
    }

    /// Each device of a kind that has several, against a model that knows the kind by its others.
    pub fn other_devices(&self) -> Result<Answers> {
        let mut answers = Answers::default();
        for kind in self.kinds() {
            let of_kind = |at: usize| self.examples[at].device_type == kind;
            let labels: BTreeSet<&str> = (0..self.examples.len())
                .filter(|at| of_kind(*at))
                .map(|at| self.labels[at].as_str())
                .collect();
            if labels.len() > 1 {
                for label in labels {
                    answers.0.extend(self.held_out(|at| of_kind(at) && self.labels[at] == label)?.0);
                }
            }
        }
        Ok(answers)
    }

    /// Each kind against a model that has never seen it: all should be unknown.
    pub fn strange_kinds(&self) -> Result<Answers> {
        let kinds: Vec<Vec<String>> = self.kinds().into_iter().map(|kind| vec![kind.to_owned()]).collect();
        self.strangers(&kinds)
    }

    /// The same, where a group of near-identical kinds is left out as a whole.
    pub fn strange_groups(&self) -> Result<Answers> {
        let in_group = |kind: &str| self.groups.iter().any(|group| group.iter().any(|known| known == kind));
        let alone = self.kinds().into_iter().filter(|kind| !in_group(kind)).map(|kind| vec![kind.to_owned()]);
        let groups: Vec<Vec<String>> = alone.chain(self.groups.iter().cloned()).collect();
        self.strangers(&groups)
    }

    fn strangers(&self, groups: &[Vec<String>]) -> Result<Answers> {
        let mut answers = Answers::default();
        for group in groups {
            answers.0.extend(self.held_out(|at| group.contains(&self.examples[at].device_type))?.0);
        }
        Ok(answers)
    }

    /// Some captures against a model of all others.
    fn held_out(&self, is_held_out: impl Fn(usize) -> bool) -> Result<Answers> {
        let (tried, learned): (Vec<usize>, Vec<usize>) =
            (0..self.examples.len()).partition(|at| is_held_out(*at));
        let examples: Vec<Example> = learned.into_iter().map(|at| self.examples[at].clone()).collect();
        let model = learn("trial", "", self.names, &examples)?;
        let answer = |at: usize| {
            let Example { device_type, features, .. } = &self.examples[at];
            let nearest = model.nearest(features);
            Answer {
                is: device_type.clone(),
                is_unknown: model.classify(features).is_none(),
                called: nearest.map(|likeness| likeness.device_type).unwrap_or_default(),
            }
        };
        Ok(Answers(tried.into_iter().map(answer).collect()))
    }
}
