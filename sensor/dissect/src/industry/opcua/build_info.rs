//! Who made a server's software, and which version it is: the server's BuildInfo (OPC 10000-5, 12.4), which clients read
//! (OPC 10000-4, 5.10.2) alone, as a part of its status, or field by field.
//!
//! A structure tells its own type. A field does not: it is known by the node that was asked for, so that questions are kept
//! until they are answered. Other nodes and their values are stepped over.

use wardwatch_proto::v1::Attribute;

use super::binary::Reader;
use super::service::{request_header, response_header, say};
use crate::pending::Pending;

const READ_REQUEST: u32 = 631;
const READ_RESPONSE: u32 = 634;

/// Binary encodings of the structures.
const BUILD_INFO: u32 = 340;
const SERVER_STATUS: u32 = 864;

/// The attribute of a node that is its value.
const VALUE: u32 = 13;

/// Built-in types of a Variant (OPC 10000-6, 5.1.2).
const STRING: u8 = 12;
const EXTENSION_OBJECT: u8 = 22;

/// Questions that wait for their answer.
const MOST_QUESTIONS: usize = 8;

/// The questions of one connection for fields of the BuildInfo.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// By the request's handle, what each entry of the answer is.
    asked: Pending<u32, Vec<Option<Attribute>>, MOST_QUESTIONS>,
}

/// What a message that reads, or its answer, says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Question,
    Answer(Vec<(Attribute, String)>),
}

impl Questions {
    /// Reads a message from its type on; nothing where it is of another service.
    pub(super) fn message(&mut self, message: &[u8]) -> Option<Told> {
        let mut reader = Reader(message);
        match reader.node_number()? {
            READ_REQUEST => {
                let asked = question(reader).filter(|(_, nodes)| nodes.iter().any(Option::is_some));
                if let Some((handle, nodes)) = asked {
                    self.asked.add(handle, nodes);
                }
                Some(Told::Question)
            }
            READ_RESPONSE => {
                // Behind the time.
                let handle = Reader(reader.0.get(8..)?).number()?;
                let nodes = self.asked.take(&handle).unwrap_or_default();
                let mut said = Vec::new();
                answer(reader, &nodes, &mut said);
                Some(Told::Answer(said))
            }
            _ => None,
        }
    }
}

/// Greatest age, timestamps wanted; of each node its id, attribute, range and encoding.
fn question(mut reader: Reader<'_>) -> Option<(u32, Vec<Option<Attribute>>)> {
    let handle = request_header(&mut reader)?;
    reader.skip(8 + 4)?;
    let mut nodes = Vec::new();
    for _ in 0..reader.count()? {
        let node = reader.node_number()?;
        let is_value = reader.number()? == VALUE;
        reader.bytes_or_null()?;
        reader.skip(2)?;
        reader.bytes_or_null()?;
        nodes.push(field(node).filter(|_| is_value));
    }
    Some((handle, nodes))
}

/// Fields of the BuildInfo in the server's status, by their nodes (OPC 10000-6, annex A). The build's number and date are
/// not stated.
fn field(node: u32) -> Option<Attribute> {
    match node {
        2261 => Some(Attribute::SoftwareName),
        2262 => Some(Attribute::OpcUaProductUri),
        2263 => Some(Attribute::SoftwareVendor),
        2264 => Some(Attribute::SoftwareVersion),
        _ => None,
    }
}

/// The results, up to the first that does not fit.
fn answer(
    mut reader: Reader<'_>,
    nodes: &[Option<Attribute>],
    said: &mut Vec<(Attribute, String)>,
) -> Option<()> {
    response_header(&mut reader)?;
    for place in 0..reader.count()? {
        let asked = nodes.get(place as usize).copied().flatten();
        data_value(&mut reader, asked, said)?;
    }
    Some(())
}

/// A mask, and what it says is there: value, status, time and fraction of the source, the same of the server.
fn data_value(
    reader: &mut Reader<'_>,
    asked: Option<Attribute>,
    said: &mut Vec<(Attribute, String)>,
) -> Option<()> {
    let mask = reader.byte()?;
    if mask & 0x01 != 0 {
        variant(reader, asked, said)?;
    }
    for (bit, length) in [(0x02, 4), (0x04, 8), (0x10, 2), (0x08, 8), (0x20, 2)] {
        if mask & bit != 0 {
            reader.skip(length)?;
        }
    }
    Some(())
}

/// A type, with two bits for arrays, and one value or several.
fn variant(
    reader: &mut Reader<'_>,
    asked: Option<Attribute>,
    said: &mut Vec<(Attribute, String)>,
) -> Option<()> {
    let kind = reader.byte()?;
    let (kind, is_array, has_dimensions) = (kind & 0x3F, kind & 0x80 != 0, kind & 0x40 != 0);
    for _ in 0..if is_array { reader.count()? } else { 1 } {
        match kind {
            STRING => {
                let text = reader.string()?;
                if let Some(attribute) = asked.filter(|_| !is_array) {
                    say(said, attribute, text);
                }
            }
            EXTENSION_OBJECT => {
                let (number, body) = reader.extension()?;
                structure(number, Reader(body), said);
            }
            _ => scalar(reader, kind)?,
        }
    }
    if has_dimensions {
        for _ in 0..reader.count()? {
            reader.skip(4)?;
        }
    }
    Some(())
}

/// Steps over a value of another type.
fn scalar(reader: &mut Reader<'_>, kind: u8) -> Option<()> {
    match kind {
        0 => Some(()),
        1..=3 => reader.skip(1),
        4 | 5 => reader.skip(2),
        6 | 7 | 10 | 19 => reader.skip(4),
        8 | 9 | 11 | 13 => reader.skip(8),
        14 => reader.skip(16),
        15 | 16 => reader.bytes_or_null(),
        17 => reader.node_number().map(|_| ()),
        20 => {
            reader.skip(2)?;
            reader.bytes_or_null()
        }
        21 => reader.localized().map(|_| ()),
        // Expanded node ids, values within values.
        _ => None,
    }
}

/// The status has two times and a state before the BuildInfo.
fn structure(number: u32, mut reader: Reader<'_>, said: &mut Vec<(Attribute, String)>) -> Option<()> {
    match number {
        BUILD_INFO => {}
        SERVER_STATUS => reader.skip(8 + 8 + 4)?,
        _ => return None,
    }
    for attribute in [
        Attribute::OpcUaProductUri,
        Attribute::SoftwareVendor,
        Attribute::SoftwareName,
        Attribute::SoftwareVersion,
    ] {
        say(said, attribute, reader.string()?);
    }
    Some(())
}
