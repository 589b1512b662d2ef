//! What is said of whom, in few words, so that an oracle's reading of a field and the sensor's can be compared.

use std::collections::BTreeSet;

use wardwatch_proto::address::{ip_text, mac_text};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Fact, Protocol, Subject};

use super::stated;

/// One field of one protocol said this of one device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The field: protocol and attribute.
    pub field: Field,
    /// The device: its IP address; in DHCP, whose clients have none yet, and on the link its MAC address; and where one device speaks
    /// for another, what tells that one apart.
    pub subject: String,
    /// What is said.
    pub value: String,
}

/// A field that an oracle reads as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// The protocol.
    pub protocol: Protocol,
    /// The attribute that the sensor makes of it.
    pub attribute: Attribute,
}

impl Field {
    /// A field's name for people: `tls tls_server_name`.
    pub fn name(self) -> String {
        format!("{} {}", self.protocol.name(), self.attribute.name())
    }
}

/// What an oracle says; see [`Statement`].
#[derive(Debug, Default)]
pub struct Statements(pub BTreeSet<Statement>);

impl Statements {
    /// Adds a statement, without the blanks around it; nothing where nothing is said.
    pub fn say(&mut self, protocol: Protocol, attribute: Attribute, subject: &str, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            let field = Field { protocol, attribute };
            self.0.insert(Statement { field, subject: subject.to_owned(), value: value.to_owned() });
        }
    }
}

/// What the sensor states, in the same form.
pub fn of_sensor(facts: &[Fact]) -> BTreeSet<Statement> {
    let statements = stated::observations(facts).map(|observation| {
        let field = Field { protocol: observation.protocol(), attribute: observation.attribute() };
        let Subject { endpoint, key, .. } = observation.subject.clone().unwrap_or_default();
        let endpoint = endpoint.unwrap_or_default();
        // On the link, and before it has an IP address, a device is known by its hardware's.
        let is_by_hardware = matches!(field.protocol, Protocol::Dhcp | Protocol::ProfinetDcp);
        let address = if is_by_hardware { mac_text(&endpoint.mac) } else { ip_text(&endpoint.ip) };
        let subject = format!("{address} {key}").trim().to_owned();
        Statement { field, subject, value: observation.value.clone() }
    });
    statements.collect()
}
