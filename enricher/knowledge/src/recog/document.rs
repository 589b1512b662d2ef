//! The XML of a database, as `fingerprints.xsd` has it.

use std::collections::BTreeMap;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{LARGEST_DATABASE, RecogError};

/// A file's content.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) matches: String,
    pub(super) protocol: String,
    pub(super) fingerprints: Vec<RawFingerprint>,
}

/// A fingerprint as it is written.
#[derive(Debug, Default)]
pub(super) struct RawFingerprint {
    pub(super) line: usize,
    pub(super) pattern: String,
    pub(super) flags: String,
    pub(super) description: String,
    pub(super) examples: Vec<RawExample>,
    pub(super) params: Vec<RawParam>,
}

/// An example as it is written.
#[derive(Debug, Default)]
pub(super) struct RawExample {
    pub(super) line: usize,
    /// All attributes; those that begin with `_` say how to read it, the others what it must give.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) content: String,
}

/// What a match gives: text where `position` is 0, else a group.
#[derive(Debug, Default)]
pub(super) struct RawParam {
    pub(super) position: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// Which text is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Description,
    Example,
}

pub(super) fn read(file: &str, text: &str) -> Result<Document, RecogError> {
    let wrong = |offset: usize, problem: String| RecogError {
        file: file.to_owned(),
        line: line_at(text, offset),
        problem,
    };
    if text.len() > LARGEST_DATABASE {
        return Err(wrong(0, format!("it has more than {LARGEST_DATABASE} octets")));
    }
    let mut reader = Reader::from_str(text);
    let mut document: Option<Document> = None;
    let mut within = Within::Nothing;
    // Positions only grow, so lines are counted once.
    let (mut counted, mut line) = (0, 1);
    loop {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).min(text.len());
        line += line_ends(text.as_bytes().get(counted..at).unwrap_or_default());
        counted = at.max(counted);
        let event = event.map_err(|error| wrong(at, error.to_string()))?;
        match event {
            Event::Start(start) => {
                within = open(&start, line, &mut document).map_err(|problem| wrong(at, problem))?;
            }
            Event::Empty(start) => {
                open(&start, line, &mut document).map_err(|problem| wrong(at, problem))?;
            }
            Event::End(_) => within = Within::Nothing,
            Event::Text(text) => add(&mut document, within, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => add(&mut document, within, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => {
                let character = character(&reference)
                    .ok_or_else(|| wrong(at, format!("no entity is called {:?}", &*reference)))?;
                add(&mut document, within, &character);
            }
            // Entities could grow.
            Event::DocType(_) => return Err(wrong(at, "it must not have a document type".to_owned())),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let mut document = document.ok_or_else(|| wrong(0, "it has no <fingerprints>".to_owned()))?;
    if document.matches.is_empty() {
        file.clone_into(&mut document.matches);
    }
    Ok(document)
}

/// Takes in the beginning of an element, and says what the text in it is.
fn open(start: &BytesStart<'_>, line: usize, document: &mut Option<Document>) -> Result<Within, String> {
    let mut attributes = attributes(start)?;
    let mut take = |name: &str| attributes.remove(name).unwrap_or_default();
    let name = start.name();
    let name: &str = name.as_ref();
    if name == "fingerprints" {
        if document.is_some() {
            return Err("there is more than one <fingerprints>".to_owned());
        }
        let (matches, protocol) = (take("matches"), take("protocol"));
        *document = Some(Document { matches, protocol, fingerprints: Vec::new() });
        return Ok(Within::Nothing);
    }
    let document = document.as_mut().ok_or_else(|| format!("<{name}> stands outside of <fingerprints>"))?;
    if name == "fingerprint" {
        let (pattern, flags) = (take("pattern"), take("flags"));
        if pattern.is_empty() {
            return Err("a <fingerprint> must have a pattern".to_owned());
        }
        document.fingerprints.push(RawFingerprint { line, pattern, flags, ..RawFingerprint::default() });
        return Ok(Within::Nothing);
    }
    let known = document.fingerprints.last_mut();
    let fingerprint = known.ok_or_else(|| format!("<{name}> stands outside of a <fingerprint>"))?;
    match name {
        "description" => Ok(Within::Description),
        "example" => {
            fingerprint.examples.push(RawExample { line, attributes, content: String::new() });
            Ok(Within::Example)
        }
        "param" => {
            let (position, name, value) = (take("pos"), take("name"), take("value"));
            let position = position.parse().map_err(|_| format!("pos={position:?} is no number"))?;
            if name.is_empty() {
                return Err("a <param> must have a name".to_owned());
            }
            fingerprint.params.push(RawParam { position, name, value });
            Ok(Within::Nothing)
        }
        _ => Err(format!("<{name}> is not known")),
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        let name: &str = attribute.key.as_ref();
        attributes.insert(name.to_owned(), value.into_owned());
    }
    Ok(attributes)
}

fn add(document: &mut Option<Document>, within: Within, text: &str) {
    let Some(fingerprint) = document.as_mut().and_then(|document| document.fingerprints.last_mut()) else {
        return;
    };
    match within {
        Within::Nothing => {}
        Within::Description => fingerprint.description.push_str(text),
        Within::Example => {
            if let Some(example) = fingerprint.examples.last_mut() {
                example.content.push_str(text);
            }
        }
    }
}

/// The character that a reference stands for; of entities only those that every document has (XML 1.0, 4.6).
fn character(reference: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.to_string());
    }
    let character = match &**reference {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    };
    Some(character.to_owned())
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + line_ends(text.as_bytes().get(..offset).unwrap_or_default())
}

fn line_ends(octets: &[u8]) -> usize {
    octets.split(|octet| *octet == b'\n').count().saturating_sub(1)
}
