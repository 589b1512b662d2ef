//! A model in a pack: `[[behaviour]]`, read with checks and bounds, and written.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Deserialize;

use super::WORDING;
use super::model::{Behaviour, DeviceKind};
use super::said::Names;
use super::table::{Counts, Table};
use crate::error::KnowledgeError;
use crate::pack::{Entry, Place};

/// Kinds of devices in a model.
pub(super) const MOST_KINDS: usize = 512;
/// Features in a model.
pub(super) const MOST_FEATURES: usize = 32_768;
/// Counts in a model: 8 MiB of memory.
const MOST_COUNTS: usize = 1 << 20;
/// The longest name or feature, in octets.
const LONGEST: usize = 512;
/// The most captures of a kind.
const MOST_CAPTURES: u32 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBehaviour {
    name: String,
    wording: u32,
    names: bool,
    #[serde(default)]
    learned_from: String,
    threshold: f64,
    #[serde(rename = "type")]
    kinds: Vec<RawKind>,
    features: BTreeMap<String, BTreeMap<String, u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    name: String,
    is: Option<String>,
    captures: u32,
    called: u32,
    right: u32,
    #[serde(default)]
    alike: Vec<String>,
}

impl Behaviour {
    /// Checks a model. `is_type` knows the types of the taxonomy.
    pub(crate) fn check(
        entry: Entry<RawBehaviour>,
        is_type: impl Fn(&str) -> bool,
    ) -> Result<Self, KnowledgeError> {
        let Entry { place, value: raw } = entry;
        if raw.name.is_empty() || raw.name.len() > LONGEST {
            return Err(place.wrong("name", format!("must have 1 to {LONGEST} octets")));
        }
        if raw.wording != WORDING {
            let problem = format!("features are worded as in {WORDING} here; learn the model again");
            return Err(place.wrong("wording", problem));
        }
        if !(0.0..=1.0).contains(&raw.threshold) {
            return Err(place.wrong("threshold", "must lie between 0 and 1"));
        }
        if !(2..=MOST_KINDS).contains(&raw.kinds.len()) {
            return Err(place.wrong("type", format!("must hold 2 to {MOST_KINDS} kinds of devices")));
        }
        let mut places = HashMap::new();
        let (mut kinds, mut captures) = (Vec::new(), Vec::new());
        for (number, kind) in raw.kinds.into_iter().enumerate() {
            let key = |key: &str| format!("type[{number}].{key}");
            captures.push(kind.check(&place, key)?);
            if places.insert(kind.name.clone(), number as u16).is_some() {
                return Err(place.wrong(key("name"), format!("{:?} is there twice", kind.name)));
            }
            if let Some(is) = kind.is.as_deref().filter(|is| !is_type(is)) {
                return Err(place.wrong(key("is"), format!("no type is called {is:?}")));
            }
            kinds.push(DeviceKind {
                name: kind.name,
                is: kind.is.unwrap_or_default(),
                called: kind.called,
                right: kind.right,
                alike: kind.alike,
            });
        }
        for (number, kind) in kinds.iter().enumerate() {
            if let Some(unknown) = kind.alike.iter().find(|name| !places.contains_key(*name)) {
                let problem = format!("no kind of this model is called {unknown:?}");
                return Err(place.wrong(format!("type[{number}].alike"), problem));
            }
        }
        let (features, counts) = read_features(raw.features, &place, &places, &captures)?;
        Ok(Self {
            name: raw.name,
            names: if raw.names { Names::Used } else { Names::Withheld },
            learned_from: raw.learned_from,
            threshold: raw.threshold,
            kinds,
            places: features.iter().cloned().zip(0..).collect(),
            features,
            table: Table::new(captures, counts),
        })
    }

