//! Association negotiation (PS3.8, 9.3.2 and 9.3.3; user information: PS3.7, annex D.3.3).

use std::collections::{BTreeMap, BTreeSet};

use wardwatch_proto::v1::Attribute;

use super::pdu::{ASSOCIATE_FIXED_BYTES, HEADER_BYTES};
use super::service::{Service, image_kind, service};
use super::transfer::Transfer;
use crate::octets::{be16, part};
use crate::{Direction, Facts};

/// Presentation contexts that are kept: there are 128 odd numbers in an octet.
const MOST_CONTEXTS: usize = 128;

/// Classes that are worth naming. An archive that is offered a toolkit's whole list accepts a hundred and more, which
/// says no more than its roles.
const MOST_CLASSES: usize = 32;

/// What is known about one association.
#[derive(Debug, Default)]
pub(super) struct Association {
    /// The end that asked for it; nothing where the request was not seen.
    pub(super) requestor: Option<Direction>,
    /// The requestor's application entity title.
    pub(super) calling: String,
    called: String,
    contexts: BTreeMap<u8, Context>,
    /// Image kinds (see [`image_kind`]) that the requestor offered to send.
    image_kinds: BTreeSet<u16>,
    /// Services other than storage that the requestor offered to use.
    services: Vec<Service>,
    /// The requestor offered to receive objects, as C-GET needs.
    receives_objects: bool,
}

#[derive(Debug)]
struct Context {
    sop_class: String,
    transfer: Option<Transfer>,
}

impl Association {
    /// Reads an A-ASSOCIATE-RQ (the whole PDU) and states what the requestor says of itself.
    pub(super) fn request(pdu: &[u8], requestor: Direction, facts: &mut Facts<'_>) -> Self {
        let mut association = Self {
            requestor: Some(requestor),
            called: title(pdu, 10),
            calling: title(pdu, 26),
            ..Self::default()
        };
        let mut negotiation = Negotiation::default();
        for item in items(pdu) {
            match item.kind {
                0x20 if association.contexts.len() < MOST_CONTEXTS => {
                    if let Some((id, sop_class)) = proposed(item.body) {
                        association.contexts.insert(id, Context { sop_class, transfer: None });
                    }
                }
                0x50 => negotiation = Negotiation::read(item.body),
                _ => {}
            }
        }
        facts.of_sender(Attribute::DicomAeTitle, &association.calling);
        negotiation.state(facts);
        association.offer(&negotiation, facts);
        association
    }

    /// What the proposals make of the requestor: `dicom-scu`, and a role for every service.
    fn offer(&mut self, negotiation: &Negotiation, facts: &mut Facts<'_>) {
        let mut roles = BTreeSet::from([Service::Other.user()]);
        for context in self.contexts.values() {
            let of = service(&context.sop_class);
            let (uses, provides) = negotiation.role(&context.sop_class).unwrap_or((true, false));
            if provides {
                roles.insert(of.provider());
                self.receives_objects |= of == Service::Storage;
            }
            if uses {
                roles.insert(of.user());
                match image_kind(&context.sop_class) {
                    Some(kind) => _ = self.image_kinds.insert(kind),
                    None if of != Service::Storage && !self.services.contains(&of) => self.services.push(of),
                    None => {}
                }
            }
        }
        for role in roles {
            facts.of_sender(Attribute::Role, role);
        }
    }

    /// Reads an A-ASSOCIATE-AC (the whole PDU) and states what the acceptor says of itself.
    ///
    /// Its two title fields echo the request and mean nothing; but an acceptor that accepts answers to the title it
    /// was called by.
    pub(super) fn accept(&mut self, pdu: &[u8], facts: &mut Facts<'_>) {
        let mut roles = BTreeSet::from([Service::Other.provider()]);
        let mut ids = BTreeSet::new();
        let mut classes = BTreeSet::new();
        if self.requestor.is_some() {
            facts.of_sender(Attribute::DicomAeTitle, &self.called);
        }
        let mut negotiation = Negotiation::default();
        for item in items(pdu) {
            match item.kind {
                0x21 => {
                    let Some((id, transfer)) = accepted(item.body) else { continue };
                    if self.contexts.len() >= MOST_CONTEXTS && !self.contexts.contains_key(&id) {
                        continue;
                    }
                    let context = self
                        .contexts
                        .entry(id)
                        .or_insert_with(|| Context { sop_class: String::new(), transfer: None });
                    context.transfer = Some(transfer);
                    ids.insert(id);
                }
                0x50 => negotiation = Negotiation::read(item.body),
                _ => {}
            }
        }
        negotiation.state(facts);
        for context in ids.iter().filter_map(|id| self.contexts.get(id)) {
            let of = service(&context.sop_class);
            // The answer names only the roles that were asked for beyond the usual ones.
            let (uses, provides) = negotiation.role(&context.sop_class).unwrap_or((true, false));
            if uses {
                roles.insert(of.provider());
                classes.insert(context.sop_class.as_str());
            }
            if provides {
                roles.insert(of.user());
            }
        }
        if classes.len() <= MOST_CLASSES {
            for class in classes.into_iter().filter(|class| !class.is_empty()) {
                facts.of_sender(Attribute::DicomSopClass, class);
            }
        }
        for role in roles {
            facts.of_sender(Attribute::Role, role);
        }
    }

