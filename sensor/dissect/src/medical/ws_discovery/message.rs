//! The envelope (SOAP 1.2) and the target services in it (WS-Discovery 1.1, 4 and 5), read once from front to back.

use quick_xml::XmlVersion;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, QName, ResolveResult};
use quick_xml::reader::NsReader;

/// WS-Discovery 1.1, and the draft before it.
pub(super) const NAMESPACES: [&str; 2] = [
    "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
    "http://schemas.xmlsoap.org/ws/2005/04/discovery",
];

/// WS-Addressing 1.0, and the one that the draft uses.
const ADDRESSING: [&str; 2] =
    ["http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"];

/// Where the type `MedicalDevice` is at home (ISO/IEEE 11073-20702, 6).
const MEDICAL: &str = "http://standards.ieee.org/downloads/11073/11073-20702-2016";

/// Events, elements within elements, target services, and types, scopes and octets of text of each.
const MOST_EVENTS: usize = 4096;
const DEEPEST: usize = 16;
const MOST_TARGETS: usize = 32;
const MOST_ENTRIES: usize = 32;
const LONGEST_TEXT: usize = 4096;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Probe, Resolve.
    Search,
    /// Hello, Bye, ProbeMatches, ResolveMatches.
    Answer,
}

/// What is read of a message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// Those that are described; of a search, the one that is searched for.
    pub(super) targets: Vec<Target>,
}

/// A target service.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// The endpoint reference's address.
    pub(super) endpoint: String,
    /// Local names of its types.
    pub(super) types: Vec<String>,
    pub(super) is_medical: bool,
    pub(super) scopes: Vec<String>,
    /// Transport addresses, joined by blanks.
    addresses: String,
}

/// Elements whose text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Endpoint,
    Types,
    Scopes,
    Addresses,
}

impl Message {
    /// Nothing where the document is none, or is not of discovery.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
        let mut reader = NsReader::from_str(text);
        let mut message: Option<Self> = None;
        // The element whose text is being read, and how deep it stands.
        let mut open: Option<(Field, usize)> = None;
        let mut content = String::new();
        let (mut depth, mut body, mut reference) = (0_usize, false, false);
        for _ in 0..MOST_EVENTS {
            let Ok(event) = reader.read_event() else { break };
            match event {
                Event::Start(start) => {
                    depth += 1;
                    if depth > DEEPEST {
                        break;
                    }
                    let name = Name::of(&reader, start.name());
                    body |= name.local == "Body";
                    if !body {
                        continue;
                    }
                    if let Some(kind) = name.kind() {
                        let message = message.get_or_insert(Self { kind, targets: Vec::new() });
                        if message.targets.len() < MOST_TARGETS {
                            message.targets.push(Target::default());
                        }
                    }
                    reference |= name.is_addressing && name.local == "EndpointReference";
                    if let Some(field) = name.field(reference) {
                        open = Some((field, depth));
                        content.clear();
                    }
                }
                Event::Text(text) if open.is_some() && content.len() < LONGEST_TEXT => {
                    content.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
                Event::GeneralRef(name) if open.is_some() && content.len() < LONGEST_TEXT => {
                    let predefined = quick_xml::escape::resolve_predefined_entity(&name);
                    if let Some(text) = predefined {
                        content.push_str(text);
                    } else if let Ok(Some(character)) = name.resolve_char_ref() {
                        content.push(character);
                    }
                }
                Event::End(end) => {
                    if let Some((field, at)) = open
                        && at == depth
                    {
                        open = None;
                        if let Some(target) = message.as_mut().and_then(|message| message.targets.last_mut())
                        {
                            target.field(field, &content, &reader);
                        }
                    }
                    reference &= end.local_name().as_ref() != "EndpointReference";
                    depth = depth.saturating_sub(1);
                }
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        message
    }
}

impl Target {
    /// Hosts of its transport addresses, without ports and zones.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.addresses.split_ascii_whitespace().take(MOST_ENTRIES).filter_map(host)
    }

    fn field(&mut self, field: Field, text: &str, reader: &NsReader<&[u8]>) {
        let text = text.trim();
        let entries = || text.split_ascii_whitespace().take(MOST_ENTRIES);
        match field {
            Field::Endpoint => text.clone_into(&mut self.endpoint),
            Field::Addresses => text.clone_into(&mut self.addresses),
            Field::Scopes => self.scopes = entries().map(str::to_owned).collect(),
            // Names with prefixes that are in scope here.
            Field::Types => {
                for entry in entries() {
                    let (space, local) = reader.resolver().resolve_element(QName(entry));
                    let local = local.as_ref();
                    self.is_medical |=
                        local == "MedicalDevice" && matches!(space, ResolveResult::Bound(Namespace(MEDICAL)));
                    self.types.push(local.to_owned());
                }
            }
        }
    }
}

/// An element's name.
struct Name<'a> {
    is_discovery: bool,
    is_addressing: bool,
    local: &'a str,
}

impl<'a> Name<'a> {
    fn of(reader: &NsReader<&[u8]>, name: QName<'a>) -> Self {
        let (space, local) = reader.resolver().resolve_element(name);
        let is_in = |spaces: [&str; 2]| matches!(space, ResolveResult::Bound(Namespace(space)) if spaces.contains(&space));
        Self { is_discovery: is_in(NAMESPACES), is_addressing: is_in(ADDRESSING), local: local.into_inner() }
    }

    /// Elements of the body that describe one target service.
    fn kind(&self) -> Option<Kind> {
        match self.local {
            _ if !self.is_discovery => None,
            "Probe" | "Resolve" => Some(Kind::Search),
            "Hello" | "Bye" | "ProbeMatch" | "ResolveMatch" => Some(Kind::Answer),
            _ => None,
        }
    }

    fn field(&self, is_reference: bool) -> Option<Field> {
        match self.local {
            "Address" if self.is_addressing && is_reference => Some(Field::Endpoint),
            _ if !self.is_discovery => None,
            "Types" => Some(Field::Types),
            "Scopes" => Some(Field::Scopes),
            "XAddrs" => Some(Field::Addresses),
            _ => None,
        }
    }
}

/// The host of a URL (RFC 3986, 3.2.2); nothing where a user's name stands before it.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.contains('@'))?;
    match authority.strip_prefix('[') {
        Some(literal) => literal.split([']', '%']).next(),
        None => authority.split(':').next(),
    }
}
