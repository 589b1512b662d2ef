//! A device's profile: field by field what it is, or why it is not known, in the groups of the knowledge pack.

use anyhow::Context as _;
use serde_json::{Value, json};
use wardwatch_knowledge::Knowledge;

use crate::table::{Row, text};

/// The group of fields that only a pack of the site has.
const OF_THE_SITE: &str = "other";

/// A field of the profile.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Empty where it is not known.
    pub(super) value: String,
    /// `known`, `conflicting`, `not-seen` or `not-applicable`.
    pub(super) standing: String,
    /// In percent; nothing for what was read off the traffic itself.
    pub(super) confidence: Option<u64>,
    pub(super) source: String,
    pub(super) evidence: String,
    pub(super) completed_by: String,
    /// Values that others speak for.
    pub(super) rivals: Vec<Rival>,
}

/// Another value of a field.
#[derive(Debug)]
pub(super) struct Rival {
    pub(super) value: String,
    pub(super) source: String,
    pub(super) evidence: String,
    pub(super) confidence: u64,
}

/// The fields of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// The groups of a device, of the rows of `v_device_fields`; `why` are its reasons.
pub(super) fn groups(rows: &[Row], why: &[Row]) -> anyhow::Result<Vec<Group>> {
    let knowledge = Knowledge::builtin().context("the built-in knowledge cannot be read")?;
    let known = knowledge.profile();
    let place = |name: &str| known.iter().position(|field| &*field.name == name).unwrap_or(usize::MAX);
    let mut fields: Vec<Field> = rows.iter().map(|row| field(row, why)).collect();
    fields.sort_by(|a, b| place(&a.name).cmp(&place(&b.name)).then_with(|| a.name.cmp(&b.name)));
    let mut groups: Vec<Group> = Vec::new();
    for field in fields {
        // The name is how the page is called, and stands for the whole.
        let group = match known.get(place(&field.name)) {
            Some(known) => known.group.as_str(),
            None if field.name == "name" => "identity",
            None => OF_THE_SITE,
        };
        match groups.iter_mut().find(|known| known.name == group) {
            Some(known) if field.name == "name" => known.fields.insert(0, field),
            Some(known) => known.fields.push(field),
            None => groups.push(Group { name: group.to_owned(), fields: vec![field] }),
        }
    }
    Ok(groups)
}

fn field(row: &Row, why: &[Row]) -> Field {
    let name = text(row, "field");
    let value = text(row, "value");
    let mut rivals: Vec<Rival> = Vec::new();
    let percent = |row: &Row| row.get("confidence").and_then(Value::as_u64).unwrap_or(0);
    for reason in why.iter().filter(|reason| text(reason, "field") == name) {
        let other = text(reason, "value");
        // The strongest reason for a value comes first.
        if other != value && rivals.iter().all(|known| known.value != other) {
            rivals.push(Rival {
                value: other,
                source: text(reason, "statement"),
                evidence: text(reason, "evidence"),
                confidence: percent(reason),
            });
        }
    }
    let source = text(row, "source");
    Field {
        name,
        value,
        standing: text(row, "standing"),
        confidence: (!source.is_empty()).then(|| percent(row)),
        source,
        evidence: text(row, "evidence"),
        completed_by: text(row, "completed_by"),
        rivals,
    }
}

impl Field {
    /// For programs.
    pub(super) fn json(&self, group: &str) -> Value {
        let rivals = self.rivals.iter().map(|rival| {
            json!({
                "value": rival.value,
                "source": rival.source,
                "evidence": rival.evidence,
                "confidence": rival.confidence,
            })
        });
        json!({
            "group": group,
            "field": self.name,
            "value": self.value,
            "standing": self.standing,
            "confidence": self.confidence,
            "source": self.source,
            "evidence": self.evidence,
            "completed_by": self.completed_by,
            "rivals": rivals.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: Value) -> Row {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn a_conflict_keeps_its_rivals_and_a_gap_its_remedy() {
        let rows = [
            row(
                json!({ "field": "model", "value": "A", "standing": "conflicting", "source": "says so", "evidence": "dicom",
                "confidence": 90, "completed_by": "a person's decision" }),
            ),
            row(
                json!({ "field": "asset_tag", "value": "", "standing": "not-seen", "source": "", "evidence": "",
                "confidence": 0, "completed_by": "an import" }),
            ),
            row(
                json!({ "field": "of_the_site", "value": "x", "standing": "known", "source": "", "evidence": "",
                "confidence": 0, "completed_by": "" }),
            ),
        ];
        let why = [("A", 90), ("B", 90), ("B", 80)].map(|(value, confidence)| {
            row(json!({ "field": "model", "value": value, "statement": "says so", "evidence": value,
                "confidence": confidence }))
        });
        let groups = groups(&rows, &why).expect("groups");
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["classification", "maintenance", "other"]);
        let model = &groups[0].fields[0];
        let rivals: Vec<_> =
            model.rivals.iter().map(|rival| (rival.value.as_str(), rival.confidence)).collect();
        assert_eq!((model.confidence, rivals), (Some(90), vec![("B", 90)]));
        let tag = &groups[1].fields[0];
        assert_eq!((tag.confidence, tag.completed_by.as_str()), (None, "an import"));
    }
}
