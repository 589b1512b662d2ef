//! A device as a SIEM reads it: an OCSF 1.8.0 Device Inventory Info (class 5001), one JSON object a message on
//! `wardwatch.siem.inventory`.
//!
//! An event is told when a device appears and for each field of it that becomes different, with the whole device each time,
//! so that the newest event of a device is all that is known of it. Its `last_seen_time` is as of then: a device that only goes
//! on being seen is not told again. What OCSF has no attribute for stands in `unmapped` under the names of our profile.

use serde_json::{Map, Value, json};
use uuid::Uuid;
use wardwatch_proto::v1::{DeviceDetails, DeviceSummary, Event, Position, event};

use super::{metadata, milliseconds, observables, without_empty};

/// Collect: the device was seen on the network, and not read from somebody's log.
const COLLECT: (u32, &str) = (2, "Collect");

/// Interfaces that are listed of one device.
const MOST_INTERFACES: usize = 64;

/// The event that tells of a device; `None` where an event is not about what a device is.
pub fn device_inventory(event: &Event) -> Option<Value> {
    let (summary, message, change) = match event.event.as_ref()? {
        event::Event::DeviceAppeared(appeared) => {
            (appeared.device.as_ref()?, "The device appeared".to_owned(), Value::Null)
        }
        event::Event::DeviceChanged(changed) => (
            changed.device.as_ref()?,
            format!("The device changed: {}", changed.field),
            json!({ "field": changed.field, "before": changed.before, "after": changed.after }),
        ),
        event::Event::Finding(_) | event::Event::Command(_) => return None,
    };
    let nothing = DeviceDetails::default();
    let details = summary.details.as_ref().unwrap_or(&nothing);
    let (activity_id, activity_name) = COLLECT;
    Some(without_empty(json!({
        "category_uid": 5,
        "category_name": "Discovery",
        "class_uid": 5001,
        "class_name": "Device Inventory Info",
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": 500_100 + activity_id,
        "type_name": format!("Device Inventory Info: {activity_name}"),
        "time": milliseconds(event.event_time),
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "Success",
        "message": message,
        "metadata": metadata(&uid(event, summary), &event.site),
        "device": device(summary, details),
        "observables": observables(summary),
        "unmapped": unmapped(summary, details, &change),
    })))
}

fn device(summary: &DeviceSummary, details: &DeviceDetails) -> Value {
    let of_profile = |field: &str| profile(details, field);
    let labels = of_profile("labels").split(", ");
    // OCSF wants an organisation's name or uid, and of a location what no building has: a city, a country, a region.
    let org = (!details.institution.is_empty())
        .then(|| json!({ "name": details.institution, "ou_name": details.department }));
    json!({
        "uid": summary.id,
        "name": summary.name,
        "hostname": details.host_names.first(),
        "type_id": 99,
        "type": if summary.r#type.is_empty() { "Unknown" } else { &summary.r#type },
        "vendor_name": summary.manufacturer,
        "model": summary.model,
        "ip": summary.ips.first(),
        "mac": summary.macs.first(),
        "mac_vendor": details.mac_manufacturer,
        "network_interfaces": interfaces(summary, details),
        "vlan_uid": details.vlans.first().map(u32::to_string),
        "zone": of_profile("zone"),
        "hw_info": { "serial_number": summary.serial_number, "vendor_name": summary.manufacturer },
        "os": os(details),
        "org": org,
        "owner": { "name": of_profile("assignee") },
        "groups": labels.filter(|label| !label.is_empty()).map(|label| json!({ "name": label, "type": "label" }))
            .collect::<Vec<_>>(),
        "first_seen_time": moment(details.first_seen),
        "last_seen_time": moment(details.last_seen),
        "risk_score": summary.score,
    })
}

/// One interface for each pair of addresses where each MAC address has one IP address, else one for each address: which
/// belong together is not known then.
fn interfaces(summary: &DeviceSummary, details: &DeviceDetails) -> Vec<Value> {
    let (type_id, kind) = match profile(details, "connection_type") {
        "wired" => (1, "Wired"),
        "wireless" => (2, "Wireless"),
        _ => (0, "Unknown"),
    };
    let interface = |ip: Option<&String>, mac: Option<&String>| {
        let uid = mac.or(ip);
        json!({ "uid": uid, "ip": ip, "mac": mac, "type_id": type_id, "type": kind })
    };
    let (ips, macs) = (&summary.ips, &summary.macs);
    let all: Vec<Value> = if let ([ip], [mac]) = (ips.as_slice(), macs.as_slice()) {
        vec![interface(Some(ip), Some(mac))]
    } else {
        let of_macs = macs.iter().map(|mac| interface(None, Some(mac)));
        of_macs.chain(ips.iter().map(|ip| interface(Some(ip), None))).collect()
    };
    all.into_iter().take(MOST_INTERFACES).collect()
}

/// The operating system; nothing where it is not known, for OCSF wants its name.
fn os(details: &DeviceDetails) -> Value {
    let name = &details.operating_system;
    if name.is_empty() {
        return Value::Null;
    }
    let lower = name.to_lowercase();
    let known = [
        ("windows", 100, "Windows"),
        ("android", 201, "Android"),
        ("linux", 200, "Linux"),
        ("macos", 300, "macOS"),
        ("solaris", 400, "Solaris"),
        ("hp-ux", 402, "HP-UX"),
        ("aix", 401, "AIX"),
    ];
    let found = known.iter().find(|(word, ..)| lower.contains(word));
    let (type_id, kind) = found.map_or((99, "Other"), |(_, type_id, kind)| (*type_id, *kind));
    json!({ "name": name, "version": details.operating_system_version, "type_id": type_id, "type": kind })
}

/// What OCSF has no attribute for.
fn unmapped(summary: &DeviceSummary, details: &DeviceDetails, change: &Value) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for value in &details.profile {
        all.insert(value.field.clone(), value.value.clone().into());
    }
    let ours = json!({
        "category": summary.category,
        "subcategory": details.subcategory,
        "udi_di": details.udi_di,
        "hardware_version": details.hardware_version,
        "firmware_version": details.firmware_version,
        "software_name": details.software_name,
        "software_version": details.software_version,
        "location": details.location,
        "department": details.department,
        "host_names": details.host_names,
        "vlans": details.vlans,
        "protocols": details.protocols,
        "sensors": details.sensors,
        "parent": details.parent,
        "confidence": (details.confidence > 0).then_some(details.confidence),
        "visibility": details.visibility,
        "change": change,
    });
    if let Value::Object(ours) = ours {
        all.extend(ours);
    }
    Value::Object(all)
}

fn profile<'a>(details: &'a DeviceDetails, field: &str) -> &'a str {
    details.profile.iter().find(|value| value.field == field).map_or("", |value| value.value.as_str())
}

/// Nothing for a time that was not told.
fn moment(nanoseconds: u64) -> Option<u64> {
    (nanoseconds > 0).then(|| milliseconds(nanoseconds))
}

/// The same for the same event, however often it is told.
fn uid(event: &Event, summary: &DeviceSummary) -> String {
    let Position { incarnation, partition, offset, index } = event.source.unwrap_or_default();
    let what = format!("inventory {} {} {incarnation}/{partition}/{offset}/{index}", event.site, summary.id);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes()).to_string()
}
