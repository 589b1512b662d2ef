//! What the alerter tells a SIEM, held against the compiled OCSF 1.8.0 schema: every attribute is known where it
//! stands, has its type, and none that is required is missing.

use std::path::PathBuf;

use serde_json::Value;
use wardwatch_alerter::judge::Judge;
use wardwatch_alerter::ocsf::{detection_finding, device_inventory};
use wardwatch_proto::v1::{
    Attribute, DeviceAppeared, DeviceChanged, DeviceDetails, DeviceSummary, Event, Finding, Position,
    ProfileValue, Protocol, event,
};

fn schema() -> Option<Value> {
    let data = std::env::var_os("WARDWATCH_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let text = std::fs::read_to_string(data.join("feeds/ocsf/ocsf-schema-1.8.0.json")).ok()?;
    Some(serde_json::from_str(&text).expect("the schema is JSON"))
}

fn finding() -> Value {
    let device = DeviceSummary {
        id: "d1".into(),
        name: "ct-1".into(),
        r#type: "CT scanner".into(),
        manufacturer: "GE HealthCare".into(),
        model: "HiSpeed".into(),
        serial_number: "42".into(),
        macs: vec!["00:00:5e:00:53:01".into()],
        ips: vec!["192.0.2.1".into()],
        score: 30,
        ..Default::default()
    };
    let finding = Finding {
        device: Some(device),
        peer: Some(DeviceSummary { id: "d2".into(), ips: vec!["192.0.2.2".into()], ..Default::default() }),
        attribute: Attribute::CleartextCredential.into(),
        value: "dicom-user-passcode".into(),
        protocol: Protocol::Dicom.into(),
        sensor: "s1".into(),
    };
    let event = Event {
        site: "north".into(),
        event_time: 1_700_000_000_000_000_000,
        event: Some(event::Event::Finding(finding)),
        ..Default::default()
    };
    let updates = Judge::new("north").apply(&event, Position { incarnation: 1, ..Default::default() });
    detection_finding(&updates[0])
}

#[test]
fn a_detection_finding_is_what_the_schema_says() {
    let Some(schema) = schema() else { return skipped("a_detection_finding_is_what_the_schema_says") };
    let event = finding();
    let profiles = vec!["host".to_owned()];
    let mut faults = Vec::new();
    compare(&schema, &schema["classes"]["detection_finding"], &event, &profiles, "event", &mut faults);
    assert!(faults.is_empty(), "{faults:#?}\n{event:#}");
}

/// A device of which everything is known, and one of which next to nothing is.
fn devices() -> [DeviceSummary; 2] {
    let profile = [
        ("building", "East wing"),
        ("room", "E 1.07"),
        ("zone", "imaging"),
        ("assignee", "M. Ashdown"),
        ("labels", "pilot, loan device"),
        ("criticality", "high"),
        ("connection_type", "wired"),
    ];
    let details = DeviceDetails {
        subcategory: "imaging".into(),
        host_names: vec!["ct-1".into(), "ct-1.example".into()],
        hardware_version: "B".into(),
        firmware_version: "7.1".into(),
        software_name: "console".into(),
        software_version: "7.1.4".into(),
        operating_system: "Windows 10 LTSC".into(),
        operating_system_version: "10.0.17763".into(),
        udi_di: "00840682102384".into(),
        mac_manufacturer: "GE HealthCare".into(),
        vlans: vec![20, 30],
        protocols: vec!["dicom".into()],
        sensors: vec!["s1".into()],
        parent: "g1".into(),
        first_seen: 1_690_000_000_000_000_000,
        last_seen: 1_700_000_000_000_000_000,
        confidence: 95,
        visibility: 80,
        location: "Radiology".into(),
        department: "Radiology".into(),
        institution: "Tarnwick General".into(),
        profile: profile
            .map(|(field, value)| ProfileValue { field: field.into(), value: value.into() })
            .into(),
    };
    let whole = DeviceSummary {
        id: "d1".into(),
        name: "ct-1".into(),
        category: "medical".into(),
        r#type: "CT scanner".into(),
        manufacturer: "GE HealthCare".into(),
        model: "HiSpeed".into(),
        serial_number: "42".into(),
        macs: vec!["00:00:5e:00:53:01".into()],
        ips: vec!["192.0.2.1".into()],
        score: 30,
        details: Some(details),
    };
    [
        whole,
        DeviceSummary {
            id: "d2".into(),
            ips: vec!["192.0.2.2".into(), "2001:db8::2".into()],
            ..Default::default()
        },
    ]
}

fn told(source: Position, event: event::Event) -> Event {
    Event {
        source: Some(source),
        site: "north".into(),
        event_time: 1_700_000_000_000_000_000,
        event: Some(event),
        ..Default::default()
    }
}

fn appeared(device: DeviceSummary, offset: u64) -> Event {
    let source = Position { incarnation: 1, offset, ..Default::default() };
    told(source, event::Event::DeviceAppeared(DeviceAppeared { device: Some(device) }))
}

fn changed(device: DeviceSummary) -> Event {
    let changed = DeviceChanged {
        device: Some(device),
        field: "room".into(),
        before: "E 1.06".into(),
        after: "E 1.07".into(),
    };
    told(Position { incarnation: 1, ..Default::default() }, event::Event::DeviceChanged(changed))
}

#[test]
fn a_device_is_told_as_the_schema_says() {
    let Some(schema) = schema() else { return skipped("a_device_is_told_as_the_schema_says") };
    let profiles = vec!["host".to_owned()];
    let [whole, bare] = devices();
    let department = DeviceDetails { department: "Radiology".into(), ..Default::default() };
    let homeless = DeviceSummary { id: "d4".into(), details: Some(department), ..Default::default() };
    let superseded =
        DeviceSummary { id: "d3".into(), details: Some(DeviceDetails::default()), ..Default::default() };
    for event in [
        appeared(whole.clone(), 1),
        appeared(bare.clone(), 1),
        changed(whole),
        changed(bare),
        changed(superseded),
        changed(homeless),
    ] {
        let event = device_inventory(&event).expect("it is about what a device is");
        let mut faults = Vec::new();
        compare(&schema, &schema["classes"]["inventory_info"], &event, &profiles, "event", &mut faults);
        assert!(faults.is_empty(), "{faults:#?}\n{event:#}");
    }
}

#[test]
fn everything_that_is_known_of_a_device_is_told() {
    let [whole, bare] = devices();
    let event = device_inventory(&changed(whole)).expect("a device");
    let at = |pointer: &str| event.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/class_uid"), 5001);
    assert_eq!(at("/type_uid"), 500_102);
    assert_eq!((at("/device/type_id"), at("/device/type")), (99.into(), "CT scanner".into()));
    assert_eq!(at("/device/hostname"), "ct-1");
    assert_eq!(at("/device/hw_info/serial_number"), "42");
    assert_eq!((at("/device/os/type_id"), at("/device/os/version")), (100.into(), "10.0.17763".into()));
    assert_eq!(at("/device/network_interfaces/0/mac"), "00:00:5e:00:53:01");
    assert_eq!(at("/device/network_interfaces/0/ip"), "192.0.2.1");
    assert_eq!(at("/device/network_interfaces/0/type_id"), 1);
    assert_eq!(
        (at("/unmapped/building"), at("/unmapped/location")),
        ("East wing".into(), "Radiology".into())
    );
    assert_eq!(at("/device/groups/1/name"), "loan device");
    assert_eq!(at("/device/owner/name"), "M. Ashdown");
    assert_eq!(at("/device/first_seen_time"), 1_690_000_000_000_u64);
    assert_eq!(at("/unmapped/criticality"), "high");
    assert_eq!(at("/unmapped/firmware_version"), "7.1");
    assert_eq!(at("/unmapped/parent"), "g1");
    assert_eq!(at("/unmapped/visibility"), 80);
    assert_eq!(at("/unmapped/change/before"), "E 1.06");

    let event = device_inventory(&appeared(bare, 1)).expect("a device");
    assert!(event["device"].get("os").is_none(), "a system that is not known has no name: {event:#}");
    let of = |interface: &Value| interface["ip"].as_str().map(str::to_owned);
    let interfaces = event["device"]["network_interfaces"].as_array().expect("a list");
    let addresses: Vec<_> = interfaces.iter().filter_map(of).collect();
    assert_eq!(addresses, ["192.0.2.2", "2001:db8::2"]);
}

#[test]
fn a_device_that_is_told_again_is_known_by_its_uid() {
    let [whole, bare] = devices();
    let uid = |event: &Event| device_inventory(event).expect("a device")["metadata"]["uid"].clone();
    assert_eq!(uid(&appeared(whole.clone(), 1)), uid(&appeared(whole.clone(), 1)));
    assert_ne!(uid(&appeared(whole.clone(), 1)), uid(&appeared(whole.clone(), 2)));
    assert_ne!(uid(&appeared(whole, 1)), uid(&appeared(bare, 1)));
    let command = told(Position::default(), event::Event::Command(wardwatch_proto::v1::Command::default()));
    assert_eq!(device_inventory(&command), None, "what a person decided is no device");
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    let Some(schema) = schema() else { return skipped("the_comparison_finds_what_is_wrong") };
    let mut event = finding();
    event["device"].as_object_mut().expect("an object").retain(|name, _| name == "type_id");
    event["unmapped"] = "x".into();
    event["invented"] = "x".into();
    event["severity_id"] = "high".into();
    event["activity_id"] = 77.into();
    event["finding_info"].as_object_mut().expect("an object").remove("uid");
    let mut faults = Vec::new();
    compare(&schema, &schema["classes"]["detection_finding"], &event, &[], "event", &mut faults);
    for expected in [
        "event.invented is not in the schema",
        "event.severity_id is not of type integer_t",
        "event.activity_id has no such value: 77",
        "event.finding_info.uid is required",
        "event.device is only there with the profile host",
        "event.unmapped is not an object",
    ] {
        assert!(faults.iter().any(|fault| fault == expected), "{expected} not in {faults:#?}");
    }
}

fn skipped(test: &str) {
    wardwatch_tests::skip::skip(test, "the OCSF schema is not there");
}

fn compare(
    schema: &Value,
    kind: &Value,
    value: &Value,
    profiles: &[String],
    path: &str,
    faults: &mut Vec<String>,
) {
    let known = kind["attributes"].as_object().expect("attributes");
    let Some(fields) = value.as_object() else { return faults.push(format!("{path} is not an object")) };
    for (name, field) in fields {
        let path = format!("{path}.{name}");
        let Some(attribute) = known.get(name) else {
            faults.push(format!("{path} is not in the schema"));
            continue;
        };
        if let Some(profile) = attribute["profile"].as_str()
            && !profiles.iter().any(|on| on == profile)
        {
            faults.push(format!("{path} is only there with the profile {profile}"));
        }
        let is_array = attribute["is_array"].as_bool().unwrap_or(false);
        if is_array != field.is_array() {
            faults.push(format!("{path} is an array or is not, against the schema"));
            continue;
        }
        for one in field.as_array().map_or(std::slice::from_ref(field), Vec::as_slice) {
            compare_one(schema, attribute, one, profiles, &path, faults);
        }
    }
    let one_of = kind["constraints"]["at_least_one"].as_array().map_or(&[][..], Vec::as_slice);
    if !one_of.is_empty() && !one_of.iter().filter_map(Value::as_str).any(|name| fields.contains_key(name)) {
        faults.push(format!("{path} has none of {one_of:?}"));
    }
    for (name, attribute) in known {
        let is_on =
            attribute["profile"].as_str().is_none_or(|profile| profiles.iter().any(|on| on == profile));
        if is_on && attribute["requirement"] == "required" && !fields.contains_key(name) {
            faults.push(format!("{path}.{name} is required"));
        }
    }
}

fn compare_one(
    schema: &Value,
    attribute: &Value,
    value: &Value,
    profiles: &[String],
    path: &str,
    faults: &mut Vec<String>,
) {
    let kind = attribute["object_type"].as_str().or(attribute["type"].as_str()).unwrap_or_default();
    if kind == "object" {
        // Such as `unmapped`: what stands in it is the source's own affair.
        if !value.is_object() {
            faults.push(format!("{path} is not an object"));
        }
        return;
    }
    if let Some(object) = schema["objects"].get(kind) {
        return compare(schema, object, value, profiles, path, faults);
    }
    let of = |kind: &str| schema["types"][kind]["type"].as_str().unwrap_or(kind).to_owned();
    let is_right = match of(kind).as_str() {
        "integer_t" | "long_t" | "timestamp_t" => value.is_i64() || value.is_u64(),
        "float_t" => value.is_number(),
        "boolean_t" => value.is_boolean(),
        _ => value.is_string(),
    };
    if !is_right {
        faults.push(format!("{path} is not of type {kind}"));
    } else if let Some(values) = attribute["enum"].as_object()
        && !values.contains_key(&value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    {
        faults.push(format!("{path} has no such value: {value}"));
    }
}
