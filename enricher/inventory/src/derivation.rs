//! What signatures conclude from the statements about a device, as candidates of its fields.

use std::borrow::Cow;

use wardwatch_knowledge::{Derived, Knowledge, Said};
use wardwatch_proto::v1::Attribute;

use crate::belief::said;
use crate::choice::{Candidate, words};
use crate::reason::{Basis, Because};
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
            let derived = knowledge.derive(&said(statement));
            derived.into_iter().map(move |derived| (statement, derived))
        };
        Self { knowledge, list: statements.iter().flat_map(derive).collect() }
    }

    /// What was said, and what they say to that.
    pub(crate) fn readings(&self) -> Vec<(Said<'a>, &Derived<'a>)> {
        self.list.iter().map(|(statement, derived)| (said(statement), derived)).collect()
    }

    /// What they say of an attribute.
    pub(crate) fn candidates(&self, attribute: Attribute) -> impl Iterator<Item = Candidate<'a>> {
        self.list.iter().flat_map(move |(statement, derived)| {
            let values = derived.values.iter().filter(move |(of, _)| *of == attribute);
            values.map(move |(_, value)| self.candidate(statement, derived, attribute, value))
        })
    }

    fn candidate(
        &self,
        statement: &'a Statement,
        derived: &Derived<'a>,
        attribute: Attribute,
        value: &str,
    ) -> Candidate<'a> {
        let (_, _, role) = words(statement);
        Candidate {
            value: Cow::Owned(value.to_owned()),
            trust: self.knowledge.trust_of_signature(attribute, derived.confidence, role),
            first_seen: statement.first_seen,
            last_seen: statement.last_hour(),
            because: Because::Words(derived.because),
            evidence: Basis::Derived(said(statement), derived.signature),
        }
    }
}
