//! What is kept of a device's record: by what changes are told, and what others say of the device in short.
//!
//! A whole record is several kilobytes, most of them reasons and gaps, which follow from the evidence and the knowledge.
//! So it is made anew by [`crate::profile`] whenever a row is to be written. What is kept is encoded, as small as it is on
//! the wire.

use std::mem::swap;

use prost::{DecodeError, Message as _};
use uuid::Uuid;

use crate::conclusion::{Detail, DeviceRecord};

/// A device as it was last concluded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// A [`Kept`], encoded, without what stands below.
    kept: Box<[u8]>,
    /// The device that it turned out to be part of.
    pub(crate) superseded_by: Option<Uuid>,
    /// Event time, as is the next.
    pub(crate) first_seen: u64,
    pub(crate) last_seen: u64,
    /// Whether it was ever told of.
    pub(crate) has_appeared: bool,
}

/// What is kept of a [`DeviceRecord`], as it is stored. Former versions stored the whole record under the same tags.
#[derive(Clone, PartialEq, prost::Message)]
struct Kept {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    category: String,
    #[prost(string, tag = "4")]
    subcategory: String,
    #[prost(string, tag = "5")]
    device_type: String,
    #[prost(string, tag = "6")]
    manufacturer: String,
    #[prost(string, tag = "7")]
    model: String,
    #[prost(string, tag = "8")]
    serial_number: String,
    #[prost(string, tag = "9")]
    hardware_version: String,
    #[prost(string, tag = "10")]
    firmware_version: String,
    #[prost(string, tag = "11")]
    software_name: String,
    #[prost(string, tag = "12")]
    software_version: String,
    #[prost(string, tag = "13")]
    udi_di: String,
    #[prost(string, tag = "14")]
    location: String,
    #[prost(string, tag = "15")]
    department: String,
    #[prost(string, tag = "16")]
    institution: String,
    #[prost(string, repeated, tag = "19")]
    macs: Vec<String>,
    #[prost(string, repeated, tag = "20")]
    ips: Vec<String>,
    #[prost(string, tag = "25")]
    parent: String,
    #[prost(fixed64, tag = "27")]
    first_seen: u64,
    #[prost(fixed64, tag = "28")]
    last_seen: u64,
    #[prost(uint32, tag = "29")]
    score: u32,
    #[prost(string, tag = "34")]
    superseded_by: String,
    #[prost(message, repeated, tag = "35")]
    details: Vec<Detail>,
    #[prost(string, repeated, tag = "38")]
    scopes: Vec<String>,
}

impl Kept {
    /// The tag of `details`.
    const DETAILS: u32 = 35;

    /// Lends what both have to the other and back again, so that nothing is copied. What lies beside the encoded record
    /// is not among it, nor are the details, of which some are kept.
    fn swap(&mut self, record: &mut DeviceRecord) {
        swap(&mut self.name, &mut record.name);
        swap(&mut self.category, &mut record.category);
        swap(&mut self.subcategory, &mut record.subcategory);
        swap(&mut self.device_type, &mut record.device_type);
        swap(&mut self.manufacturer, &mut record.manufacturer);
        swap(&mut self.model, &mut record.model);
        swap(&mut self.serial_number, &mut record.serial_number);
        swap(&mut self.hardware_version, &mut record.hardware_version);
        swap(&mut self.firmware_version, &mut record.firmware_version);
        swap(&mut self.software_name, &mut record.software_name);
        swap(&mut self.software_version, &mut record.software_version);
        swap(&mut self.udi_di, &mut record.udi_di);
        swap(&mut self.location, &mut record.location);
        swap(&mut self.department, &mut record.department);
        swap(&mut self.institution, &mut record.institution);
        swap(&mut self.macs, &mut record.macs);
        swap(&mut self.ips, &mut record.ips);
        swap(&mut self.parent, &mut record.parent);
        swap(&mut self.score, &mut record.score);
        swap(&mut self.scopes, &mut record.scopes);
    }

