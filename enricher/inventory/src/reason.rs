//! Why a value is believed: kept as what it is about, and put into words when it is told. Of all candidates few are.

use wardwatch_knowledge::{Said, known_by};
use wardwatch_proto::address;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::identity::Mac;

/// The reason, in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because<'a> {
    /// In the words of the knowledge, or of this crate.
    Words(&'a str),
    /// Somebody said so.
    Said(Role, Protocol),
    /// The imported table of this name says so.
    Table(&'a str),
    /// The value of this attribute is assigned to the maker.
    Assigned(Attribute),
    /// No other maker's devices say so in this protocol.
    OneMaker(Protocol),
}

/// The fact behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis<'a> {
    Said(Said<'a>),
    /// What was said, and the signature that knows it.
    Derived(Said<'a>, &'a str),
    Mac(Mac),
}

// Each in one piece: this is done for every reason whenever a device is described.
impl Because<'_> {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Words(words) => (*words).to_owned(),
            Self::Said(role, protocol) => {
                let teller = match role {
                    Role::Sender | Role::Unspecified => "says so itself, in ",
                    Role::Peer => "its peer says so, in ",
                    Role::Third => "another device says so, in ",
                };
                [teller, spell(*protocol)].concat()
            }
            Self::Table(name) => format!("the imported table {name:?} says so"),
            Self::Assigned(attribute) => {
                format!("its {} is this maker's", attribute.name().replace('_', " "))
            }
            Self::OneMaker(protocol) => ["only this maker's devices say so in ", spell(*protocol)].concat(),
        }
    }
}

impl Basis<'_> {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Said(said) => said.words(),
            Self::Derived(said, signature) => known_by(said, signature),
            Self::Mac(mac) => format!("mac {}", address::mac_text(mac)),
        }
    }
}

fn spell(protocol: Protocol) -> &'static str {
    match protocol.name() {
        "" => "an unnamed protocol",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_sentences() {
        let told = |because: Because<'_>| because.words();
        assert_eq!(told(Because::Said(Role::Sender, Protocol::Dicom)), "says so itself, in dicom");
        assert_eq!(
            told(Because::Said(Role::Third, Protocol::Unspecified)),
            "another device says so, in an unnamed protocol"
        );
        assert_eq!(told(Because::Table("cmms")), "the imported table \"cmms\" says so");
        assert_eq!(
            told(Because::Assigned(Attribute::BacnetVendorId)),
            "its bacnet vendor id is this maker's"
        );
        assert_eq!(Basis::Mac([0, 9, 0xfb, 0, 0, 1]).words(), "mac 00:09:fb:00:00:01");
    }
}
