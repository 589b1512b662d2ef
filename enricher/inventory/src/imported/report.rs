//! What is told of a row: the device that it is about, and where the two say different things.

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::matching::{Match, folded, is_same};
use crate::choice::{trust, words};
use crate::conclusion::{Difference, RowRecord};
use crate::identity::EndpointId;
use crate::register::Register;
use crate::statement::Statement;

impl Register {
    /// A row as it stands, with what differs from what is observed of its device.
    pub(crate) fn row_record(&self, row: u32) -> Option<RowRecord> {
        let dossier = self.dossier(row)?;
        let EndpointId::Row(name, line) = &dossier.id else { return None };
        let origin = self.imports.origin(name)?;
        let found = self.match_of(row);
        let (device, by, state) = match found {
            Match::Device { device, by } => (Some(device), by.name(), "matched"),
            Match::Guess { device, by } => (Some(device), by.name(), "guessed"),
            Match::Ambiguous { by } => (None, by.name(), "ambiguous"),
            Match::NotSeen => (None, "", "not-seen"),
        };
        let differences = match found {
            Match::Device { device, .. } => self.differences_of(row, device),
            _ => Vec::new(),
        };
        let values = dossier.statements.iter().filter_map(|statement| {
            let attribute = Attribute::try_from(statement.key.attribute).ok()?;
            Some((attribute.name().to_owned(), statement.key.value.to_string()))
        });
        Some(RowRecord {
            import: name.to_string(),
            line: *line,
            source: origin.source.name().to_owned(),
            version: origin.version.to_owned(),
            author: origin.author.to_owned(),
            imported_at: origin.at,
            device: device
                .and_then(|device| self.devices.get(device as usize))
                .map(|device| device.id.to_string())
                .unwrap_or_default(),
            matched_by: by.to_owned(),
            confidence: found.confidence(),
            state: state.to_owned(),
            values: values.collect(),
            differences,
        })
    }

    /// What the row says otherwise than the device: than what is observed of it, whichever is believed.
    fn differences_of(&self, row: u32, device: u32) -> Vec<Difference> {
        let (Some(row), Some(device)) = (self.dossier(row), self.devices.get(device as usize)) else {
            return Vec::new();
        };
        let members = || device.members.iter().filter_map(|at| self.dossier(*at));
        let observed = || members().filter(|dossier| !matches!(dossier.id, EndpointId::Row(..)));
        let known = device.kept();
        let mut differences = Vec::new();
        for statement in row.statements.iter() {
            let (attribute, ..) = words(statement);
            let imported = &*statement.key.value;
            let seen: Option<String> = match attribute {
                Attribute::MacAddress => differs_from_all(&known.macs, imported),
                Attribute::IpAddress => differs_from_all(&known.ips, imported),
                _ => {
                    let said: Vec<&Statement> =
                        observed().flat_map(|dossier| dossier.statements.of(attribute.into())).collect();
                    self.is_other(attribute, statement, &said)
                }
            };
            if let Some(seen) = seen {
                differences.push(Difference {
                    field: attribute.name().to_owned(),
                    imported: imported.to_owned(),
                    observed: seen,
                });
            }
        }
        differences
    }

    /// The best observed value, where it is another. Of an attribute with many values at once, where it is none of them.
    fn is_other(&self, attribute: Attribute, imported: &Statement, said: &[&Statement]) -> Option<String> {
        let ours = self.compared(attribute, imported);
        let same = |statement: &Statement| {
            let theirs = self.compared(attribute, statement);
            match attribute {
                Attribute::Model | Attribute::Manufacturer => is_same(&ours, &theirs),
                _ => ours == theirs,
            }
        };
        let order = |statement: &Statement| {
            let trust = trust(&self.knowledge, statement);
            (trust.rank, 100_u32.saturating_sub(trust.confidence))
        };
        // As `choice` has it: the best source, then the newest.
        let best = said.iter().min_by(|a, b| {
            order(a)
                .cmp(&order(b))
                .then_with(|| b.first_seen.cmp(&a.first_seen))
                .then_with(|| a.key.cmp(&b.key))
        })?;
        let agrees = if self.knowledge.has_many_values(attribute) {
            said.iter().any(|statement| same(statement))
        } else {
            same(best)
        };
        if agrees {
            return None;
        }
        let protocol = Protocol::try_from(best.key.protocol).unwrap_or_default();
        let spelled = (attribute == Attribute::Manufacturer)
            .then(|| self.knowledge.manufacturer(&best.key.value, protocol))
            .flatten();
        Some(spelled.unwrap_or(&best.key.value).to_owned())
    }
}

/// What there is, where it is something else.
fn differs_from_all(there: &[String], imported: &str) -> Option<String> {
    let is_there = there
        .iter()
        .any(|known| folded(Attribute::IpAddress, known) == folded(Attribute::IpAddress, imported));
    (!there.is_empty() && !is_there).then(|| there.join(", "))
}
