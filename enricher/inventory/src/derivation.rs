//! What signatures conclude from the statements about a device, as candidates of its fields.

use wardwatch_knowledge::{Derived, Knowledge, describe_derived};
use wardwatch_proto::v1::Attribute;

use crate::choice::{Candidate, words};
use crate::profile::said;
use crate::statement::Statement;

/// What signatures say of one device.
pub(crate) struct Derivations<'a> {
    knowledge: &'a Knowledge,
    list: Vec<(&'a Statement, Derived<'a>)>,
}

impl<'a> Derivations<'a> {
    /// Holds each statement against the signatures. One that several sensors heard is held against them for each: they
    /// may have heard it at other times.
    pub(crate) fn of(statements: &[&'a Statement], knowledge: &'a Knowledge) -> Self {
        let derive = |statement: &&'a Statement| {
            let statement = *statement;
            let (attribute, protocol, role) = words(statement);
            let derived = knowledge.derive(&said(statement, attribute, protocol, role));
            derived.into_iter().map(move |derived| (statement, derived))
        };
        Self { knowledge, list: statements.iter().flat_map(derive).collect() }
    }

    /// What they say of an attribute.
    pub(crate) fn candidates(&self, attribute: Attribute) -> impl Iterator<Item = Candidate> {
        self.list.iter().flat_map(move |(statement, derived)| {
            let values = derived.values.iter().filter(move |(of, _)| *of == attribute);
            values.map(move |(_, value)| self.candidate(statement, derived, attribute, value))
        })
    }

    fn candidate(
        &self,
        statement: &Statement,
        derived: &Derived<'_>,
        attribute: Attribute,
        value: &str,
    ) -> Candidate {
        let (of, protocol, role) = words(statement);
        Candidate {
            value: value.to_owned(),
            trust: self.knowledge.trust_of_signature(attribute, derived.confidence, role),
            first_seen: statement.first_seen,
            last_seen: statement.last_seen,
            because: derived.because.to_owned(),
            evidence: describe_derived(&said(statement, of, protocol, role), derived.signature),
        }
    }
}