    /// The model as an entry of a pack.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    /// A pack of this model alone, which can be laid over another.
    pub fn to_pack(&self, version: &str) -> String {
        format!("version = {}\n\n{}", quoted(version), self.to_toml())
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { name, learned_from, threshold, .. } = self;
        writeln!(text, "[[behaviour]]")?;
        writeln!(text, "name = {}", quoted(name))?;
        writeln!(text, "wording = {WORDING}")?;
        writeln!(text, "names = {}", self.names == Names::Used)?;
        writeln!(text, "learned_from = {}", quoted(learned_from))?;
        writeln!(text, "threshold = {threshold:?}")?;
        for (kind, captures) in self.kinds.iter().zip(self.table.captures()) {
            writeln!(text, "\n[[behaviour.type]]")?;
            writeln!(text, "name = {}", quoted(&kind.name))?;
            if !kind.is.is_empty() {
                writeln!(text, "is = {}", quoted(&kind.is))?;
            }
            writeln!(text, "captures = {captures}")?;
            writeln!(text, "called = {}\nright = {}", kind.called, kind.right)?;
            let alike: Vec<String> = kind.alike.iter().map(|name| quoted(name)).collect();
            writeln!(text, "alike = [{}]", alike.join(", "))?;
        }
        writeln!(text, "\n[behaviour.features]")?;
        for (feature, place) in self.features.iter().zip(0..) {
            let counts: Vec<String> = self
                .table
                .counts(place)
                .iter()
                .filter_map(|(kind, count)| {
                    let kind = self.kinds.get(usize::from(*kind))?;
                    Some(format!("{} = {count}", quoted(&kind.name)))
                })
                .collect();
            writeln!(text, "{} = {{ {} }}", quoted(feature), counts.join(", "))?;
        }
        Ok(())
    }
}

impl RawKind {
    /// Its captures.
    fn check(&self, place: &Place, key: impl Fn(&str) -> String) -> Result<u32, KnowledgeError> {
        if self.name.is_empty() || self.name.len() > LONGEST {
            return Err(place.wrong(key("name"), format!("must have 1 to {LONGEST} octets")));
        }
        if !(1..=MOST_CAPTURES).contains(&self.captures) {
            return Err(place.wrong(key("captures"), format!("must lie between 1 and {MOST_CAPTURES}")));
        }
        if self.called > MOST_CAPTURES {
            return Err(place.wrong(key("called"), format!("must be at most {MOST_CAPTURES}")));
        }
        if self.right > self.called {
            return Err(place.wrong(key("right"), "must be at most `called`"));
        }
        Ok(self.captures)
    }
}

type Read = (Vec<Box<str>>, Vec<Counts>);

fn read_features(
    raw: BTreeMap<String, BTreeMap<String, u32>>,
    place: &Place,
    kinds: &HashMap<String, u16>,
    captures: &[u32],
) -> Result<Read, KnowledgeError> {
    if !(1..=MOST_FEATURES).contains(&raw.len()) {
        return Err(place.wrong("features", format!("must hold 1 to {MOST_FEATURES} features")));
    }
    if raw.values().map(BTreeMap::len).sum::<usize>() > MOST_COUNTS {
        return Err(place.wrong("features", format!("must hold at most {MOST_COUNTS} counts")));
    }
    let (mut features, mut counts) = (Vec::with_capacity(raw.len()), Vec::with_capacity(raw.len()));
    for (text, by_kind) in raw {
        let wrong = |problem: String| place.wrong(format!("features.{text:?}"), problem);
        if text.is_empty() || text.len() > LONGEST {
            return Err(wrong(format!("must have 1 to {LONGEST} octets")));
        }
        let mut of_feature = Vec::with_capacity(by_kind.len());
        for (name, count) in by_kind {
            let Some(kind) = kinds.get(&name).copied() else {
                return Err(wrong(format!("no kind of this model is called {name:?}")));
            };
            let most = captures.get(usize::from(kind)).copied().unwrap_or_default();
            if !(1..=most).contains(&count) {
                return Err(wrong(format!("{name}: must lie between 1 and its {most} captures")));
            }
            of_feature.push((kind, count));
        }
        if of_feature.is_empty() {
            return Err(wrong("must be shown by at least one kind".to_owned()));
        }
        of_feature.sort_unstable();
        features.push(text.into_boxed_str());
        counts.push(of_feature);
    }
    Ok((features, counts))
}

/// A basic string of TOML, which may also be a key.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if letter.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_device_says_is_one_string() {
        for text in ["plain", "a \"b\" \\ c", "two\nlines\t\u{7f}", "Dräger"] {
            let table: toml::Table = toml::from_str(&format!("{0} = {0}", quoted(text))).expect("valid TOML");
            assert_eq!(table.get(text).and_then(toml::Value::as_str), Some(text));
        }
    }
}
