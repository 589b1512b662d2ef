//! What the inventory concludes from a message of facts.
//!
//! Records carry absolute values: writing one twice, or an older one after a newer one that carries a higher source
//! position, changes nothing. The record of a device is a protobuf message because the same bytes are the state that a restart
//! is rebuilt from; its tags are never reused.

use std::net::IpAddr;
use std::sync::Arc;

use wardwatch_proto::v1::{Event, Flow};

/// Where in the log a message stands and when the broker took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogMoment {
    /// How often the topic was made.
    pub incarnation: u32,
    /// The partition the site lives in.
    pub partition: u32,
    /// The message's offset.
    pub offset: u64,
    /// The broker's time of the message, in nanoseconds since the Unix epoch.
    pub log_time: u64,
}

/// Everything one message gave rise to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conclusions {
    /// The message's flows, in order.
    pub flows: Vec<EnrichedFlow>,
    /// Each device that was described anew, once, by id: what is known of it changed, or it was seen in another hour.
    pub devices: Vec<DeviceRecord>,
    /// Each other device that was seen in another minute, once, by id.
    pub sightings: Vec<SightingRecord>,
    /// Each statement about a device that is new, was repeated, moved to another device, or was chosen or dropped.
    pub attributes: Vec<AttributeRecord>,
    /// What became different about devices that were known before.
    pub changes: Vec<Change>,
    /// Each row of another system's table that came, went, found another device or may differ otherwise from its device.
    pub rows: Vec<RowRecord>,
    /// For `wardwatch.events`; `source.index` is the position in this list.
    pub events: Vec<Event>,
}

/// A flow and the devices it ran between, as resolved after the message that carried it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnrichedFlow {
    /// As the sensor stated it.
    pub flow: Flow,
    /// Device id; empty where the initiator is no device of the site.
    pub initiator_device: Arc<str>,
    /// Device id; empty where the responder is no device of the site.
    pub responder_device: Arc<str>,
}

/// A device about which nothing else is different than when it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightingRecord {
    /// Its id.
    pub device: Arc<str>,
    /// As in [`DeviceRecord`].
    pub last_seen: u64,
}

/// A device as it is known now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Stable: a UUID (version 5) of the site and what the device is recognised by.
    pub id: String,
    /// What to call it: its host name, else what it calls itself, else its model, else its address.
    pub name: String,
    /// `medical`, `building`, `iot`, `it`, `network`; empty while unknown.
    pub category: String,
    /// Such as `imaging`.
    pub subcategory: String,
    /// Such as `CT scanner`.
    pub device_type: String,
    /// The maker's canonical name.
    pub manufacturer: String,
    /// In the device's own words, as are the fields up to `institution`.
    pub model: String,
    /// Serial number.
    pub serial_number: String,
    /// Hardware version.
    pub hardware_version: String,
    /// Firmware version.
    pub firmware_version: String,
    /// Name of its software.
    pub software_name: String,
    /// Version of its software.
    pub software_version: String,
    /// Device identifier of the Unique Device Identification.
    pub udi_di: String,
    /// Where it stands.
    pub location: String,
    /// Department.
    pub department: String,
    /// Institution.
    pub institution: String,
    /// Every host name it goes by now, best source first.
    pub host_names: Vec<String>,
    /// What it does for others, such as `dicom-storage-scp`; sorted.
    pub roles: Vec<String>,
    /// Its MAC addresses; empty for what was only seen behind a router, or in a capture without Ethernet.
    pub macs: Vec<String>,
    /// Addresses it uses now; sorted.
    pub ips: Vec<String>,
    /// Who the MAC address is registered to, where the knowledge pack has it. A hint at the network card's maker.
    pub mac_manufacturer: String,
    /// VLANs its frames were seen in.
    pub vlans: Vec<u32>,
    /// Sensors that saw it.
    pub sensors: Vec<String>,
    /// Protocols it was seen to speak, as recognised by content.
    pub protocols: Vec<String>,
    /// For a nested device, the id of the device that told of it; empty otherwise.
    pub parent: String,
    /// For a nested device, the ids from the network down to its parent.
    pub path: Vec<String>,
    /// Event time, nanoseconds since the Unix epoch.
    pub first_seen: u64,
    /// Event time, nanoseconds since the Unix epoch: the minute's beginning, but never before `first_seen`. A
    /// [`SightingRecord`] that comes later tells a newer one.
    pub last_seen: u64,
    /// 0 to 100: the sum of the factors' points, capped.
    pub score: u32,
    /// What the score is made of, most points first.
    pub factors: Vec<Factor>,
    /// How sure the classification is, in percent.
    pub confidence: u32,
    /// Why each of the main fields is believed, in the order of the fields.
    pub why: Vec<Why>,
    /// Version of the knowledge this was concluded with.
    pub knowledge: String,
    /// The device that this one turned out to be part of; empty for a device that stands for itself. Evidence,
    /// addresses and score have moved there.
    pub superseded_by: String,
    /// The fields of the profile that have no column of their own and are known, in the order of the profile.
    pub details: Vec<Detail>,
    /// The fields of the profile that are not known, or on which sources disagree, each with the reason.
    pub gaps: Vec<Gap>,
    /// How much of what applies to its kind is known, in percent by the weights of the profile's fields.
    pub visibility: u32,
    /// The network scopes that it has addresses in, by name; empty for the default one.
    pub scopes: Vec<String>,
}

