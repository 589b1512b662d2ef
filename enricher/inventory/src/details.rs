//! The rest of a device's profile: the fields that have no column of their own, which fields are not known and why, and
//! how much of what applies to the device is known.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;
use wardwatch_knowledge::ProfileField;

use crate::conclusion::{Detail, DeviceRecord, Gap};
use crate::profile::Sketch;

/// Values of one field that are listed.
const MOST_VALUES: usize = 16;

/// A field of the profile that stands in the record by itself.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Reads it as text.
    read: fn(&DeviceRecord) -> Cow<'_, str>,
    /// Whether its changes are told.
    pub(crate) is_told: bool,
}

const fn told(name: &'static str, read: fn(&DeviceRecord) -> Cow<'_, str>) -> Column {
    Column { name, read, is_told: true }
}

const fn untold(name: &'static str, read: fn(&DeviceRecord) -> Cow<'_, str>) -> Column {
    Column { name, read, is_told: false }
}

/// In the order in which their changes are told.
#[rustfmt::skip]
pub(crate) const COLUMNS: &[Column] = &[
    told("name", |record| text(&record.name)),
    told("category", |record| text(&record.category)),
    told("subcategory", |record| text(&record.subcategory)),
    told("device_type", |record| text(&record.device_type)),
    told("manufacturer", |record| text(&record.manufacturer)),
    told("model", |record| text(&record.model)),
    told("serial_number", |record| text(&record.serial_number)),
    told("hardware_version", |record| text(&record.hardware_version)),
    told("firmware_version", |record| text(&record.firmware_version)),
    told("software_name", |record| text(&record.software_name)),
    told("software_version", |record| text(&record.software_version)),
    told("udi_di", |record| text(&record.udi_di)),
    told("location", |record| text(&record.location)),
    told("department", |record| text(&record.department)),
    told("institution", |record| text(&record.institution)),
    told("ips", |record| list(&record.ips)),
    told("parent", |record| text(&record.parent)),
    untold("macs", |record| list(&record.macs)),
    untold("mac_manufacturer", |record| text(&record.mac_manufacturer)),
    untold("host_names", |record| list(&record.host_names)),
    untold("vlans", |record| {
        Cow::Owned(record.vlans.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
    }),
];

/// By name.
static COLUMN: LazyLock<HashMap<&str, &Column>> =
    LazyLock::new(|| COLUMNS.iter().map(|column| (column.name, column)).collect());

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
                let values = candidates.ranked().into_iter().map(|candidate| candidate.value.into_owned());
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
        let knowledge = self.knowledge;
        self.record.details.sort_by_cached_key(|detail| knowledge.profile_place(&detail.field));
        let is_nested = !self.record.parent.is_empty();
        let (mut known, mut whole) = (0, 0);
        // Both are in the order of the profile, but for details that this profile has no place for, which come first.
        let details = &self.record.details;
        let placed = details.partition_point(|detail| knowledge.profile_place(&detail.field).is_none());
        let mut details = details.iter().skip(placed).peekable();
        for field in fields {
            let applies = field.applies_to(&self.record.category, is_nested);
            let mut has_detail = false;
            while details.next_if(|detail| *detail.field == *field.name).is_some() {
                has_detail = true;
            }
            let is_known = match COLUMN.get(&*field.name) {
                Some(column) => !(column.read)(&self.record).is_empty(),
                None => has_detail,
            };
            if applies || is_known {
                whole += field.weight;
                known += if is_known { field.weight } else { 0 };
            }
            if let Some(gap) = gap(field, applies, is_known, self.conflicts.contains(&*field.name)) {
                self.record.gaps.push(gap);
            }
        }
        self.record.visibility = (known * 100).checked_div(whole).unwrap_or_default();
    }
}

/// A field of the profile as text; empty where it is not known.
pub fn value_of<'a>(record: &'a DeviceRecord, field: &str) -> Cow<'a, str> {
    match COLUMN.get(field) {
        Some(column) => (column.read)(record),
        None => Cow::Borrowed(record.detail(field)),
    }
}

fn text(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(value)
}

fn list(values: &[String]) -> Cow<'_, str> {
    match values {
        [only] => Cow::Borrowed(only),
        _ => Cow::Owned(values.join(", ")),
    }
}

fn gap(field: &ProfileField, applies: bool, is_known: bool, is_conflicting: bool) -> Option<Gap> {
    let (reason, completed_by) = match (is_known, is_conflicting, applies) {
        (_, true, _) => ("conflicting", Arc::from("a person's decision (`wardwatch override`)")),
        (true, false, _) => return None,
        (false, false, true) => ("not-seen", Arc::clone(&field.completed_by)),
        (false, false, false) => ("not-applicable", Arc::default()),
    };
    Some(Gap { field: Arc::clone(&field.name), reason, completed_by })
}
