//! From captures whose devices are known to a model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::features::Features;
use super::model::{Behaviour, DeviceKind};
use super::said::Names;
use super::stored::{MOST_FEATURES, MOST_KINDS};
use super::table::Table;

/// Captures that must show a feature for it to be of the model: what was seen once may be chance.
const LEAST_CAPTURES: u32 = 2;

/// Parts of which each is held out once, to see how the model does on captures that it has not seen.
const PARTS: usize = 5;

/// The share of held-out captures that may be called unknown.
const WRONGLY_UNKNOWN: f64 = 0.05;

/// A capture whose device is known.
#[derive(Clone, Debug)]
pub struct Example {
    /// The capture's own name: decides in which part it is, and nothing else.
    pub name: String,
    /// What kind of device it is.
    pub device_type: String,
    /// What the device did.
    pub features: Features,
}

/// Captures from which nothing can be learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// There are fewer than two kinds.
    #[error("a model needs captures of at least two kinds of devices, and there are {0}")]
    FewKinds(usize),
    /// There are more kinds than a model may have.
    #[error("{0} kinds of devices are more than the {MOST_KINDS} of a model")]
    ManyKinds(usize),
    /// A kind has fewer than two captures: none could be held out.
    #[error("{device_type}: needs at least two captures")]
    FewCaptures {
        /// The kind.
        device_type: String,
    },
    /// There are more features than a model may have.
    #[error("{0} features are more than the {MOST_FEATURES} of a model")]
    ManyFeatures(usize),
}

/// The examples by numbers: features and kinds in the order of their texts.
struct Numbered<'a> {
    kinds: Vec<&'a str>,
    texts: Vec<&'a str>,
    captures: Vec<Capture>,
}

struct Capture {
    kind: u16,
    part: usize,
    features: Vec<u32>,
}

/// What became of captures that were held out.
struct HeldOut {
    fits: Vec<f64>,
    kinds: Vec<DeviceKind>,
}

/// Learns a model. The same examples give the same model, in whatever order they come.
///
/// The threshold is such that one in twenty of the examples is called unknown by a model that was learned without it
/// (five parts, each held out once).
pub fn learn(
    name: &str,
    learned_from: &str,
    names: Names,
    examples: &[Example],
) -> Result<Behaviour, LearnError> {
    let numbered = Numbered::of(examples)?;
    let all = numbered.table(|_| true);
    let HeldOut { mut fits, kinds } = numbered.held_out();
    fits.sort_by(f64::total_cmp);
    #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
    let threshold = fits.get((fits.len() as f64 * WRONGLY_UNKNOWN) as usize).copied().unwrap_or_default();
    // Without what was seen too seldom.
    let kept: Vec<u32> =
        (0..numbered.texts.len() as u32).filter(|place| !all.counts(*place).is_empty()).collect();
    if kept.len() > MOST_FEATURES {
        return Err(LearnError::ManyFeatures(kept.len()));
    }
    let features: Vec<Box<str>> = kept
        .iter()
        .filter_map(|place| numbered.texts.get(*place as usize))
        .map(|text| (*text).into())
        .collect();
    let counts = kept.iter().map(|place| all.counts(*place).to_vec()).collect();
    Ok(Behaviour {
        name: name.to_owned(),
        names,
        learned_from: learned_from.to_owned(),
        threshold,
        kinds,
        places: features.iter().cloned().zip(0..).collect(),
        features,
        table: Table::new(all.captures().to_vec(), counts),
    })
}

impl<'a> Numbered<'a> {
    fn of(examples: &'a [Example]) -> Result<Self, LearnError> {
        let mut sorted: Vec<&Example> = examples.iter().collect();
        sorted.sort_by(|a, b| (&a.device_type, &a.name).cmp(&(&b.device_type, &b.name)));
        let kinds: BTreeSet<&str> = sorted.iter().map(|example| example.device_type.as_str()).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        match kinds.len() {
            few @ ..2 => return Err(LearnError::FewKinds(few)),
            many if many > MOST_KINDS => return Err(LearnError::ManyKinds(many)),
            _ => {}
        }
        let texts: BTreeSet<&str> = sorted.iter().flat_map(|example| example.features.texts()).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        let places: HashMap<&str, u32> = texts.iter().copied().zip(0..).collect();
        let mut captures = Vec::with_capacity(sorted.len());
        for (kind, name) in kinds.iter().enumerate() {
            let mut of_kind = 0;
            for example in sorted.iter().filter(|example| example.device_type == *name) {
                let features =
                    example.features.texts().filter_map(|text| places.get(text).copied()).collect();
                captures.push(Capture { kind: kind as u16, part: of_kind % PARTS, features });
                of_kind += 1;
            }
            if of_kind < 2 {
                return Err(LearnError::FewCaptures { device_type: (*name).to_owned() });
            }
        }
        Ok(Self { kinds, texts, captures })
    }