    /// The record, as far as it was kept.
    fn into_record(mut self) -> DeviceRecord {
        let mut record = DeviceRecord {
            id: std::mem::take(&mut self.id),
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            superseded_by: std::mem::take(&mut self.superseded_by),
            details: std::mem::take(&mut self.details),
            ..DeviceRecord::default()
        };
        self.swap(&mut record);
        record
    }
}

impl Known {
    /// Keeps what is needed of a record, which is as it was in the end. `is_kept` says which
    /// details are.
    pub(crate) fn of(record: &mut DeviceRecord, is_kept: impl Fn(&str) -> bool) -> Self {
        let mut lent = Kept::default();
        lent.swap(record);
        let mut kept = lent.encode_to_vec();
        lent.swap(record);
        for detail in record.details.iter().filter(|detail| is_kept(&detail.field)) {
            prost::encoding::message::encode(Kept::DETAILS, detail, &mut kept);
        }
        Self {
            kept: kept.into_boxed_slice(),
            superseded_by: Uuid::parse_str(&record.superseded_by).ok(),
            first_seen: record.first_seen,
            last_seen: record.last_seen,
            has_appeared: !record.id.is_empty(),
        }
    }

    /// Whether everything that was kept is the same.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        self.kept == other.kept
    }

    /// The record of the device of this id, as far as it was kept.
    pub(crate) fn record(&self, id: &str) -> DeviceRecord {
        // It was encoded here, or decoded before it was kept.
        let kept = Kept::decode(&*self.kept).unwrap_or_default();
        self.beside(id, kept).into_record()
    }

    /// As it is stored: the record of the device of this id, as far as it was kept.
    pub(crate) fn to_stored(&self, id: &str) -> Vec<u8> {
        let beside = self.beside(id, Kept::default());
        // One message after another is both in one.
        let mut stored = Vec::with_capacity(self.kept.len() + beside.encoded_len());
        stored.extend_from_slice(&self.kept);
        // There is room.
        let _ = beside.encode(&mut stored);
        stored
    }

    /// From a stored record, whole or as far as it was kept; and that record.
    pub(crate) fn from_stored(stored: &[u8]) -> Result<(Self, DeviceRecord), DecodeError> {
        let mut record = Kept::decode(stored)?.into_record();
        Ok((Self::of(&mut record, |_| true), record))
    }

    fn beside(&self, id: &str, kept: Kept) -> Kept {
        Kept {
            id: id.to_owned(),
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
    use crate::conclusion::{Gap, Why};

    /// What former versions stored of a record beside what is kept now.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Former {
        #[prost(string, tag = "17")]
        host_name: String,
        #[prost(uint32, tag = "31")]
        confidence: u32,
        #[prost(message, repeated, tag = "32")]
        why: Vec<FormerWhy>,
        #[prost(message, repeated, tag = "36")]
        gaps: Vec<FormerGap>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct FormerWhy {
        #[prost(string, tag = "1")]
        field: String,
        #[prost(string, tag = "2")]
        value: String,
        #[prost(string, tag = "3")]
        statement: String,
        #[prost(string, tag = "4")]
        evidence: String,
        #[prost(uint32, tag = "5")]
        confidence: u32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct FormerGap {
        #[prost(string, tag = "1")]
        field: String,
        #[prost(string, tag = "2")]
        reason: String,
        #[prost(string, tag = "3")]
        completed_by: String,
    }

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
        let former = Former {
            host_name: "ct-1.ward.example".into(),
            confidence: 60,
            why: vec![FormerWhy {
                field: "name".into(),
                value: "ct-1".into(),
                statement: "it says so itself".into(),
                evidence: "host_name ct-1 (dhcp)".into(),
                confidence: 90,
            }],
            gaps: vec![FormerGap {
                field: "model".into(),
                reason: "not-seen".into(),
                completed_by: "DICOM".into(),
            }],
        };
        let mut former = former.encode_to_vec();
        former.extend(known.to_stored("d"));
        assert_eq!(Known::from_stored(&former).expect("a former version's").0, known);
        assert!(Known::from_stored(&[0xff]).is_err());
        assert!(!Known::default().has_appeared);
    }
}
