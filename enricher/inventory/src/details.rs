//! The rest of a device's profile: the fields that have no column of their own, which fields are not known and why, and
//! how much of what applies to the device is known.

use std::collections::BTreeSet;

use wardwatch_knowledge::ProfileField;

use crate::conclusion::{Detail, DeviceRecord, Gap};
use crate::profile::Sketch;

/// Values of one field that are listed.
const MOST_VALUES: usize = 16;

/// A field of the profile that stands in the record by itself.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Reads it as text.
    read: fn(&DeviceRecord) -> String,
    /// Whether its changes are told.
    pub(crate) is_told: bool,
}

const fn told(name: &'static str, read: fn(&DeviceRecord) -> String) -> Column {
    Column { name, read, is_told: true }
}

const fn untold(name: &'static str, read: fn(&DeviceRecord) -> String) -> Column {
    Column { name, read, is_told: false }
}

/// In the order in which their changes are told.
#[rustfmt::skip]
pub(crate) const COLUMNS: &[Column] = &[
    told("name", |record| record.name.clone()),
    told("category", |record| record.category.clone()),
    told("subcategory", |record| record.subcategory.clone()),
    told("device_type", |record| record.device_type.clone()),
    told("manufacturer", |record| record.manufacturer.clone()),
    told("model", |record| record.model.clone()),
    told("serial_number", |record| record.serial_number.clone()),
    told("hardware_version", |record| record.hardware_version.clone()),
    told("firmware_version", |record| record.firmware_version.clone()),
    told("software_name", |record| record.software_name.clone()),
    told("software_version", |record| record.software_version.clone()),
    told("udi_di", |record| record.udi_di.clone()),
    told("location", |record| record.location.clone()),
    told("department", |record| record.department.clone()),
    told("institution", |record| record.institution.clone()),
    told("ips", |record| record.ips.join(", ")),
    told("parent", |record| record.parent.clone()),
    untold("macs", |record| record.macs.join(", ")),
    untold("mac_manufacturer", |record| record.mac_manufacturer.clone()),
    untold("host_names", |record| record.host_names.join(", ")),
    untold("vlans", |record| record.vlans.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
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
            if !self.record.detail(&field.name).is_empty() {
                // It was heard on the network, which tables do not outdo.
                continue;
            }
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
    match COLUMNS.iter().find(|column| column.name == field) {
        Some(column) => (column.read)(record),
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
