//! The rest of a device's profile: the fields that have no column of their own, which fields are not known and why, and
//! how much of what applies to the device is known.

use std::collections::BTreeSet;

use wardwatch_knowledge::ProfileField;

use crate::conclusion::{Detail, DeviceRecord, Gap};
use crate::profile::Sketch;

/// Values of one field that are listed.
const MOST_VALUES: usize = 16;

/// Reads a field of a record as text.
pub(crate) type Read = fn(&DeviceRecord) -> String;

/// The fields of the profile that stand in the record by themselves.
#[rustfmt::skip]
pub(crate) const COLUMNS: &[(&str, Read)] = &[
    ("name", |record| record.name.clone()),
    ("category", |record| record.category.clone()),
    ("subcategory", |record| record.subcategory.clone()),
    ("device_type", |record| record.device_type.clone()),
    ("manufacturer", |record| record.manufacturer.clone()),
    ("model", |record| record.model.clone()),
    ("serial_number", |record| record.serial_number.clone()),
    ("hardware_version", |record| record.hardware_version.clone()),
    ("firmware_version", |record| record.firmware_version.clone()),
    ("software_name", |record| record.software_name.clone()),
    ("software_version", |record| record.software_version.clone()),
    ("udi_di", |record| record.udi_di.clone()),
    ("location", |record| record.location.clone()),
    ("department", |record| record.department.clone()),
    ("institution", |record| record.institution.clone()),
    ("ips", |record| record.ips.join(", ")),
    ("parent", |record| record.parent.clone()),
    ("macs", |record| record.macs.join(", ")),
    ("mac_manufacturer", |record| record.mac_manufacturer.clone()),
    ("host_names", |record| record.host_names.join(", ")),
    ("vlans", |record| record.vlans.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
];

impl Sketch<'_> {
    /// Fills in what is said of the fields that are an attribute and nothing more, and what people decided of those that
    /// nothing was concluded of.
    pub(crate) fn said_details(&mut self) {
        let knowledge = self.knowledge;
        for field in knowledge.profile() {
            let Some(attribute) = field.attribute else {
                if value_of(&self.record, &field.name).is_empty()
                    && let Some(value) = self.decided(&field.name)
                {
                    self.detail(&field.name, value);
                }
                continue;
            };
            let mut candidates = self.said_or_derived(attribute);
            if let Some(other) = field.otherwise.filter(|_| candidates.is_empty()) {
                candidates = self.said_or_derived(other);
            }
            let value = if knowledge.has_many_values(attribute) && self.decision(&field.name).is_none() {
                let values = candidates.ranked().into_iter().map(|candidate| candidate.value);
                values.take(MOST_VALUES).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
            } else {
                self.believe(&field.name, candidates)
            };
            self.detail(&field.name, value);
        }
    }

    /// Sets a field that has no column of its own; nothing for an empty value.
    pub(crate) fn detail(&mut self, field: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.record.details.push(Detail { field: field.to_owned(), value });
        }
    }

    /// What is missing, and how much is known. The last step: it looks at all others.
    pub(crate) fn completeness(&mut self) {
        let fields = self.knowledge.profile();
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        self.record.details.sort_by_key(|detail| place(&detail.field));
        let is_nested = !self.record.parent.is_empty();
        let (mut known, mut whole) = (0, 0);
        for field in fields {
            let applies = field.applies_to(&self.record.category, is_nested);
            let is_known = !value_of(&self.record, &field.name).is_empty();
            if applies || is_known {
                whole += field.weight;
                known += if is_known { field.weight } else { 0 };
            }
            if let Some(gap) = gap(field, applies, is_known, self.conflicts.contains(&field.name)) {
                self.record.gaps.push(gap);
            }
        }
        self.record.visibility = (known * 100).checked_div(whole).unwrap_or_default();
    }
}

/// A field of the profile as text; empty where it is not known.
pub fn value_of(record: &DeviceRecord, field: &str) -> String {
    match COLUMNS.iter().find(|(name, _)| *name == field) {
        Some((_, read)) => read(record),
        None => record.detail(field).to_owned(),
    }
}

fn gap(field: &ProfileField, applies: bool, is_known: bool, is_conflicting: bool) -> Option<Gap> {
    let (reason, completed_by) = match (is_known, is_conflicting, applies) {
        (_, true, _) => ("conflicting", "a person's decision (`wardwatch override`)"),
        (true, false, _) => return None,
        (false, false, true) => ("not-seen", field.completed_by.as_str()),
        (false, false, false) => ("not-applicable", ""),
    };
    Some(Gap { field: field.name.clone(), reason: reason.to_owned(), completed_by: completed_by.to_owned() })
}
