//! What a signature says: values of attributes, with groups of its pattern in them, and the kind of device.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use wardwatch_proto::attribute;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use crate::error::KnowledgeError;
use crate::pack::Place;
use crate::taxonomy::Taxonomy;

/// What a signature may speak for.
const SAYABLE: [Attribute; 10] = [
    Attribute::Manufacturer,
    Attribute::Model,
    Attribute::SerialNumber,
    Attribute::HardwareVersion,
    Attribute::FirmwareVersion,
    Attribute::SoftwareName,
    Attribute::SoftwareVersion,
    Attribute::SoftwareVendor,
    Attribute::OperatingSystem,
    Attribute::OperatingSystemVersion,
];

/// What a signature says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Says {
    values: Vec<(Attribute, Template)>,
    /// Empty where it does not speak for one.
    pub(super) category: String,
    pub(super) subcategory: String,
    pub(super) device_type: String,
}

/// A value with groups in it, in pieces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Says {
    pub(super) fn check(
        raw: &BTreeMap<String, String>,
        pattern: Option<&Regex>,
        taxonomy: &Taxonomy,
        place: &Place,
    ) -> Result<Self, KnowledgeError> {
        let mut says = Self::default();
        for (name, text) in raw {
            let key = format!("says.{name}");
            match name.as_str() {
                "type" => {
                    let kind = taxonomy.kind_of(text);
                    let (category, subcategory) =
                        kind.ok_or_else(|| place.wrong(key, format!("no type is called {text:?}")))?;
                    if raw.contains_key("category") {
                        return Err(place.wrong("says.category", "cannot stand beside type, which has one"));
                    }
                    category.clone_into(&mut says.category);
                    subcategory.clone_into(&mut says.subcategory);
                    says.device_type.clone_from(text);
                }
                "category" if text.is_empty() => return Err(place.wrong(key, "must not be empty")),
                "category" => says.category.clone_from(text),
                _ => {
                    let sayable = Attribute::from_name(name).filter(|known| SAYABLE.contains(known));
                    let attribute = sayable.ok_or_else(|| {
                        let known: Vec<_> = SAYABLE.iter().map(|attribute| attribute.name()).collect();
                        place.wrong(&key, format!("unknown; known are type, category, {}", known.join(", ")))
                    })?;
                    let template = Template::check(text, pattern, place, &key)?;
                    template.check_literal(attribute, text, place, &key)?;
                    says.values.push((attribute, template));
                }
            }
        }
        Ok(says)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.category.is_empty()
    }

    /// The values, in canonical form. One whose group found nothing, or that no sensor could send, is left out.
    pub(super) fn values<'a>(
        &'a self,
        captures: Option<&'a Captures<'_>>,
    ) -> impl Iterator<Item = (Attribute, String)> + 'a {
        self.values.iter().filter_map(move |(attribute, template)| {
            let value = template.fill(captures)?;
            Some((*attribute, attribute::accept(*attribute, &value)?.into_owned()))
        })
    }

    /// What the example gives must be what is expected of it, and the values of groups must be among that.
    pub(super) fn check_expected(
        &self,
        captures: Option<&Captures<'_>>,
        expect: &BTreeMap<String, String>,
        place: &Place,
    ) -> Result<(), KnowledgeError> {
        let mut given: BTreeMap<&str, String> =
            self.values(captures).map(|(attribute, value)| (attribute.name(), value)).collect();
        if !self.device_type.is_empty() {
            given.insert("type", self.device_type.clone());
        } else if !self.category.is_empty() {
            given.insert("category", self.category.clone());
        }
        for (name, wanted) in expect {
            let problem = match given.get(name.as_str()) {
                Some(value) if value == wanted => continue,
                Some(value) => format!("the example gives {value:?}, not {wanted:?}"),
                None => "the example gives no such value".to_owned(),
            };
            return Err(place.wrong(format!("expect.{name}"), problem));
        }
        let with_groups = self.values.iter().filter(|(_, template)| template.has_groups());
        let mut names = with_groups.map(|(attribute, _)| attribute.name());
        match names.find(|name| given.contains_key(name) && !expect.contains_key(*name)) {
            Some(name) => Err(place.wrong(
                format!("expect.{name}"),
                "must say what the example gives, as there is a group in the value",
            )),
            None => Ok(()),
        }
    }
}

impl Template {
    /// `$1`, `${1}` and `${name}` stand for groups of the pattern, `$$` for the sign.
    fn check(text: &str, pattern: Option<&Regex>, place: &Place, key: &str) -> Result<Self, KnowledgeError> {
        let mut template = Self::default();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            template.text(before);
            if let Some(behind) = behind.strip_prefix('$') {
                template.text("$");
                rest = behind;
                continue;
            }
            let (name, behind) = if let Some(braced) = behind.strip_prefix('{') {
                braced.split_once('}').ok_or_else(|| place.wrong(key, "a brace is not closed"))?
            } else {
                let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
                behind.split_at(end)
            };
            template.pieces.push(Piece::Group(group(name, pattern, place, key)?));
            rest = behind;
        }
        template.text(rest);
        Ok(template)
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn has_groups(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Group(_)))
    }

    /// A value without groups must be possible, as it never changes.
    fn check_literal(
        &self,
        attribute: Attribute,
        text: &str,
        place: &Place,
        key: &str,
    ) -> Result<(), KnowledgeError> {
        let is_possible = self.has_groups()
            || self.fill(None).is_some_and(|value| attribute::accept(attribute, &value).is_some());
        if is_possible {
            return Ok(());
        }
        Err(place.wrong(key, format!("{text:?} can never be a value of {}", attribute.name())))
    }

    /// `None` where a group found nothing.
    fn fill(&self, captures: Option<&Captures<'_>>) -> Option<String> {
        let mut value = String::new();
        for piece in &self.pieces {
            value.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Group(number) => {
                    captures?.get(*number).map(|found| found.as_str()).filter(|found| !found.is_empty())?
                }
            });
        }
        Some(value)
    }
}

/// The number of a group by number or name.
fn group(name: &str, pattern: Option<&Regex>, place: &Place, key: &str) -> Result<usize, KnowledgeError> {
    let Some(pattern) = pattern else {
        return Err(place.wrong(key, "only a regex has groups; write $$ for the sign"));
    };
    let number = name.parse().ok().filter(|number| *number < pattern.captures_len());
    let named = || pattern.capture_names().position(|known| known == Some(name));
    number.or_else(named).ok_or_else(|| match name {
        "" => place.wrong(key, "a group has a number or a name; write $$ for the sign"),
        _ => place.wrong(key, format!("the pattern has no group {name:?}")),
    })
}
