//! From fingerprints to signatures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regex::RegexBuilder;
use toml::Value;
use wardwatch_proto::attribute;
use wardwatch_proto::command::LARGEST_PACK;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use super::fingerprint::{Fingerprint, Origin};
use super::params::{self, Piece};
use super::subject::{Subject, subject};
use super::{Database, pattern};
use crate::condition::PATTERN_BYTES;
use crate::{Knowledge, pack};

const OTHER_PART: &str = "it looks at a part of the text that sensors do not state";
const TOO_LARGE: &str = "its pattern is too large";
const NO_EXAMPLE: &str = "it has no example";
const NOT_STATED: &str = "sensors would state none of its examples";
const NOT_HELD: &str = "it does not give for its examples what Recog says";

/// What became of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// Packs by name, to be laid in this order: TOML of at most [`LARGEST_PACK`] octets each.
    pub packs: Vec<(String, String)>,
    /// Fingerprints that became signatures.
    pub taken: usize,
    /// Fingerprints that did not, by reason.
    pub left: BTreeMap<String, usize>,
}

/// A value with groups in it, and what it is for the example.
struct Filled {
    template: String,
    example: String,
}

impl Database {
    /// Makes packs of the fingerprints that are about something that sensors state. `name` goes into the names of packs
    /// and signatures. Each signature has been held to its example, as it will be when the pack is loaded.
    pub fn convert(&self, name: &str, version: &str, knowledge: &Knowledge) -> Converted {
        let mut converted = Converted::default();
        let mut leave = |reason: &str| *converted.left.entry(reason.to_owned()).or_default() += 1;
        self.refused.iter().for_each(|refused| leave(&refused.reason));
        let subject = match subject(&self.matches) {
            Ok(subject) => subject,
            Err(reason) => {
                self.fingerprints.iter().for_each(|_| leave(reason));
                return converted;
            }
        };
        let series = format!("recog-{}", name.replace(['_', '.'], "-"));
        let mut entries = Vec::new();
        for (number, fingerprint) in self.fingerprints.iter().enumerate() {
            let id = format!("{series}-{}", number + 1);
            match fingerprint.signature(&id, &series, subject, knowledge) {
                Ok(entry) => entries.push(entry),
                Err(reason) => leave(reason),
            }
        }
        converted.taken = entries.len();
        converted.packs = packs(name, &series, version, &entries);
        converted
    }
}

