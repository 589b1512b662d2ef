//! What bodies say about devices: a table of readers, each of which knows its documents.
//!
//! A reader gets the beginning of a body, decoded and bounded, and states identity out of named elements; everything
//! else in a document is passed over. Answers that a proxy passed on are not read, since their sender is not the one
//! that they describe.

mod element;
mod executable;
mod fhir;
mod ipp;
mod json;
mod soap;
mod upnp;
mod vendor;
mod xml;

use super::body::{self, Encoding, Extent, Gathered};
use crate::Facts;
use element::Element;

/// What the head of a message says about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// Of which kind it is; none is looked at only for what it begins with.
    pub(super) media: Option<Media>,
    pub(super) encoding: Encoding,
    pub(super) extent: Extent,
    pub(super) is_answer: bool,
    /// The server says that it is a spooler, which speaks for printers.
    pub(super) is_spooler: bool,
}

/// Media types of documents that devices describe themselves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Xml,
    FhirJson,
    FhirXml,
    Ipp,
}

impl Media {
    /// Of a type without parameters.
    pub(super) fn of(essence: &str) -> Option<Self> {
        Some(match essence.to_ascii_lowercase().as_str() {
            "application/fhir+json" | "application/json+fhir" => Self::FhirJson,
            "application/fhir+xml" | "application/xml+fhir" => Self::FhirXml,
            "application/json" => Self::Json,
            "application/xml" | "text/xml" | "application/soap+xml" => Self::Xml,
            "application/ipp" => Self::Ipp,
            _ => return None,
        })
    }

    /// Whether requests with such a body are read: only resources of FHIR are sent by those whom they are about.
    pub(super) fn is_sent(self) -> bool {
        matches!(self, Self::FhirJson | Self::FhirXml)
    }
}

/// A kind of document: whether this is one, and what it says.
struct Reader {
    /// One of these stands in each of them. Most documents that pass have none, and are not taken apart.
    marks: &'static [&'static str],
    is_mine: fn(&Described, &Element) -> bool,
    read: fn(&Element, &mut Facts<'_>),
}

/// All kinds in XML and JSON.
const READERS: &[Reader] = &[fhir::READER, upnp::READER, soap::READER, vendor::READER];

/// Whether more of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    More,
    Nothing,
}

/// Looks at what has come of a body, and states what it says once that is enough.
pub(super) fn look(described: &Described, gathered: &Gathered<'_>, facts: &mut Facts<'_>) -> Wanted {
    let Some(media) = described.media else {
        return executable::look(&gathered.bytes, gathered.is_all, facts);
    };
    // A body that ends with the connection may be whole at any time.
    if !gathered.is_all && described.extent != Extent::UntilClose {
        return Wanted::More;
    }
    let bytes = body::decode(&gathered.bytes, described.encoding);
    if media == Media::Ipp {
        return if ipp::read(&bytes, described.is_spooler, facts) || gathered.is_all {
            Wanted::Nothing
        } else {
            Wanted::More
        };
    }
    let has = |mark: &str| bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
    let may_be = |reader: &Reader| reader.marks.iter().any(|mark| has(mark));
    if !READERS.iter().any(may_be) {
        return Wanted::More;
    }
    let is_json = matches!(media, Media::Json | Media::FhirJson);
    let document = if is_json { json::read(&bytes) } else { xml::read(&bytes) };
    if !document.is_closed && !gathered.is_all {
        return Wanted::More;
    }
    if let Some(reader) = READERS.iter().find(|reader| (reader.is_mine)(described, &document.root)) {
        (reader.read)(&document.root, facts);
    }
    Wanted::Nothing
}

#[cfg(test)]
mod tests;
