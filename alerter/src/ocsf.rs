//! An alert as a SIEM reads it: an OCSF 1.8.0 Detection Finding (class 2004), one JSON object a message on
//! `wardwatch.siem.detection`. What it is told of devices is in [`inventory`].
//!
//! `metadata.uid` is the same whenever the same thing is told again, so that a consumer can recognise a repeat. The
//! profile `host` is on, which gives the class its `device`; OCSF has no type for medical devices, so `type_id` is 99
//! (other) and the type stands in words.

use serde_json::{Map, Value, json};
use uuid::Uuid;
use wardwatch_proto::v1::{Alert, DeviceSummary, Severity, Status};

mod inventory;

pub use inventory::device_inventory;

use crate::detectors;
use crate::judge::{Action, Update};

/// The version of OCSF that these events follow.
pub const OCSF_VERSION: &str = "1.8.0";

/// The event that tells of this update.
pub fn detection_finding(update: &Update) -> Value {
    let Update { action, alert, at, note, .. } = update;
    let (activity_id, activity_name) = match action {
        Action::Raised => (1, "Create"),
        Action::Repeated | Action::Acknowledged | Action::Reopened => (2, "Update"),
    };
    let (severity_id, severity) = severity(alert.severity());
    let (status_id, status) = match alert.status() {
        Status::Acknowledged => (2, "In Progress"),
        Status::Open | Status::Unspecified => (1, "New"),
    };
    let devices: Vec<&DeviceSummary> = alert.device.iter().chain(&alert.peer).collect();
    without_empty(json!({
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": 200_400 + activity_id,
        "type_name": format!("Detection Finding: {activity_name}"),
        "time": milliseconds(*at),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": alert.explanation,
        "comment": if note.is_empty() { &alert.note } else { note },
        "metadata": metadata(&uid(update), &alert.site),
        "finding_info": finding_info(alert),
        "device": alert.device.as_ref().map(device),
        "resources": devices.iter().map(|device| resource(device)).collect::<Vec<_>>(),
        "observables": devices.iter().flat_map(|device| observables(device)).collect::<Vec<_>>(),
        "remediation": { "desc": alert.remedy },
    }))
}

/// Where an event is from, and by what a repeat is known.
fn metadata(uid: &str, site: &str) -> Value {
    json!({
        "version": OCSF_VERSION,
        "uid": uid,
        "profiles": ["host"],
        "tenant_uid": site,
        "product": { "name": "Wardwatch", "vendor_name": "Wardwatch", "version": env!("CARGO_PKG_VERSION") },
    })
}

fn finding_info(alert: &Alert) -> Value {
    let about = detectors::all()
        .into_iter()
        .map(|detector| detector.about())
        .find(|about| about.name == alert.detector);
    let attacks: Vec<Value> = about
        .and_then(|about| about.attack)
        .map(|(uid, name)| json!({ "technique": { "uid": uid, "name": name } }))
        .into_iter()
        .collect();
    json!({
        "uid": alert.id,
        "title": alert.title,
        "desc": alert.evidence.join("; "),
        "types": [alert.detector],
        "analytic": { "uid": alert.detector, "name": alert.title, "type_id": 1, "type": "Rule" },
        "attacks": attacks,
        "first_seen_time": milliseconds(alert.first_seen),
        "last_seen_time": milliseconds(alert.last_seen),
    })
}

fn device(device: &DeviceSummary) -> Value {
    json!({
        "uid": device.id,
        "name": device.name,
        "type_id": 99,
        "type": if device.r#type.is_empty() { "Unknown" } else { &device.r#type },
        "vendor_name": device.manufacturer,
        "model": device.model,
        "ip": device.ips.first(),
        "mac": device.macs.first(),
        "hw_info": { "serial_number": device.serial_number },
        "risk_score": device.score,
    })
}

fn resource(device: &DeviceSummary) -> Value {
    json!({
        "uid": device.id,
        "name": device.name,
        "type": if device.r#type.is_empty() { "Unknown" } else { &device.r#type },
        "ip": device.ips.first(),
    })
}

fn observables(device: &DeviceSummary) -> Vec<Value> {
    let of = |type_id: u8, kind: &str, name: &str, values: &[String]| -> Vec<Value> {
        values
            .iter()
            .map(|value| json!({ "type_id": type_id, "type": kind, "name": name, "value": value }))
            .collect()
    };
    let mut all = of(2, "IP Address", "device.ip", &device.ips);
    all.extend(of(3, "MAC Address", "device.mac", &device.macs));
    all
}

fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Unspecified => (0, "Unknown"),
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

fn uid(update: &Update) -> String {
    let source = update.source;
    let what = format!(
        "{} {} {}/{}/{}/{}",
        update.alert.id,
        update.action.name(),
        source.incarnation,
        source.partition,
        source.offset,
        source.index
    );
    Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes()).to_string()
}

fn milliseconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1_000_000
}

/// The same without what is null, an empty text, an empty list or an empty object: absent is what OCSF has for unknown.
fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(all) => {
            let kept = all.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        Value::Array(all) => {
            Value::Array(all.into_iter().map(without_empty).filter(|value| !is_empty(value)).collect())
        }
        other => other,
    }
}
