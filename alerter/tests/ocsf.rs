//! What the alerter tells a SIEM, held against the compiled OCSF 1.8.0 schema: every attribute is known where it
//! stands, has its type, and none that is required is missing.

use std::path::PathBuf;

use serde_json::Value;
use wardwatch_alerter::judge::Judge;
use wardwatch_alerter::ocsf::detection_finding;
use wardwatch_proto::v1::{Attribute, DeviceSummary, Event, Finding, Position, Protocol, event};

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

#[test]
fn the_comparison_finds_what_is_wrong() {
    let Some(schema) = schema() else { return skipped("the_comparison_finds_what_is_wrong") };
    let mut event = finding();
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
