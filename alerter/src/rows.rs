//! Rows as they stand in ClickHouse, see `deploy/clickhouse/0003_alerts.sql`. Their columns are matched by name and checked
//! against the table's types by the client.

use serde::{Deserialize, Serialize};
use wardwatch_processor::Moment;
use wardwatch_proto::name::Named as _;
use wardwatch_store::{Row, version};

use crate::judge::Update;

/// A row of `alerts`: how an alert is now.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct AlertRow {
    site: String,
    alert: String,
    detector: String,
    severity: String,
    status: String,
    title: String,
    explanation: String,
    evidence: Vec<String>,
    remedy: String,
    attack_technique: String,
    device: String,
    device_name: String,
    device_category: String,
    device_type: String,
    device_manufacturer: String,
    device_model: String,
    device_macs: Vec<String>,
    device_ips: Vec<String>,
    peer: String,
    peer_name: String,
    peer_ips: Vec<String>,
    first_seen: i64,
    last_seen: i64,
    acknowledged_by: String,
    note: String,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    source_index: u32,
    version: u64,
}

/// A row of `alert_events`: what became of an alert.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct AlertEventRow {
    site: String,
    alert: String,
    at: i64,
    action: String,
    detector: String,
    severity: String,
    status: String,
    device: String,
    author: String,
    note: String,
    received: i64,
    source_incarnation: u32,
    source_partition: u32,
    pub(crate) source_offset: u64,
    source_index: u32,
}

impl AlertRow {
    /// The alert after an update; `index` is the update's place among those of one message.
    pub(crate) fn new(update: &Update, index: u32) -> Self {
        let alert = update.alert.clone();
        let (severity, status) = (alert.severity().name().to_owned(), alert.status().name().to_owned());
        let device = alert.device.unwrap_or_default();
        let peer = alert.peer.unwrap_or_default();
        let source = update.source;
        Self {
            site: alert.site,
            alert: alert.id,
            detector: alert.detector,
            severity,
            status,
            title: alert.title,
            explanation: alert.explanation,
            evidence: alert.evidence,
            remedy: alert.remedy,
            attack_technique: alert.attack_technique,
            device: device.id,
            device_name: device.name,
            device_category: device.category,
            device_type: device.r#type,
            device_manufacturer: device.manufacturer,
            device_model: device.model,
            device_macs: device.macs,
            device_ips: device.ips,
            peer: peer.id,
            peer_name: peer.name,
            peer_ips: peer.ips,
            first_seen: nanoseconds(alert.first_seen),
            last_seen: nanoseconds(alert.last_seen),
            acknowledged_by: alert.acknowledged_by,
            note: alert.note,
            source_incarnation: source.incarnation,
            source_partition: source.partition,
            source_offset: source.offset,
            source_index: index,
            version: version(source.incarnation, source.offset),
        }
    }
}

impl AlertEventRow {
    /// What an update says; `index` is its place among those of one message.
    pub(crate) fn new(update: &Update, at: Moment, index: u32) -> Self {
        let alert = &update.alert;
        Self {
            site: alert.site.clone(),
            alert: alert.id.clone(),
            at: nanoseconds(update.at),
            action: update.action.name().to_owned(),
            detector: alert.detector.clone(),
            severity: alert.severity().name().to_owned(),
            status: alert.status().name().to_owned(),
            device: alert.device.as_ref().map(|device| device.id.clone()).unwrap_or_default(),
            author: update.author.clone(),
            note: update.note.clone(),
            received: (at.log_time / 1_000_000).cast_signed(),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            source_index: index,
        }
    }
}

/// What a DateTime64(9) holds; it ends in the year 2262.
fn nanoseconds(since_epoch: u64) -> i64 {
    i64::try_from(since_epoch).unwrap_or(i64::MAX)
}
