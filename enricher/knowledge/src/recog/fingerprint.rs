//! A fingerprint: a pattern, what a match gives, and the examples that it is held to.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::{Regex, RegexBuilder};

use super::document::{RawExample, RawFingerprint, RawParam};
use super::pattern;

/// The largest compiled pattern, in octets. The largest of Recog's stay well below.
const PATTERN_BYTES: usize = 16 << 20;

/// A fingerprint whose pattern was compiled.
#[derive(Debug)]
pub struct Fingerprint {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// What it is for.
    pub description: String,
    pub(super) pattern: String,
    pub(super) flags: String,
    pub(super) params: Vec<Param>,
    pub(super) examples: Vec<Example>,
    regex: Regex,
    /// The pattern as `regex` reads it, for texts that are no UTF-8.
    translated: String,
    of_octets: OnceLock<Option<Regex>>,
    protocol: String,
}

/// What a match gives under a name.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) origin: Origin,
}

#[derive(Debug)]
pub(super) enum Origin {
    /// Text, in which `{name}` stands for what another parameter has.
    Text(String),
    /// What this group of the pattern found.
    Group(usize),
}

/// A text that must match.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) line: usize,
    pub(super) content: Result<Vec<u8>, String>,
    pub(super) expected: BTreeMap<String, String>,
}

/// An example, and whether its fingerprint gives exactly what it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector<'a> {
    /// The fingerprint's description.
    pub description: &'a str,
    /// Where the example stands in the file, from 1.
    pub line: usize,
    /// What is wrong; `None` where it gives what it must.
    pub problem: Option<String>,
}

impl Fingerprint {
    pub(super) fn compile(raw: RawFingerprint, protocol: &str) -> Result<Self, String> {
        let RawFingerprint { line, pattern, flags, description, examples, params } = raw;
        let translated = pattern::translate(&pattern, &flags)?;
        let regex = compile(&translated, true).map_err(|error| error.to_string())?;
        let params: Vec<Param> = params.into_iter().map(Param::of).collect();
        let beyond =
            |param: &&Param| matches!(param.origin, Origin::Group(group) if group >= regex.captures_len());
        if let Some(param) = params.iter().find(beyond) {
            return Err(format!("{} is of a group that the pattern does not have", param.name));
        }
        let examples = examples.into_iter().map(Example::of).collect();
        let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self {
            line,
            description,
            pattern,
            flags,
            params,
            examples,
            regex,
            translated,
            of_octets: OnceLock::new(),
            protocol: protocol.to_owned(),
        })
    }

    /// What the fingerprint gives for a text; `None` where it does not match. Groups that found nothing give nothing.
    pub fn values(&self, text: &[u8]) -> Option<BTreeMap<String, String>> {
        let captures = self.regex_for(text)?.captures(text)?;
        let mut values = BTreeMap::new();
        for param in &self.params {
            match &param.origin {
                Origin::Text(text) => {
                    values.insert(param.name.clone(), text.clone());
                }
                Origin::Group(group) => {
                    if let Some(found) = captures.get(*group) {
                        let text = String::from_utf8_lossy(found.as_bytes()).into_owned();
                        values.insert(param.name.clone(), text);
                    }
                }
            }
        }
        if !self.protocol.is_empty() {
            values.entry("service.protocol".to_owned()).or_insert_with(|| self.protocol.clone());
        }
        for param in &self.params {
            if let Origin::Text(text) = &param.origin
                && text.contains('{')
            {
                match interpolate(text, &param.name, &values) {
                    Some(text) => values.insert(param.name.clone(), text),
                    None => values.remove(&param.name),
                };
            }
        }
        values.retain(|name, _| !name.starts_with("_tmp."));
        Some(values)
    }

    /// In a text that is UTF-8 a dot stands for a character, in any other for an octet.
    fn regex_for(&self, text: &[u8]) -> Option<&Regex> {
        if str::from_utf8(text).is_ok() {
            return Some(&self.regex);
        }
        self.of_octets.get_or_init(|| compile(&self.translated, false).ok()).as_ref()
    }

    /// Holds it to its examples.
    pub fn check(&self) -> impl Iterator<Item = Vector<'_>> {
        self.examples.iter().map(|example| Vector {
            description: &self.description,
            line: example.line,
            problem: self.problem(example),
        })
    }

    fn problem(&self, example: &Example) -> Option<String> {
        let content = match &example.content {
            Ok(content) => content,
            Err(problem) => return Some(problem.clone()),
        };
        let Some(values) = self.values(content) else { return Some("does not match".to_owned()) };
        let mut wrong = example.expected.iter().filter(|(name, wanted)| {
            // What found nothing is expected as nothing.
            values.get(*name).map_or("", String::as_str) != wanted.as_str()
        });
        let (name, wanted) = wrong.next()?;
        Some(match values.get(name) {
            Some(value) => format!("gives {name} {value:?}, not {wanted:?}"),
            None => format!("gives no {name}"),
        })
    }
}

fn compile(pattern: &str, of_characters: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(of_characters).size_limit(PATTERN_BYTES).build()
}

impl Param {
    fn of(raw: RawParam) -> Self {
        let origin = match raw.position {
            0 => Origin::Text(raw.value),
            group => Origin::Group(group),
        };
        Self { name: raw.name, origin }
    }
}

impl Example {
    fn of(raw: RawExample) -> Self {
        let mut expected = raw.attributes;
        let encoding = expected.remove("_encoding").unwrap_or_default();
        let content = if expected.remove("_filename").is_some() {
            Err("stands in a file of its own".to_owned())
        } else {
            match encoding.as_str() {
                "" => Ok(raw.content.into_bytes()),
                "base64" => {
                    let digits: String = raw.content.split_whitespace().collect();
                    STANDARD.decode(digits).map_err(|error| error.to_string())
                }
                _ => Err(format!("the encoding {encoding:?} is not known")),
            }
        };
        Self { line: raw.line, content, expected }
    }
}

/// The text with the values of others in it. A CPE has `-` for what is not there; of anything else nothing is left.
fn interpolate(text: &str, name: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((other, behind)) = behind.split_once('}') else {
            filled.push('{');
            rest = behind;
            continue;
        };
        match values.get(other) {
            Some(value) => filled.push_str(value),
            None if name.rsplit('.').next() == Some("cpe23") => filled.push('-'),
            None => return None,
        }
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}
