//! What bodies say about devices: a table of readers, each of which knows its documents.
//!
//! A reader gets the beginning of a body, decoded and bounded, and states identity out of named elements; everything
//! else in a document is passed over. What a proxy passed on does not describe its sender.

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
    /// Somebody passed it on.
    pub(super) is_relayed: bool,
    /// The server says that it is a spooler, which speaks for printers.
    pub(super) is_spooler: bool,
}

impl Described {
    /// Whether it is what a device answers, so that it may describe its sender.
    fn is_own_answer(&self) -> bool {
        self.is_answer && !self.is_relayed
    }
}

/// Media types of documents that devices describe themselves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Xml,
    Soap,
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
            "application/xml" | "text/xml" => Self::Xml,
            "application/soap+xml" => Self::Soap,
            "application/ipp" => Self::Ipp,
            _ => return None,
        })
    }

    /// Whether requests with such a body are read: resources of FHIR are sent to be stored, and medical devices notify
    /// their subscribers in SOAP.
    pub(super) fn is_sent(self) -> bool {
        matches!(self, Self::FhirJson | Self::FhirXml | Self::Soap)
    }
}

/// A kind of document: whether this is one, and what it says.
struct Reader {
    /// One of these stands in each of them. Most documents that pass have none, and are not taken apart.
    marks: &'static [&'static str],
    is_mine: fn(&Described, &Element) -> bool,
    read: fn(&Described, &Element, &mut Facts<'_>),
}

/// All kinds in XML and JSON.
const READERS: &[Reader] = &[fhir::READER, upnp::READER, soap::READER, soap::PATIENTS, vendor::READER];

/// Whether more of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    More,
    Nothing,
}

/// Looks at what has come of a body, and states what it says once that is enough.
pub(super) fn look(described: &Described, gathered: &Gathered<'_>, facts: &mut Facts<'_>) -> Wanted {
    let Some(media) = described.media else {
        // As it was sent: an executable in an encoding is not recognised.
        return executable::look(&gathered.bytes, gathered.is_all, facts);
    };
    // A body that ends with the connection may be whole at any time.
    if !gathered.is_all && described.extent != Extent::UntilClose {
        return Wanted::More;
    }
    let bytes = body::decode(&gathered.bytes, described.encoding);
    if media == Media::Ipp {
        let is_over =
            !described.is_own_answer() || ipp::read(&bytes, described.is_spooler, facts) || gathered.is_all;
        return if is_over { Wanted::Nothing } else { Wanted::More };
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
    for reader in READERS.iter().filter(|reader| (reader.is_mine)(described, &document.root)) {
        (reader.read)(described, &document.root, facts);
    }
    Wanted::Nothing
}

#[cfg(test)]
mod tests;
