//! What is kept of a device's record: by what changes are told, and what others say of the device in short.
//!
//! A whole record is several kilobytes, most of them reasons and gaps, which follow from the evidence and the knowledge.
//! So it is made anew by [`crate::profile`] whenever a row is to be written. What is kept is a record, too, with these fields
//! left out, and as small as it is on the wire.

use std::mem::swap;

use prost::{DecodeError, Message as _};
use uuid::Uuid;

use crate::conclusion::DeviceRecord;

/// A device as it was last concluded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// A [`DeviceRecord`], encoded, without what is left out.
    kept: Box<[u8]>,
    /// The device that it turned out to be part of.
    pub(crate) superseded_by: Option<Uuid>,
    /// Event time, as is the next.
    pub(crate) first_seen: u64,
    pub(crate) last_seen: u64,
    /// Whether it was ever told of.
    pub(crate) has_appeared: bool,
}

/// What is not kept, or beside the encoded record: it goes from one to the other.
fn swap_left_out(one: &mut DeviceRecord, other: &mut DeviceRecord) {
    swap(&mut one.id, &mut other.id);
    swap(&mut one.superseded_by, &mut other.superseded_by);
    swap(&mut one.first_seen, &mut other.first_seen);
    swap(&mut one.last_seen, &mut other.last_seen);
    swap(&mut one.host_names, &mut other.host_names);
    swap(&mut one.roles, &mut other.roles);
    swap(&mut one.mac_manufacturer, &mut other.mac_manufacturer);
    swap(&mut one.vlans, &mut other.vlans);
    swap(&mut one.sensors, &mut other.sensors);
    swap(&mut one.protocols, &mut other.protocols);
    swap(&mut one.path, &mut other.path);
    swap(&mut one.factors, &mut other.factors);
    swap(&mut one.confidence, &mut other.confidence);
    swap(&mut one.why, &mut other.why);
    swap(&mut one.knowledge, &mut other.knowledge);
    swap(&mut one.gaps, &mut other.gaps);
    swap(&mut one.visibility, &mut other.visibility);
    swap(&mut one.details, &mut other.details);
}

impl Known {
    /// Keeps what is needed of a record, which is as it was in the end. `is_kept` says which
    /// details are.
    pub(crate) fn of(record: &mut DeviceRecord, is_kept: impl Fn(&str) -> bool) -> Self {
        let mut aside = DeviceRecord::default();
        swap_left_out(record, &mut aside);
        let mut kept = record.encode_to_vec();
        for detail in aside.details.iter().filter(|detail| is_kept(&detail.field)) {
            prost::encoding::message::encode(DeviceRecord::DETAILS, detail, &mut kept);
        }
        let known = Self {
            kept: kept.into_boxed_slice(),
            superseded_by: Uuid::parse_str(&aside.superseded_by).ok(),
            first_seen: aside.first_seen,
            last_seen: aside.last_seen,
            has_appeared: !aside.id.is_empty(),
        };
        swap_left_out(record, &mut aside);
        known
    }

    /// Whether everything that was kept is the same.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        self.kept == other.kept
    }

    /// The record of the device of this id, as far as it was kept.
    pub(crate) fn record(&self, id: &str) -> DeviceRecord {
        // It was encoded here, or decoded before it was kept.
        let kept = DeviceRecord::decode(&*self.kept).unwrap_or_default();
        DeviceRecord { id: id.to_owned(), ..self.beside(kept) }
    }

    /// As it is stored: the record of the device of this id, as far as it was kept.
    pub(crate) fn to_stored(&self, id: &str) -> Vec<u8> {
        let beside = DeviceRecord { id: id.to_owned(), ..self.beside(DeviceRecord::default()) };
        // One message after another is both in one.
        let mut stored = Vec::with_capacity(self.kept.len() + beside.encoded_len());
        stored.extend_from_slice(&self.kept);
        stored.extend_from_slice(&beside.encode_to_vec());
        stored
    }

    /// From a stored record, whole or as far as it was kept; and that record.
    pub(crate) fn from_stored(stored: &[u8]) -> Result<(Self, DeviceRecord), DecodeError> {
        let mut record = DeviceRecord::decode(stored)?;
        Ok((Self::of(&mut record, |_| true), record))
    }

    fn beside(&self, kept: DeviceRecord) -> DeviceRecord {
        DeviceRecord {
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            superseded_by: self.superseded_by.map(|whole| whole.to_string()).unwrap_or_default(),
            ..kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conclusion::{Detail, Gap, Why};

    fn whole() -> DeviceRecord {
        DeviceRecord {
            id: "d".into(),
            name: "ct-1".into(),
            ips: vec!["10.0.0.1".into()],
            macs: vec!["00:09:fb:00:00:01".into()],
            score: 30,
            first_seen: 7,
            last_seen: 9,
            superseded_by: Uuid::nil().to_string(),
            details: ["room", "consequence"]
                .map(|field| Detail { field: field.into(), value: "3".into() })
                .to_vec(),
            why: vec![Why { field: "name".into(), ..Why::default() }],
            gaps: vec![Gap { field: "model".into(), ..Gap::default() }],
            visibility: 50,
            ..DeviceRecord::default()
        }
    }

    #[test]
    fn what_changes_are_told_by_is_kept_and_reasons_are_not() {
        let mut record = whole();
        let known = Known::of(&mut record, |detail| detail == "room");
        assert_eq!(record, whole(), "the record itself is as it was");
        let kept = known.record("d");
        let details = whole().details.into_iter().take(1).collect();
        let told = DeviceRecord { why: vec![], gaps: vec![], visibility: 0, details, ..whole() };
        assert_eq!(kept, told);
        assert!(known.has_appeared);
    }

    #[test]
    fn what_is_stored_is_known_again_and_whole_records_are_still_read() {
        let known = Known::of(&mut whole(), |_| true);
        assert_eq!(Known::from_stored(&known.to_stored("d")).expect("ours").0, known);
        assert_eq!(Known::from_stored(&whole().encode_to_vec()).expect("a former version's").0, known);
        assert!(Known::from_stored(&[0xff]).is_err());
        assert!(!Known::default().has_appeared);
    }
}
