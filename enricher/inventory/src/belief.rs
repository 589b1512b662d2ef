//! Which of the values that are said of each attribute a device shows, and why.

use std::borrow::Cow;

use wardwatch_knowledge::{DicomRoot, Field, Said, Source};
use wardwatch_proto::attribute::is_table;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use crate::choice::{Candidate, Candidates, trust, words};
use crate::chosen::Chosen;
use crate::conclusion::DeviceRecord;
use crate::decision::Decision;
use crate::profile::Sketch;
use crate::reason::{Basis, Because};
use crate::statement::Statement;

/// Reasons that are given for one field.
pub(crate) const MOST_REASONS: usize = 8;
/// Host names that are listed.
const MOST_NAMES: usize = 16;

/// Where a field stands in a record.
type Place = fn(&mut DeviceRecord) -> &mut String;

/// The fields that hold what is said of one attribute.
const FIELDS: &[(&str, Attribute, Place)] = &[
    ("model", Attribute::Model, |record| &mut record.model),
    ("serial_number", Attribute::SerialNumber, |record| &mut record.serial_number),
    ("hardware_version", Attribute::HardwareVersion, |record| &mut record.hardware_version),
    ("firmware_version", Attribute::FirmwareVersion, |record| &mut record.firmware_version),
    ("software_version", Attribute::SoftwareVersion, |record| &mut record.software_version),
    ("udi_di", Attribute::UdiDi, |record| &mut record.udi_di),
    ("location", Attribute::Location, |record| &mut record.location),
    ("department", Attribute::Department, |record| &mut record.department),
    ("institution", Attribute::Institution, |record| &mut record.institution),
];

/// What stands for a model that is not named, the best first.
const MODEL_NUMBERS: &[Attribute] = &[Attribute::ModelNumber, Attribute::PartNumber, Attribute::OrderNumber];

impl<'a> Sketch<'a> {
    /// What is said of an attribute, as candidates.
    pub(crate) fn candidates(&self, attribute: Attribute) -> Candidates<'a> {
        let mut candidates = Candidates::default();
        for statement in self.about(attribute) {
            candidates.add(self.candidate(statement, &*statement.key.value, None));
        }
        candidates
    }

    /// What is said of an attribute, and what signatures say of it.
    pub(crate) fn said_or_derived(&self, attribute: Attribute) -> Candidates<'a> {
        let mut candidates = self.candidates(attribute);
        self.derived.candidates(attribute).for_each(|derived| candidates.add(derived));
        candidates
    }

    /// What is said of an attribute.
    pub(crate) fn about(&self, attribute: Attribute) -> impl Iterator<Item = &'a Statement> {
        let number = i32::from(attribute);
        let start = self.statements.partition_point(|statement| statement.key.attribute < number);
        let rest = self.statements.get(start..).unwrap_or_default();
        rest.iter().take_while(move |statement| statement.key.attribute == number).copied()
    }

    /// A value that a statement speaks for, directly or by way of a table.
    pub(crate) fn candidate(
        &self,
        statement: &'a Statement,
        value: impl Into<Cow<'a, str>>,
        by: Option<(Attribute, Source, Because<'a>)>,
    ) -> Candidate<'a> {
        let (_, protocol, role) = words(statement);
        let (trust, because) = match by {
            Some((of, source, because)) => (self.knowledge.trust(of, source, role), because),
            None if is_table(protocol) => {
                (trust(self.knowledge, statement), Because::Table(&statement.key.sensor))
            }
            None => (trust(self.knowledge, statement), Because::Said(role, protocol)),
        };
        Candidate {
            value: value.into(),
            trust,
            first_seen: statement.first_seen,
            last_seen: statement.last_hour(),
            because,
            evidence: Basis::Said(said(statement)),
        }
    }

    /// Fills in the fields that hold what is said of one attribute.
    pub(crate) fn fields(&mut self) {
        for (name, attribute, field) in FIELDS {
            let mut candidates = self.said_or_derived(*attribute);
            if *attribute == Attribute::Model {
                // Some makers give the number of the product and no name.
                for number in MODEL_NUMBERS {
                    if candidates.is_empty() {
                        candidates = self.said_or_derived(*number);
                    }
                }
            }
            let value = self.believe(name, candidates);
            *field(&mut self.record) = value;
        }
        let mut software = self.said_or_derived(Attribute::SoftwareName);
        for statement in self.about(Attribute::DicomImplementationUid) {
            if let Some(DicomRoot::Software(name)) = self.knowledge.dicom_root(&statement.key.value) {
                let by = (
                    Attribute::SoftwareName,
                    Source::DicomRoot,
                    Because::Words("its DICOM implementation is of this software's root"),
                );
                software.add(self.candidate(statement, name.as_str(), Some(by)));
            }
        }
        self.record.software_name = self.believe("software_name", software);
        let names = self.candidates(Attribute::HostName).ranked();
        self.record.host_names =
            names.into_iter().take(MOST_NAMES).map(|candidate| candidate.value.into_owned()).collect();
    }

    /// What a person decided about a field.
    pub(crate) fn decision(&self, field: &str) -> Option<&Decision> {
        self.decisions.get(field).copied()
    }

    /// What a person decided about a field, which goes on record.
    pub(crate) fn decided(&mut self, field: &str) -> Option<String> {
        let decision = self.decisions.get(field)?;
        self.record.why.push(decision.why(field));
        Some(decision.value.clone())
    }

    /// What a person decided, else the best candidate's value; the reasons for it and for its rivals go on record.
    pub(crate) fn believe(&mut self, field: &str, candidates: Candidates<'a>) -> String {
        let decided = self.decided(field);
        if candidates.is_empty() {
            return decided.unwrap_or_default();
        }
        if decided.is_none() && candidates.is_conflicting() {
            self.conflicts.insert(field.to_owned());
        }
        let best = decided
            .or_else(|| candidates.best().map(|candidate| candidate.value.to_string()))
            .unwrap_or_default();
        let (chosen, rivals): (Vec<_>, Vec<_>) =
            candidates.ranked().into_iter().partition(|candidate| candidate.value == best);
        let reasons = chosen.into_iter().chain(rivals).take(MOST_REASONS);
        self.record.why.extend(reasons.map(|candidate| candidate.why(field)));
        best
    }

    /// Of each attribute that has one value at a time, the one that is shown.
    pub(crate) fn chosen(&self) -> Chosen {
        let said = self.statements.iter().map(|statement| words(statement).0);
        let decided = self.decisions.keys().filter_map(|field| Attribute::from_name(field));
        let mut all: Vec<Attribute> = said.chain(decided).collect();
        all.sort_unstable();
        all.dedup();
        let single = all.into_iter().filter(|attribute| !self.knowledge.has_many_values(*attribute));
        Chosen::of(single.filter_map(|attribute| {
            let decided = self.decision(attribute.name()).map(|decision| Cow::from(&decision.value));
            let best = decided.or_else(|| Some(self.candidates(attribute).best()?.value.clone()))?;
            Some((i32::from(attribute), best))
        }))
    }
}

/// A statement as the knowledge looks at it.
pub(crate) fn said(statement: &Statement) -> Said<'_> {
    let (attribute, protocol, role) = words(statement);
    Said {
        field: Field::Stated(attribute),
        value: &statement.key.value,
        protocol,
        told_by: role,
        last_seen: statement.last_hour(),
    }
}