    /// How datasets of this context are encoded.
    pub(super) fn transfer(&self, context: u8) -> Transfer {
        self.contexts.get(&context).and_then(|context| context.transfer).unwrap_or_default()
    }

    /// Whether the request was seen and its sender is the one that sends in this direction.
    pub(super) fn is_requestor(&self, direction: Direction) -> bool {
        self.requestor == Some(direction)
    }

    /// Whether the requestor offers what a scanner offers, and nothing that an archive, a router or a viewer does:
    /// it asks for a worklist or reports performed steps, or it sends images of one or two kinds, and it neither
    /// queries nor receives.
    pub(super) fn requestor_is_like_a_modality(&self) -> bool {
        let offers = |wanted: Service| self.services.contains(&wanted);
        if self.receives_objects || offers(Service::Query) {
            return false;
        }
        offers(Service::Worklist)
            || offers(Service::PerformedStep)
            || (1..=2).contains(&self.image_kinds.len())
    }
}

/// User information, as far as it is wanted.
#[derive(Debug, Default)]
struct Negotiation {
    implementation_uid: String,
    implementation_version: String,
    has_passcode: bool,
    /// SOP class, whether the requestor uses it, whether it provides it.
    roles: Vec<(String, bool, bool)>,
}

impl Negotiation {
    fn read(body: &[u8]) -> Self {
        let mut read = Self::default();
        for item in Items(body) {
            match item.kind {
                0x52 => read.implementation_uid = uid(item.body),
                0x55 => read.implementation_version = text(item.body),
                0x54 if read.roles.len() < MOST_CONTEXTS => {
                    if let Some(role) = role_selection(item.body) {
                        read.roles.push(role);
                    }
                }
                0x58 => read.has_passcode = has_passcode(item.body),
                _ => {}
            }
        }
        read
    }

    fn role(&self, sop_class: &str) -> Option<(bool, bool)> {
        self.roles.iter().find(|(of, ..)| of == sop_class).map(|(_, uses, provides)| (*uses, *provides))
    }

    fn state(&self, facts: &mut Facts<'_>) {
        for (attribute, value) in [
            (Attribute::DicomImplementationUid, self.implementation_uid.as_str()),
            (Attribute::DicomImplementationVersion, self.implementation_version.as_str()),
            (Attribute::CleartextCredential, if self.has_passcode { "dicom-user-passcode" } else { "" }),
        ] {
            if !value.is_empty() {
                facts.of_sender(attribute, value);
            }
        }
    }
}

/// A variable item or sub-item: type, reserved, length in 16 bits, body. Reserved octets are not looked at.
struct Item<'a> {
    kind: u8,
    body: &'a [u8],
}

/// Items one behind the other, up to the first that does not fit.
struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let kind = *self.0.first()?;
        let length = usize::from(be16(self.0, 2)?);
        let body = part(self.0, 4, length)?;
        self.0 = self.0.get(4 + length..)?;
        Some(Item { kind, body })
    }
}

fn items(pdu: &[u8]) -> Items<'_> {
    Items(pdu.get(HEADER_BYTES + ASSOCIATE_FIXED_BYTES..).unwrap_or_default())
}

/// A proposed presentation context: its number and abstract syntax.
fn proposed(body: &[u8]) -> Option<(u8, String)> {
    let id = *body.first()?;
    let syntax = Items(body.get(4..)?).find(|item| item.kind == 0x30)?;
    Some((id, uid(syntax.body)))
}

/// An accepted presentation context: its number and transfer syntax. The syntax of a refused one means nothing.
fn accepted(body: &[u8]) -> Option<(u8, Transfer)> {
    let (id, result) = (*body.first()?, *body.get(2)?);
    if result != 0 {
        return None;
    }
    let syntax = Items(body.get(4..)?).find(|item| item.kind == 0x40)?;
    Some((id, Transfer::from_uid(&uid(syntax.body))))
}

/// SCP/SCU role selection (PS3.7, D.3.3.4).
fn role_selection(body: &[u8]) -> Option<(String, bool, bool)> {
    let length = usize::from(be16(body, 0)?);
    let (uses, provides) = (*body.get(2 + length)? == 1, *body.get(3 + length)? == 1);
    Some((uid(part(body, 2, length)?), uses, provides))
}

/// User identity (PS3.7, D.3.3.7): whether it carries a passcode in clear. Neither name nor passcode is kept.
fn has_passcode(body: &[u8]) -> bool {
    const USER_NAME_AND_PASSCODE: u8 = 2;
    let secondary = || {
        let name = usize::from(be16(body, 2)?);
        be16(body, 4 + name)
    };
    body.first() == Some(&USER_NAME_AND_PASSCODE) && secondary().is_some_and(|length| length > 0)
}

/// An application entity title: 16 octets, padded with blanks.
fn title(pdu: &[u8], at: usize) -> String {
    part(pdu, at, 16).map(text).unwrap_or_default()
}

/// A unique identifier, without its padding; empty when it is none.
fn uid(bytes: &[u8]) -> String {
    let uid = text(bytes);
    let shaped = uid.len() <= 64 && uid.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    if shaped { uid } else { String::new() }
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).unwrap_or_default().trim_matches(['\0', ' ']).to_owned()
}
