//! `wardwatch doctor` on a running `wardwatch up`, and on what one has left: everything closes, and whatever is broken is
//! named.

mod rig;

use std::path::PathBuf;

use rig::{Rig, Running, Said, recorded};
use serde_json::Value;
use wardwatch_store::{Settings, Store};
use wardwatch_tests::skip;

/// Starts `up` on the recorded captures and waits until all is stored; gives it with the way to its ClickHouse.
fn settled(rig: &Rig, captures: &[PathBuf]) -> (Running, Store) {
    let mut arguments = vec!["up"];
    for capture in captures {
        arguments.extend(["--pcap", capture.to_str().expect("UTF-8")]);
    }
    let mut running = rig.start(&arguments);
    let line = running.until("ClickHouse answers at ");
    let url = line.split("ClickHouse answers at ").nth(1).and_then(|rest| rest.split(',').next());
    running.until("all input is stored");
    let settings = Settings { url: url.expect("an address").to_owned(), ..Settings::default() };
    (running, Store::connect(&settings).expect("an address"))
}

/// Examines, with little patience: nothing moves here any more.
fn examined(rig: &Rig) -> (Said, Value) {
    let said = rig.run_with(&[("WARDWATCH_DOCTOR__PATIENCE", "1s")], &["doctor", "--format", "json"]);
    let report = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    (said, report)
}

/// The names of hops of a level.
fn hops<'a>(report: &'a Value, level: &str) -> Vec<&'a str> {
    let hops = report["hops"].as_array().expect("hops").iter();
    hops.filter(|hop| hop["level"] == level).map(|hop| hop["hop"].as_str().expect("a name")).collect()
}

async fn change(store: &Store, statement: &str) {
    store.execute(&format!("{statement} SETTINGS mutations_sync = 1")).await.expect("changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_platform_closes_and_whatever_is_taken_from_it_is_named() {
    if skip::unless_clickhouse("a_running_platform_closes_and_whatever_is_taken_from_it_is_named") {
        return;
    }
    let rig = Rig::new();
    let (running, store) = settled(&rig, &recorded());
    let (said, report) = examined(&rig);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(hops(&report, "broken"), [""; 0], "{report:#}");
    for name in [
        "service",
        "capture",
        "decode",
        "facts",
        "spool",
        "collector",
        "sensor to log",
        "facts topic",
        "enricher",
        "enricher facts",
        "table flows",
        "table conversations",
        "table site_minute",
        "table changes",
        "events topic",
        "alerter",
        "table alert_events",
        "table alerts",
        "siem topic",
        "dead letters",
    ] {
        let hop = report["hops"].as_array().expect("hops").iter().find(|hop| hop["hop"] == name);
        let hop = hop.unwrap_or_else(|| panic!("{name} is missing: {report:#}"));
        let passes = hop["in"].as_u64() > Some(0);
        assert!(passes || ["service", "dead letters"].contains(&name), "nothing passes {name}: {hop}");
    }

    for (statement, broken) in [
        ("ALTER TABLE flows DELETE WHERE source_index = 0", "table flows"),
        ("ALTER TABLE site_minute DELETE WHERE protocol = 'dicom'", "table site_minute"),
        (
            "ALTER TABLE conversations DELETE WHERE role = 'responder' AND protocol = 'dicom'",
            "table conversations",
        ),
        ("ALTER TABLE changes DELETE WHERE source_index = 0", "table changes"),
        ("ALTER TABLE alerts DELETE WHERE detector = 'new-device'", "table alerts"),
        ("ALTER TABLE alert_events DELETE WHERE detector = 'new-device'", "table alert_events"),
        ("ALTER TABLE alerter_state DELETE WHERE key = 'ledger'", "events topic"),
        ("ALTER TABLE sensor_boots DELETE WHERE 1", "enricher"),
    ] {
        change(&store, statement).await;
        let (said, report) = examined(&rig);
        assert_eq!(said.status.code(), Some(1), "{statement}: {said:?}");
        assert!(hops(&report, "broken").contains(&broken), "{statement}: {report:#}");
        assert!(said.err.contains(broken), "{}", said.err);
    }
    assert!(running.stop().success());
}

#[test]
fn what_was_left_behind_closes_too() {
    if skip::unless_clickhouse("what_was_left_behind_closes_too") {
        return;
    }
    let rig = Rig::new();
    for _ in 0..2 {
        rig.play(&recorded()[..2]);
        let said = rig.run(&["doctor"]);
        assert!(said.status.success(), "{said:?}");
        assert!(said.out.contains("nothing runs on"), "{}", said.out);
        for hop in ["sensor to log", "facts topic", "table flows", "events topic", "table alert_events"] {
            assert!(said.out.contains(hop), "{hop}: {}", said.out);
        }
    }
}

#[test]
fn a_service_that_is_not_there_is_named() {
    if skip::unless_clickhouse("a_service_that_is_not_there_is_named") {
        return;
    }
    let rig = Rig::new();
    rig.play(&recorded()[..1]);
    let few =
        [("WARDWATCH_DOCTOR__PATIENCE", "1s"), ("WARDWATCH_DOCTOR__SERVICES", r#"["http://127.0.0.1:9"]"#)];
    let said = rig.run_with(&few, &["doctor"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(said.out.contains("http://127.0.0.1:9/"), "{}", said.out);
    assert!(said.err.contains("broken at: service"), "{}", said.err);
}

#[test]
fn without_data_it_says_what_to_do() {
    let said = Rig::new().run(&["doctor"]);
    assert!(!said.status.success());
    assert!(said.err.contains("run `wardwatch up` first"), "{}", said.err);
}