    /// The counts of some of the captures, without what was seen too seldom in them.
    fn table(&self, is_counted: impl Fn(&Capture) -> bool) -> Table {
        let mut captures = vec![0; self.kinds.len()];
        let mut counts = vec![Vec::new(); self.texts.len()];
        // They are in the order of their kinds, and so are the counts.
        for capture in self.captures.iter().filter(|capture| is_counted(capture)) {
            captures[usize::from(capture.kind)] += 1;
            for place in &capture.features {
                let of_feature: &mut Vec<(u16, u32)> = &mut counts[*place as usize];
                match of_feature.last_mut() {
                    Some((kind, count)) if *kind == capture.kind => *count += 1,
                    _ => of_feature.push((capture.kind, 1)),
                }
            }
        }
        for of_feature in &mut counts {
            if of_feature.iter().map(|(_, count)| count).sum::<u32>() < LEAST_CAPTURES {
                of_feature.clear();
            }
        }
        Table::new(captures, counts)
    }

    /// Holds each part against a model of the others.
    fn held_out(&self) -> HeldOut {
        let mut fits = Vec::with_capacity(self.captures.len());
        let mut answers: BTreeMap<(u16, u16), u32> = BTreeMap::new();
        for part in 0..PARTS {
            let table = self.table(|capture| capture.part != part);
            for capture in self.captures.iter().filter(|capture| capture.part == part) {
                let Some(kind) = table.likeliest(&capture.features) else { continue };
                fits.push(table.fit(kind, &capture.features, capture.features.len()));
                *answers.entry((capture.kind, kind)).or_default() += 1;
            }
        }
        let kinds = self.kinds.iter().zip(0..).map(|(name, place)| {
            let called = answers.iter().filter(|((_, called), _)| *called == place);
            let alike: BTreeSet<u16> = answers
                .keys()
                .filter(|(is, called)| is != called)
                .filter_map(|pair| match *pair {
                    (is, called) if is == place => Some(called),
                    (is, called) if called == place => Some(is),
                    _ => None,
                })
                .collect();
            let alike = alike.into_iter().filter_map(|other| self.kinds.get(usize::from(other)));
            DeviceKind {
                name: (*name).to_owned(),
                is: String::new(),
                called: called.map(|(_, count)| count).sum(),
                right: answers.get(&(place, place)).copied().unwrap_or_default(),
                alike: alike.map(|name| (*name).to_owned()).collect(),
            }
        });
        HeldOut { fits, kinds: kinds.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten captures each of pumps, of scanners, and of two kinds that differ in a coin's toss.
    fn examples() -> Vec<Example> {
        let kinds = [("pump", "a b c"), ("scanner", "a d e"), ("left", "f g h"), ("right", "f g h")];
        let example = |kind: &str, steady: &str, number: u32| Example {
            name: format!("{kind}-{number}"),
            device_type: kind.to_owned(),
            features: steady.split(' ').map(str::to_owned).chain([format!("n{}", number % 3)]).collect(),
        };
        kinds
            .iter()
            .flat_map(|(kind, steady)| (0..10).map(move |number| example(kind, steady, number)))
            .collect()
    }

    fn features(texts: &[&str]) -> Features {
        texts.iter().copied().collect()
    }

    #[test]
    fn what_was_learned_is_recognised_and_explained() {
        let model = learn("ours", "a test", Names::Withheld, &examples()).expect("four kinds");
        let likeness = model.classify(&features(&["a", "b", "c", "n1"])).expect("a pump");
        assert_eq!((likeness.device_type.as_str(), likeness.confidence), ("pump", 55));
        assert_eq!(likeness.alike, Vec::<String>::new());
        let reasons: Vec<_> = likeness.reasons.iter().map(ToString::to_string).collect();
        assert_eq!(reasons[0], "b (10 of its 10 captures, 0 of 30 of others)");
        assert!(reasons.iter().all(|reason| !reason.starts_with("n1 (3")), "{reasons:?}");
    }

    #[test]
    fn kinds_that_cannot_be_told_apart_are_said_to_be_alike_and_doubted() {
        let model = learn("ours", "a test", Names::Withheld, &examples()).expect("four kinds");
        let likeness = model.classify(&features(&["f", "g", "h", "n1"])).expect("one of two");
        assert_eq!(likeness.device_type, "left");
        assert_eq!(likeness.alike, ["right"]);
        assert!(likeness.confidence <= 30, "{}", likeness.confidence);
    }

    #[test]
    fn a_stranger_is_none_of_the_kinds() {
        let model = learn("ours", "a test", Names::Withheld, &examples()).expect("four kinds");
        assert_eq!(model.classify(&features(&["x", "y", "z"])), None);
        assert_eq!(
            model.classify(&features(&["a", "x", "y", "z"])),
            None,
            "no more than the first in common"
        );
        assert_eq!(model.classify(&features(&["b"])), None, "most of what a pump does is missing");
        assert_eq!(model.classify(&Features::default()), None);
        assert!(model.nearest(&features(&["a", "x", "y", "z"])).is_some());
    }

    #[test]
    fn the_order_of_examples_does_not_matter() {
        let text = |examples: &[Example]| {
            learn("ours", "a test", Names::Used, examples).expect("four kinds").to_toml()
        };
        let mut turned = examples();
        turned.reverse();
        assert_eq!(text(&examples()), text(&turned));
    }

    #[test]
    fn too_little_is_refused() {
        let mut examples = examples();
        examples.retain(|example| example.device_type != "pump" || example.name == "pump-1");
        let few = learn("ours", "", Names::Used, &examples).expect_err("one capture of a pump");
        assert_eq!(few.to_string(), "pump: needs at least two captures");
        let none = learn("ours", "", Names::Used, &[]).expect_err("nothing");
        assert_eq!(none, LearnError::FewKinds(0));
    }
}