impl DeviceRecord {
    /// A field of the profile that has no column of its own; empty where it is not known.
    pub fn detail(&self, field: &str) -> &str {
        self.details.iter().find(|detail| detail.field == field).map_or("", |detail| detail.value.as_str())
    }
}

/// A field of the profile.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Detail {
    /// Its name in the knowledge pack.
    #[prost(string, tag = "1")]
    pub field: String,
    /// Several values are joined by `, `.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A field of the profile that is not known, or not for sure. Each device has dozens, so it shares what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// Its name in the knowledge pack.
    pub field: Arc<str>,
    /// `not-seen`, `not-applicable`, or `conflicting`: sources of equal standing go on saying different things.
    pub reason: &'static str,
    /// What would fill it; empty where it does not apply.
    pub completed_by: Arc<str>,
}

/// One reason for a device's score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factor {
    /// The factor's name in the knowledge pack.
    pub name: String,
    /// How many points it adds.
    pub points: u32,
    /// The facts that make it hold.
    pub evidence: String,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub remedy: String,
}

/// One reason for believing what a field says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The field, such as `manufacturer`.
    pub field: String,
    /// The value it speaks for.
    pub value: String,
    /// The reason, in a sentence.
    pub statement: String,
    /// The fact, such as `dicom_sop_class 1.2.840.10008.5.1.4.31 (dicom)`.
    pub evidence: String,
    /// In percent. A guess (a maker by its MAC prefix) stands below 30.
    pub confidence: u32,
}

/// What was said about a device: an attribute's value in a protocol, heard by a sensor. A count of 0 withdraws it:
/// the statement has moved to another device. There is one for each observation, so it shares what it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeRecord {
    /// Device id.
    pub device: Arc<str>,
    /// The attribute's word, such as `serial_number`.
    pub attribute: &'static str,
    /// In canonical form.
    pub value: Box<str>,
    /// The protocol's word.
    pub protocol: &'static str,
    /// The sensor that heard it.
    pub sensor: Arc<str>,
    /// Who said it, the strongest so far: `sender` (the device itself), `peer`, `third`.
    pub role: &'static str,
    /// The teller's address where it is known: the device's own for `sender`, the gateway's for a nested device.
    pub teller: Option<IpAddr>,
    /// Event time, nanoseconds since the Unix epoch.
    pub first_seen: u64,
    /// Event time, nanoseconds since the Unix epoch.
    pub last_seen: u64,
    /// How often.
    pub count: u64,
    /// How far this source is believed for this attribute, in percent.
    pub confidence: u32,
    /// Whether the device shows this value. Of an attribute that has many values at once (roles, SOP classes) all
    /// are shown.
    pub chosen: bool,
}

/// A field of a device that became different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Device id.
    pub device: String,
    /// The field's name, as in [`DeviceRecord`]; lists are joined by `, `.
    pub field: String,
    /// What it was; empty where nothing was known.
    pub before: String,
    /// What it is.
    pub after: String,
    /// Event time of the fact that brought it about, nanoseconds since the Unix epoch.
    pub at: u64,
}

/// A row of another system's table, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRecord {
    /// What the table is called.
    pub import: String,
    /// Of the file.
    pub line: u32,
    /// The system's word, such as `cmms`; empty for a row that stands no longer, as are the fields below.
    pub source: String,
    /// The version of the table.
    pub version: String,
    /// Who imported it.
    pub author: String,
    /// When, in nanoseconds since the Unix epoch.
    pub imported_at: u64,
    /// Device id; empty where no device was found, or several were.
    pub device: String,
    /// The attribute by which it was found, or by which several were.
    pub matched_by: String,
    /// How sure that is, in percent; below 30 for a guess.
    pub confidence: u32,
    /// `matched`, `guessed`, `ambiguous`, `not-seen`, or `withdrawn`: it stands no longer.
    pub state: String,
    /// What it says, by attribute.
    pub values: Vec<(String, String)>,
    /// Where its device is observed to be otherwise.
    pub differences: Vec<Difference>,
}

/// What a row says otherwise than is observed of its device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The attribute's word.
    pub field: String,
    /// By the row.
    pub imported: String,
    /// By what was observed.
    pub observed: String,
}
