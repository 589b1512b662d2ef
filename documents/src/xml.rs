//! CycloneDX in XML, brought into the shape that it has in JSON. There are no document types, so no entity can grow.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use crate::Error;

/// The deepest that elements may stand in each other.
const DEEPEST: usize = 96;
/// The most elements.
const MOST_ELEMENTS: usize = 2_000_000;
/// Elements that hold a list.
const LISTS: &[&str] = &["components", "hashes", "licenses"];

/// An element that is open.
struct Open {
    name: String,
    fields: Map<String, Value>,
    items: Vec<Value>,
    text: String,
}

/// The document as it would be in JSON, as far as what is read of it goes.
pub(crate) fn as_json(text: &str) -> Result<Value, Error> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut elements = 0;
    loop {
        let at = reader.buffer_position();
        let wrong =
            |problem: String| Error::Malformed { place: format!("line {}", line_of(text, at)), problem };
        let event = reader.read_event().map_err(|error| wrong(error.to_string()))?;
        let closed = match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEEPEST {
                    return Err(wrong(format!("elements stand more than {DEEPEST} deep in each other")));
                }
                if elements > MOST_ELEMENTS {
                    return Err(Error::TooMany { what: "elements", most: MOST_ELEMENTS });
                }
                open.push(begin(&start));
                None
            }
            Event::Empty(start) => {
                elements += 1;
                Some(begin(&start))
            }
            Event::End(_) => open.pop(),
            Event::Text(said) => add(&mut open, &said.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(said) => add(&mut open, &said.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => {
                let said =
                    character(&reference).ok_or_else(|| wrong("an entity that is not known".into()))?;
                add(&mut open, &said)
            }
            Event::DocType(_) => return Err(wrong("a document type is not allowed".into())),
            Event::Eof => return Err(wrong("it ends in the middle".into())),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
        };
        if let Some(closed) = closed {
            match open.last_mut() {
                Some(parent) => close(closed, parent),
                None => return root(&closed),
            }
        }
    }
}

/// The version stands in the name space of the outermost element.
fn root(bom: &Open) -> Result<Value, Error> {
    let space = bom.fields.get("xmlns").and_then(Value::as_str).unwrap_or_default();
    let Some(version) = space.strip_prefix("http://cyclonedx.org/schema/bom/").filter(|_| bom.name == "bom")
    else {
        let problem = "the outermost element is no `bom` of CycloneDX".into();
        return Err(Error::Malformed { place: "line 1".into(), problem });
    };
    let mut fields = bom.fields.clone();
    fields.insert("bomFormat".into(), "CycloneDX".into());
    fields.insert("specVersion".into(), version.into());
    Ok(Value::Object(fields))
}

fn begin(start: &BytesStart<'_>) -> Open {
    let mut fields = Map::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
        // A prefixed name space is the one of the element if it has the element's prefix.
        let of_prefix = start.name().prefix().map(|prefix| format!("xmlns:{}", prefix.as_ref()));
        let key: &str = attribute.key.as_ref();
        let key = if of_prefix.as_deref() == Some(key) { "xmlns" } else { key };
        fields.insert(key.to_owned(), value.into_owned().into());
    }
    let name: &str = start.local_name().into_inner();
    Open { name: name.to_owned(), fields, items: Vec::new(), text: String::new() }
}

fn close(element: Open, parent: &mut Open) {
    let Open { name, mut fields, items, text } = element;
    let value = if LISTS.contains(&name.as_str()) {
        Value::Array(items)
    } else if name == "hash" {
        fields.insert("content".into(), text.trim().into());
        Value::Object(fields)
    } else if fields.is_empty() || !text.trim().is_empty() && !fields.contains_key("name") {
        // An expression of licences has attributes at times.
        text.trim().into()
    } else {
        Value::Object(fields)
    };
    match (parent.name.as_str(), name.as_str()) {
        ("components", "component") | ("hashes", "hash") => parent.items.push(value),
        ("licenses", _) => parent.items.push(Value::Object([(name, value)].into_iter().collect())),
        _ => {
            parent.fields.entry(name).or_insert(value);
        }
    }
}

fn add(open: &mut [Open], said: &str) -> Option<Open> {
    if let Some(element) = open.last_mut() {
        element.text.push_str(said);
    }
    None
}

/// The character that a reference stands for; of entities only those that every document has (XML 1.0, 4.6).
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.to_string());
    }
    let known = match &**reference {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    };
    Some(known.to_owned())
}

fn line_of(text: &str, at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    text.as_bytes().iter().take(at).filter(|octet| **octet == b'\n').count() + 1
}
