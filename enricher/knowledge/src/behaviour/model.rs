//! A model, and what it makes of a device.

use std::collections::HashMap;
use std::fmt;

use super::features::Features;
use super::said::Names;
use super::table::Table;

/// The most that a model says of its guess, in percent: others may behave like this, too.
pub const MOST_CONFIDENT: u32 = 60;

/// Features that are named as reasons.
const MOST_REASONS: usize = 6;

/// How much a feature must speak for the kind to be named: twice as common as among others, as a logarithm.
const LEAST_WEIGHT: f64 = std::f64::consts::LN_2;

/// How kinds of devices behave, learned from captures whose devices were known.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub(super) name: String,
    pub(super) names: Names,
    pub(super) learned_from: String,
    /// The least fit of a device that is of one of the kinds.
    pub(super) threshold: f64,
    pub(super) kinds: Vec<DeviceKind>,
    /// By place in the table.
    pub(super) features: Vec<Box<str>>,
    pub(super) places: HashMap<Box<str>, u32>,
    pub(super) table: Table,
}

/// A kind of device in a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceKind {
    pub(super) name: String,
    /// The type of the taxonomy that it is; empty where none was given.
    pub(super) is: String,
    /// Captures that were called so when they were held out, and those of them that were so.
    pub(super) called: u32,
    pub(super) right: u32,
    /// The kinds that it was taken for, or that were taken for it.
    pub(super) alike: Vec<String>,
}

/// The kind that a device behaves like.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// The kind's name in the model.
    pub device_type: String,
    /// The type of the taxonomy that it is; empty where the model names none.
    pub is: String,
    /// In percent, at most [`MOST_CONFIDENT`]: of captures that were held out when the model was learned, the share that
    /// was rightly called so.
    pub confidence: u32,
    /// From 0 to 1: the share of what the device did that the kind is known for, times the share of what the kind always
    /// does that the device did.
    pub fit: f64,
    /// Kinds that are hard to tell from it.
    pub alike: Vec<String>,
    /// What spoke most for it, the most telling first.
    pub reasons: Vec<Spoke>,
}

/// A feature that the device showed and that speaks for the kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoke {
    /// Such as `sends dns/udp to site :53: 33 octets`.
    pub feature: String,
    /// Captures of the kind that showed it, and all of them.
    pub seen: (u32, u32),
    /// The same of all other kinds.
    pub elsewhere: (u32, u32),
}

impl fmt::Display for Spoke {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { feature, seen: (seen, of), elsewhere: (elsewhere, others) } = self;
        write!(to, "{feature} ({seen} of its {of} captures, {elsewhere} of {others} of others)")
    }
}

impl Behaviour {
    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it goes by names.
    pub fn names(&self) -> Names {
        self.names
    }

    /// The names of its kinds.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = &str> {
        self.kinds.iter().map(|kind| kind.name.as_str())
    }

    /// How many features it knows.
    pub fn features(&self) -> usize {
        self.features.len()
    }

    /// The least fit that is taken for one of its kinds.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The kind that a device behaves like; `None` where it fits none, or where nothing is known of it.
    pub fn classify(&self, features: &Features) -> Option<Likeness> {
        self.nearest(features).filter(|likeness| likeness.fit >= self.threshold)
    }

    /// The likeliest kind, however badly the device fits it.
    pub fn nearest(&self, features: &Features) -> Option<Likeness> {
        if features.is_empty() {
            return None;
        }
        let known: Vec<u32> = features.texts().filter_map(|text| self.places.get(text).copied()).collect();
        let place = self.table.likeliest(&known)?;
        let kind = self.kinds.get(usize::from(place))?;
        let share = f64::from(kind.right + 1) / f64::from(kind.called + 2);
        Some(Likeness {
            device_type: kind.name.clone(),
            is: kind.is.clone(),
            confidence: percent(share),
            fit: self.table.fit(place, &known, features.len()),
            alike: kind.alike.clone(),
            reasons: self.reasons(place, &known),
        })
    }

    /// What spoke most for a kind, one feature of each conversation.
    fn reasons(&self, kind: u16, known: &[u32]) -> Vec<Spoke> {
        let mut weighed: Vec<(f64, &str, Spoke)> = Vec::with_capacity(known.len());
        for place in known {
            let (weight, elsewhere, others) = self.table.weight(*place, kind);
            let (Some(text), true) = (self.features.get(*place as usize), weight >= LEAST_WEIGHT) else {
                continue;
            };
            let captures = self.table.captures().get(usize::from(kind)).copied().unwrap_or_default();
            let seen = (self.table.count(*place, kind), captures);
            weighed.push((
                weight,
                text,
                Spoke { feature: text.to_string(), seen, elsewhere: (elsewhere, others) },
            ));
        }
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut reasons: Vec<Spoke> = Vec::with_capacity(MOST_REASONS);
        for (_, text, spoke) in weighed {
            if reasons.len() == MOST_REASONS {
                break;
            }
            if !reasons.iter().any(|known| subject(&known.feature) == subject(text)) {
                reasons.push(spoke);
            }
        }
        reasons
    }
}

/// What a feature is about: `dns/udp to site :53` of both `does …` and `sends …: 33 octets`.
fn subject(feature: &str) -> &str {
    let bare = ["does ", "sends "].iter().find_map(|verb| feature.strip_prefix(verb)).unwrap_or(feature);
    bare.split(": ").next().unwrap_or(bare)
}

/// The confidence that a share of right answers allows.
#[expect(clippy::cast_sign_loss, reason = "a share of counts")]
fn percent(share: f64) -> u32 {
    (f64::from(MOST_CONFIDENT) * share.clamp(0.0, 1.0)) as u32
}