impl Fingerprint {
    /// The entry of a pack, with the first example that holds for what sensors state of it.
    fn signature(
        &self,
        id: &str,
        series: &str,
        subject: &Subject,
        knowledge: &Knowledge,
    ) -> Result<String, &'static str> {
        let pattern = subject.part.of_pattern(&self.pattern).ok_or(OTHER_PART)?;
        let pattern = pattern::translate(&pattern, &self.flags).map_err(|_| OTHER_PART)?;
        let pattern = of_one_line(&pattern);
        let compiled =
            RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES).build().map_err(|_| TOO_LARGE)?;
        let mut reason = NO_EXAMPLE;
        for example in &self.examples {
            let Some(text) = example.content.as_deref().ok().and_then(|content| str::from_utf8(content).ok())
            else {
                reason = NOT_STATED;
                continue;
            };
            let stated = subject.part.of_text(text);
            let stated = stated.as_deref().and_then(|text| attribute::accept(subject.attribute, text));
            let Some(stated) = stated else {
                reason = NOT_STATED;
                continue;
            };
            reason = NOT_HELD;
            let Some(given) = self.values(text.as_bytes()) else { continue };
            let entry = self.entry(id, series, subject, &pattern, compiled.captures_len(), &stated, &given);
            if pack::File::parse(id, &entry).is_ok_and(|file| knowledge.takes_signatures(&file)) {
                return Ok(entry);
            }
        }
        Err(reason)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one entry")]
    fn entry(
        &self,
        id: &str,
        series: &str,
        subject: &Subject,
        pattern: &str,
        groups: usize,
        stated: &str,
        given: &BTreeMap<String, String>,
    ) -> String {
        let certainty = params::certainty(given);
        let meaning = params::meaning(given);
        let (mut says, mut expect) = (Vec::new(), Vec::new());
        if certainty > 0.0 {
            for (key, pieces) in &meaning.values {
                let Some(value) = self.value(pieces, groups, given) else { continue };
                let Some(attribute) = Attribute::from_name(key) else { continue };
                let accepted = attribute::accept(attribute, &value.example);
                if let Some(accepted) = &accepted {
                    expect.push(pair(key, accepted));
                }
                // What is the same for every match must be possible.
                let is_possible = accepted.is_some() || value.template.contains("${");
                if is_possible {
                    says.push(pair(key, &value.template));
                }
            }
            if let Some((key, name)) = meaning.kind {
                says.push(pair(key, name));
                expect.push(pair(key, name));
            }
        }
        let said = subject.attribute.name();
        let protocols = match subject.protocols {
            [] => String::new(),
            [only] => format!("protocol = {}, ", quoted(only)),
            several => {
                let several: Vec<String> = several.iter().map(|protocol| quoted(protocol)).collect();
                format!("protocol = [{}], ", several.join(", "))
            }
        };
        let of_example =
            subject.protocols.first().map(|protocol| format!("protocol = {}, ", quoted(protocol)));
        let mut entry = format!("[[signature]]\nid = {}\nseries = {}\n", quoted(id), quoted(series));
        let because = format!("its {} is one that Recog knows: {}", said.replace('_', " "), self.description);
        let _ = writeln!(
            entry,
            "when = {{ attribute = {}, {protocols}regex = {} }}",
            quoted(said),
            quoted(pattern)
        );
        let _ = writeln!(entry, "says = {{ {} }}", says.join(", "));
        let _ = writeln!(entry, "confidence = {}", confidence(subject.confidence, certainty));
        let _ = writeln!(entry, "because = {}", quoted(because.trim()));
        let _ = writeln!(
            entry,
            "example = {{ attribute = {}, {}value = {} }}",
            quoted(said),
            of_example.unwrap_or_default(),
            quoted(stated)
        );
        let _ = writeln!(entry, "expect = {{ {} }}\n", expect.join(", "));
        entry
    }

    /// The value of these pieces; `None` where one is of a group that is left of the pattern no more.
    fn value(&self, pieces: &[Piece], groups: usize, given: &BTreeMap<String, String>) -> Option<Filled> {
        let mut value = Filled { template: String::new(), example: String::new() };
        for piece in pieces {
            match piece {
                Piece::Blank => {
                    value.template.push(' ');
                    value.example.push(' ');
                }
                Piece::Param(name) => {
                    self.template(name, groups, &mut value.template)?;
                    value.example.push_str(given.get(*name)?);
                }
            }
        }
        Some(value)
    }

    /// A parameter as a signature spells it.
    fn template(&self, name: &str, groups: usize, template: &mut String) -> Option<()> {
        // The last of a name is what a match gives.
        let param = self.params.iter().rfind(|param| param.name == name)?;
        match &param.origin {
            Origin::Group(group) if *group < groups => {
                let _ = write!(template, "${{{group}}}");
                Some(())
            }
            Origin::Group(_) => None,
            Origin::Text(text) => {
                let mut rest = text.as_str();
                while let Some((before, behind)) = rest.split_once('{') {
                    let (other, behind) = behind.split_once('}')?;
                    template.push_str(&before.replace('$', "$$"));
                    // No deeper than that, so that it ends.
                    let other = self.params.iter().rfind(|param| param.name == other)?;
                    match &other.origin {
                        Origin::Group(group) if *group < groups => {
                            let _ = write!(template, "${{{group}}}");
                        }
                        Origin::Text(text) if !text.contains('{') => {
                            template.push_str(&text.replace('$', "$$"));
                        }
                        _ => return None,
                    }
                    rest = behind;
                }
                template.push_str(&rest.replace('$', "$$"));
                Some(())
            }
        }
    }
}

/// A pattern over texts without line breaks: lines begin and end where the text does.
fn of_one_line(pattern: &str) -> String {
    match pattern.strip_prefix("(?m") {
        Some(rest) => rest.strip_prefix(')').map_or_else(|| format!("(?{rest}"), str::to_owned),
        None => pattern.to_owned(),
    }
}

#[expect(clippy::cast_sign_loss, reason = "a certainty lies between 0 and 1")]
fn confidence(percent: u32, certainty: f64) -> u32 {
    ((f64::from(percent) * certainty).round() as u32).clamp(1, 99)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn pair(key: &str, value: &str) -> String {
    format!("{key} = {}", quoted(value))
}

/// As many packs as are needed, each within the bound.
fn packs(name: &str, series: &str, version: &str, entries: &[String]) -> Vec<(String, String)> {
    let head = format!(
        "# Made from Recog's {name}.xml, which is under the 2-clause BSD licence; see Recog's COPYING.\nversion = {}\n\n",
        quoted(version)
    );
    let mut texts: Vec<String> = Vec::new();
    for entry in entries {
        match texts.last_mut() {
            Some(text) if text.len() + entry.len() <= LARGEST_PACK => text.push_str(entry),
            _ => texts.push(format!("{head}{entry}")),
        }
    }
    let is_one = texts.len() == 1;
    let named = texts.into_iter().enumerate().map(|(number, text)| {
        let name = if is_one { series.to_owned() } else { format!("{series}-{:02}", number + 1) };
        (name, text)
    });
    named.collect()
}
