//! A message while it is read: how deep the reading stands, and what its listed elements have said (POCT01-A2, B.4
//! and B.5).

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use quick_xml::{XmlVersion, escape};
use wardwatch_proto::v1::Attribute;

use super::token::Token;
use crate::medical::address::eui64;

/// Elements within elements, and values that are kept of one message.
const DEEPEST: usize = 32;
const MOST_VALUES: usize = 16;

/// What a device said of itself in a message.
pub(super) type Device = Vec<(Attribute, String)>;

/// The document that is being read.
#[derive(Debug, Default)]
pub(super) struct Document {
    name: String,
    depth: usize,
    /// The innermost element, and what it has said so far.
    element: String,
    value: String,
    device: Device,
    vendor: String,
    has_patient: bool,
    has_password: bool,
}

impl Document {
    /// Whether its root element has begun and not ended.
    pub(super) fn is_begun(&self) -> bool {
        self.depth > 0
    }

    /// The root element.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_patient(&self) -> bool {
        self.has_patient
    }

    pub(super) fn has_password(&self) -> bool {
        self.has_password
    }

    /// Reads on; gives the device when its message has ended.
    pub(super) fn token(&mut self, token: &Token<'_>) -> Option<Device> {
        match token {
            Token::Text(text) => self.text(text),
            Token::Tag(tag) => {
                let tag = String::from_utf8_lossy(tag);
                let mut reader = Reader::from_str(&tag);
                // The beginning belongs to a tag that was read before, or never.
                reader.config_mut().check_end_names = false;
                reader.config_mut().allow_unmatched_ends = true;
                match reader.read_event() {
                    Ok(Event::Start(start)) => self.start(&start),
                    Ok(Event::Empty(start)) => {
                        self.start(&start);
                        return self.end();
                    }
                    Ok(Event::End(_)) => return self.end(),
                    _ => {}
                }
            }
            Token::LongText => self.element.clear(),
            Token::Other => {}
        }
        None
    }

    fn start(&mut self, start: &BytesStart<'_>) {
        let name = start.name().0;
        if self.depth == 0 {
            *self = Self { name: name.to_owned(), ..Self::default() };
        }
        self.finish_element();
        self.depth = (self.depth + 1).min(DEEPEST);
        name.clone_into(&mut self.element);
        self.value.clear();
        let value = start.attributes().flatten().find(|attribute| attribute.key.0 == "V");
        if let Some(value) = value.and_then(|value| value.normalized_value(XmlVersion::Implicit1_0).ok()) {
            value.trim().clone_into(&mut self.value);
        }
    }

    /// An element's text counts where the attribute says nothing.
    fn text(&mut self, text: &[u8]) {
        if !self.element.is_empty() && self.value.is_empty() {
            let text = String::from_utf8_lossy(text);
            self.value = escape::unescape(text.trim()).map(Cow::into_owned).unwrap_or_default();
        }
    }

    fn end(&mut self) -> Option<Device> {
        self.finish_element();
        self.depth = self.depth.checked_sub(1)?;
        if self.depth > 0 {
            return None;
        }
        let document = std::mem::take(self);
        let mut device = document.device;
        if !device.iter().any(|(attribute, _)| *attribute == Attribute::Manufacturer)
            && !document.vendor.is_empty()
        {
            device.push((Attribute::Manufacturer, document.vendor));
        }
        Some(device).filter(|device| !device.is_empty())
    }

    /// The innermost element has said what it says.
    fn finish_element(&mut self) {
        let element = std::mem::take(&mut self.element);
        let value = std::mem::take(&mut self.value);
        if value.is_empty() {
            return;
        }
        self.has_patient |= element.starts_with("PT.");
        self.has_password |= element == "ACC.password";
        if !self.name.starts_with("HEL.R") || self.device.len() >= MOST_VALUES {
            return;
        }
        let attribute = match element.as_str() {
            "DEV.device_id" => {
                let (attribute, value) = match eui64(&value) {
                    Some(eui64) => (Attribute::Eui64, eui64),
                    None => (Attribute::EquipmentId, value),
                };
                self.device.push((attribute, value));
                return;
            }
            "DEV.vendor_id" => {
                self.vendor = value;
                return;
            }
            "DEV.manufacturer_name" => Attribute::Manufacturer,
            "DEV.model_id" => Attribute::Model,
            "DEV.serial_id" => Attribute::SerialNumber,
            "DEV.hw_version" => Attribute::HardwareVersion,
            "DEV.sw_version" => Attribute::SoftwareVersion,
            _ => return,
        };
        self.device.push((attribute, value));
    }
}
