//! Whom an answer describes where one address speaks for several devices: a gateway to a field bus, a rack of modules.

use wardwatch_proto::v1::Attribute;

use crate::Facts;

/// The device that an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// The one that sent it.
    Sender,
    /// One behind it, by this key: `modbus=17`.
    Behind(String),
}

impl Whom {
    pub(super) fn state(&self, attribute: Attribute, value: &str, facts: &mut Facts<'_>) {
        match self {
            Self::Sender => facts.of_sender(attribute, value),
            Self::Behind(key) => facts.of_third(key, attribute, value),
        }
    }
}
