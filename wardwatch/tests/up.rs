//! `wardwatch up` as a person meets it: captures in, devices out, whatever the captures are.

mod rig;

use std::io::Write as _;
use std::net::TcpStream;

use rig::{Rig, recorded};
use serde_json::Value;
use wardwatch_capture::captures_below;
use wardwatch_tests::skip;

#[test]
fn every_capture_goes_through_and_nothing_is_lost_on_the_way() {
    let test = "every_capture_goes_through_and_nothing_is_lost_on_the_way";
    if skip::unless_clickhouse(test) {
        return;
    }
    let Some(data) = skip::unless_test_data(test) else { return };
    let captures = captures_below(&data.join("captures")).expect("a folder that can be read");
    let rig = Rig::new();
    let said = rig.play(&captures);
    let stated = number_before(&said.err, " flow records");
    assert!(stated > 10_000, "{}", said.err);
    assert_eq!(rig.count("SELECT count() FROM flows"), stated);
    assert_eq!(rig.count("SELECT uniqExact(sequence, source_index) FROM flows"), stated, "no row twice");
    assert!(rig.count("SELECT count() FROM v_devices") > 100);
}

#[test]
fn a_capture_played_twice_adds_flow_rows_and_nothing_else() {
    if skip::unless_clickhouse("a_capture_played_twice_adds_flow_rows_and_nothing_else") {
        return;
    }
    let rig = Rig::new();
    let devices = "SELECT * FROM v_devices ORDER BY device";
    let attributes = "SELECT * EXCEPT count FROM v_attributes ORDER BY ALL";
    let alerts = "SELECT * FROM v_alerts ORDER BY alert";
    let history = ["changes", "alert_events"];
    rig.play(&recorded());
    let flows = rig.count("SELECT count() FROM flows");
    let first = [devices, attributes, alerts].map(|sql| rig.query(sql));
    let told = history.map(|table| rig.count(&format!("SELECT count() FROM {table}")));
    assert!(first.iter().all(|rows| !rows.is_empty()));

    rig.play(&recorded());
    assert_eq!(rig.count("SELECT count() FROM flows"), 2 * flows);
    for (sql, before) in [devices, attributes, alerts].into_iter().zip(&first) {
        assert_same(sql, before, &rig.query(sql));
    }
    assert_eq!(history.map(|table| rig.count(&format!("SELECT count() FROM {table}"))), told, "{history:?}");
}

#[test]
fn the_recorded_hospital_has_its_devices_scores_and_alerts() {
    if skip::unless_clickhouse("the_recorded_hospital_has_its_devices_scores_and_alerts") {
        return;
    }
    let rig = Rig::new();
    rig.play(&recorded());
    let said = rig.run(&["devices", "--category", "medical", "--format", "json"]);
    let devices: Vec<Value> = serde_json::from_str(&said.out).expect("a JSON array");
    let scanner =
        devices.iter().find(|device| device["type"] == "CT scanner").expect("the hospital has a CT");
    assert_eq!(scanner["manufacturer"], "GE HealthCare");
    assert!(
        scanner["why"].as_array().is_some_and(|why| why.iter().any(|why| why["field"] == "manufacturer"))
    );
    let points: u64 = scanner["factors"]
        .as_array()
        .expect("factors")
        .iter()
        .map(|factor| factor["points"].as_u64().expect("points"))
        .sum();
    assert_eq!(scanner["score"].as_u64(), Some(points.min(100)), "the score is the sum of its factors");

    let alerts = rig.run(&["alerts", "--format", "json"]);
    let alerts: Vec<Value> = serde_json::from_str(&alerts.out).expect("a JSON array");
    for detector in ["new-device", "clear-text-credentials"] {
        assert!(alerts.iter().any(|alert| alert["detector"] == detector), "{detector}");
    }
    let id = scanner["device"].as_str().expect("an id");
    let page = rig.run(&["device", &id[..8]]);
    assert!(page.out.contains("says so itself") && page.out.contains("GE MEDICAL SYSTEMS"), "{}", page.out);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
    if skip::unless_clickhouse("what_cannot_be_read_is_named_and_the_rest_is_kept") {
        return;
    }
    let rig = Rig::new();
    let whole = std::fs::read(&recorded()[0]).expect("a recorded capture");
    let truncated = rig.file("truncated.pcap", &whole[..whole.len() - 7]);
    let garbage = rig.file("garbage.pcap", b"this is no capture file at all");
    let (truncated, garbage) = (truncated.to_str().expect("UTF-8"), garbage.to_str().expect("UTF-8"));
    let last = recorded().pop().expect("a recorded capture");
    let last = last.to_str().expect("UTF-8");
    let said = rig.run(&["up", "--once", "--pcap", truncated, "--pcap", garbage, "--pcap", last]);
    assert!(!said.status.success(), "{said:?}");
    assert!(said.err.contains("garbage.pcap"), "{}", said.err);
    let stated = number_before(&said.err, " flow records");
    assert!(stated > 0);
    assert_eq!(rig.count("SELECT count() FROM flows"), stated);

    let missing = rig.run(&["up", "--once", "--pcap", "/nowhere/at/all.pcap"]);
    assert!(!missing.status.success() && missing.err.contains("/nowhere/at/all.pcap"), "{missing:?}");
}

#[test]
fn garbage_on_the_grpc_port_is_told_and_loses_nothing() {
    if skip::unless_clickhouse("garbage_on_the_grpc_port_is_told_and_loses_nothing") {
        return;
    }
    let rig = Rig::new();
    let capture = recorded().remove(0);
    let mut running = rig.start(&["up", "--pcap", capture.to_str().expect("UTF-8")]);
    let line = running.until("the collector at ");
    let address = line.rsplit("the collector at ").next().expect("the address is at the end").trim();
    running.until("all input is stored");
    let mut stranger = TcpStream::connect(address).expect("the collector listens");
    stranger.write_all(b"GET / HTTP/1.0\r\n\r\n\xff\xfe\x00 garbage").expect("it can be sent");
    running.until("does not speak gRPC");
    drop(stranger);
    let stored = rig.count("SELECT count() FROM flows");
    assert!(stored > 0, "reading works while it runs");
    assert!(running.stop().success(), "it stops in order");
    assert_eq!(rig.count("SELECT count() FROM flows"), stored);
}

#[test]
fn asking_without_data_says_what_to_do() {
    let rig = Rig::new();
    let said = rig.run(&["devices"]);
    assert!(!said.status.success());
    assert!(said.err.contains("run `wardwatch up` first"), "{}", said.err);
}

#[test]
fn a_query_that_would_change_data_is_refused() {
    if skip::unless_clickhouse("a_query_that_would_change_data_is_refused") {
        return;
    }
    let rig = Rig::new();
    rig.play(&recorded()[..1]);
    let said = rig.run(&["query", "TRUNCATE TABLE flows"]);
    assert!(!said.status.success() && said.err.to_lowercase().contains("readonly"), "{said:?}");
    assert!(rig.count("SELECT count() FROM flows") > 0);
}

/// The number that stands before a text.
fn number_before(said: &str, text: &str) -> u64 {
    let line = said
        .lines()
        .rev()
        .find(|line| line.contains(text))
        .unwrap_or_else(|| panic!("no {text:?} in {said}"));
    let before = line.split(text).next().unwrap_or_default();
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no number before {text:?} in {line}"))
}

/// The same rows; otherwise tells the first that differ.
fn assert_same(what: &str, before: &[Value], after: &[Value]) {
    assert_eq!(before.len(), after.len(), "{what}");
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after, "{what}");
    }
}
