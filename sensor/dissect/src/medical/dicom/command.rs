//! Command sets (PS3.7, chapters 6.3, 9.3, 10.3 and annex E): always implicit VR little endian, whatever was
//! negotiated for the datasets.

use wardwatch_proto::v1::Attribute;

use super::dataset::{Place, Tag, Visitor, Want};
use super::service::{Service, service};
use crate::Facts;

/// What a command asks for or answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Operation {
    Store,
    Get,
    Find,
    Move,
    Create,
    Set,
    /// N-GET: attributes of an object that the other end keeps about itself.
    Read,
    #[default]
    Other,
}

/// A command, as far as it is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Command {
    pub(super) operation: Operation,
    pub(super) is_response: bool,
    /// A dataset follows.
    pub(super) has_dataset: bool,
    /// A C-STORE that carries out somebody else's C-MOVE.
    pub(super) is_sub_operation: bool,
    pub(super) sop_class: String,
    /// The title that a C-MOVE wants the objects sent to.
    destination: String,
}

const SOP_CLASS: Tag = Tag(0x0000, 0x0002);
const FIELD: Tag = Tag(0x0000, 0x0100);
const DESTINATION: Tag = Tag(0x0000, 0x0600);
const DATASET_TYPE: Tag = Tag(0x0000, 0x0800);
const ORIGINATOR: Tag = Tag(0x0000, 0x1030);

/// The dataset type of a command without dataset.
const NO_DATASET: u16 = 0x0101;

impl Visitor for Command {
    fn want(&mut self, place: Place, tag: Tag, _length: u32) -> Want {
        match (place, tag) {
            (Place::Root, SOP_CLASS | FIELD | DESTINATION | DATASET_TYPE | ORIGINATOR) => Want::Value,
            _ => Want::Nothing,
        }
    }

    fn value(&mut self, _place: Place, tag: Tag, value: &[u8]) {
        let number = || value.try_into().map(u16::from_le_bytes).unwrap_or_default();
        let text = || std::str::from_utf8(value).unwrap_or_default().trim_matches(['\0', ' ']).to_owned();
        match tag {
            SOP_CLASS => self.sop_class = text(),
            FIELD => {
                self.is_response = number() & 0x8000 != 0;
                self.operation = operation(number() & 0x7FFF);
            }
            DESTINATION => self.destination = text(),
            DATASET_TYPE => self.has_dataset = number() != NO_DATASET,
            _ => self.is_sub_operation = !text().is_empty(),
        }
    }
}

impl Command {
    /// Whether its dataset holds keys or matches of a query rather than an object.
    pub(super) fn is_query(&self) -> bool {
        matches!(self.operation, Operation::Find | Operation::Move | Operation::Get)
    }

    /// States what the command says: the class of an object that is stored, the system that objects are moved to,
    /// and, where the negotiation was not seen, the roles of both ends.
    pub(super) fn state(&self, calling: &str, was_negotiated: bool, facts: &mut Facts<'_>) {
        if self.operation == Operation::Store && !self.is_response {
            facts.of_sender(Attribute::DicomSopClass, &self.sop_class);
        }
        if self.operation == Operation::Move && !self.destination.is_empty() && self.destination != calling {
            let key = Facts::third_key("ae", &[(Attribute::DicomAeTitle, &self.destination)]);
            facts.of_third(&key, Attribute::DicomAeTitle, &self.destination);
        }
        if !was_negotiated && self.operation != Operation::Other {
            let of =
                if self.operation == Operation::Store { Service::Storage } else { service(&self.sop_class) };
            facts.of_sender(Attribute::Role, if self.is_response { of.provider() } else { of.user() });
        }
    }
}

fn operation(code: u16) -> Operation {
    match code {
        0x0001 => Operation::Store,
        0x0010 => Operation::Get,
        0x0020 => Operation::Find,
        0x0021 => Operation::Move,
        0x0110 => Operation::Read,
        0x0120 => Operation::Set,
        0x0140 => Operation::Create,
        _ => Operation::Other,
    }
}
