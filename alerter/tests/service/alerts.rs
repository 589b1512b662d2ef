//! What goes in and what comes out: rows, history, findings for SIEMs, dead letters, counters.

use wardwatch_proto::{log, topic};

use crate::rig::{PARTITIONS, Rig, SIEM_PARTITIONS, acknowledge, appeared, credentials, forwarded};

#[tokio::test]
async fn events_become_alerts_with_a_history_and_findings_for_a_siem() {
    let test = "events_become_alerts_with_a_history_and_findings_for_a_siem";
    let Some(rig) = Rig::new(test).await else { return };
    rig.tell(&appeared("north", "d1", 0), 1).await;
    rig.tell(&credentials("north", "d1", 1), 2).await;
    rig.tell(&credentials("north", "d1", 61), 3).await;
    rig.tell(&appeared("south", "d1", 0), 1).await;
    let context = rig.run_to_the_end().await;

    let alerts = "SELECT concat(site, ' ', detector, ' ', severity, ' ', status, ' ', attack_technique, ' ', device, ' ',
            device_name, ' ', device_ips[1], ' ', peer, ' ', toString(first_seen), ' ', toString(last_seen)) AS line
        FROM v_alerts ORDER BY site, detector";
    let expected = [
        "north clear-text-credentials high open T1040 d1 pump-d1 10.1.0.7 pacs \
         2023-11-14 22:13:21.000000000 2023-11-14 22:14:21.000000000",
        "north new-device informational open T1200 d1 pump-d1 10.1.0.7  \
         2023-11-14 22:13:20.000000000 2023-11-14 22:13:20.000000000",
        "south new-device informational open T1200 d1 pump-d1 10.1.0.7  \
         2023-11-14 22:13:20.000000000 2023-11-14 22:13:20.000000000",
    ];
    assert_eq!(rig.lines(alerts).await, expected);
    let history = "SELECT concat(detector, ' ', action, ' ', toString(at)) AS line FROM alert_events
        WHERE site = 'north' ORDER BY source_offset";
    let expected = [
        "new-device raised 2023-11-14 22:13:20.000000000",
        "clear-text-credentials raised 2023-11-14 22:13:21.000000000",
        "clear-text-credentials repeated 2023-11-14 22:14:21.000000000",
    ];
    assert_eq!(rig.lines(history).await, expected);

    let messages = rig.messages(topic::SIEM_DETECTION).await;
    assert_eq!(messages.len(), 4);
    for message in &messages {
        assert_eq!(message.headers.get("content-type"), Some(b"application/json".as_slice()));
        let finding: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        assert_eq!(finding["class_uid"], 2004, "an OCSF Detection Finding");
        let site = finding["metadata"]["tenant_uid"].as_str().expect("a site");
        assert_eq!(message.key, site.as_bytes());
        let partition = log::partition_of(site, PARTITIONS) % SIEM_PARTITIONS;
        assert_eq!(message.from.partition, partition, "a site's findings are in one order");
    }
    let total = |name: &str| context.counters.total(name);
    assert_eq!(total("alerter_messages_received"), 4);
    assert_eq!(total("alerter_events_judged"), 4);
    assert_eq!(total("alerter_alert_updates"), 4);
    assert_eq!(total("alerter_findings_published"), 4);
    assert_eq!(total("alerter_inventory_published"), 2);
    assert_eq!(total("alerter_rows_written"), 3 + 4);

    let messages = rig.messages(topic::SIEM_INVENTORY).await;
    assert_eq!(messages.len(), 2, "the device appeared at two sites, and what it did is no inventory");
    let mut sites = Vec::new();
    for message in &messages {
        assert_eq!(message.headers.get("content-type"), Some(b"application/json".as_slice()));
        assert_eq!(message.key, b"d1".as_slice());
        let told: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        assert_eq!(told["class_uid"], 5001, "an OCSF Device Inventory Info");
        let site = told["metadata"]["tenant_uid"].as_str().expect("a site").to_owned();
        assert_eq!(message.from.partition, log::partition_of(&site, PARTITIONS) % SIEM_PARTITIONS);
        sites.push(site);
    }
    sites.sort_unstable();
    assert_eq!(sites, ["north", "south"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_and_its_neighbours_are_judged() {
    let test = "what_cannot_be_read_is_put_aside_and_its_neighbours_are_judged";
    let Some(rig) = Rig::new(test).await else { return };
    rig.tell(&appeared("north", "d1", 0), 1).await;
    let at = rig.publish(topic::EVENTS, "north", b"\xffnot an event".to_vec()).await;
    rig.tell(&appeared("north", "d2", 0), 2).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "v_alerts").await, 2);
    assert_eq!(context.counters.total("alerter_messages_put_aside"), 1);

    let letters = rig.messages(topic::DEADLETTER).await;
    assert_eq!(letters.len(), 1);
    let header =
        |name: &str| String::from_utf8_lossy(letters[0].headers.get(name).unwrap_or_default()).into_owned();
    assert_eq!(letters[0].payload.as_ref(), b"\xffnot an event");
    assert_eq!(header("wardwatch-reason"), "not-an-event");
    assert_eq!(header("wardwatch-offset"), at.to_string());
    let partition = log::partition_of("north", PARTITIONS);
    assert_eq!(header("wardwatch-source"), format!("wardwatch.events/{partition}"));
}

#[tokio::test]
async fn an_acknowledged_alert_says_by_whom_and_stays_so_when_it_is_seen_again() {
    let test = "an_acknowledged_alert_says_by_whom_and_stays_so_when_it_is_seen_again";
    let Some(rig) = Rig::new(test).await else { return };
    rig.tell(&credentials("north", "d1", 1), 1).await;
    rig.run_to_the_end().await;
    let alert = rig.lines("SELECT alert AS line FROM v_alerts").await.remove(0);
    rig.tell(&forwarded(acknowledge("north", &alert)), 2).await;
    rig.tell(&forwarded(acknowledge("north", "of another site")), 3).await;
    rig.tell(&credentials("north", "d1", 61), 4).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("alerter_commands_for_unknown_alerts"), 1);

    let now = "SELECT concat(status, ' ', acknowledged_by, ' ', note, ' ', toString(last_seen)) AS line FROM v_alerts";
    let expected = "acknowledged j.doe until the next service 2023-11-14 22:14:21.000000000";
    assert_eq!(rig.lines(now).await, [expected]);
    let history = "SELECT concat(action, ' ', status, ' ', author, ' ', note) AS line FROM alert_events
        ORDER BY source_offset";
    let expected = [
        "raised open  ",
        "acknowledged acknowledged j.doe until the next service",
        "repeated acknowledged  ",
    ];
    assert_eq!(rig.lines(history).await, expected);
    let statuses: Vec<_> =
        rig.findings().await.iter().map(|finding| finding["status"].as_str().map(str::to_owned)).collect();
    assert_eq!(statuses, ["New", "In Progress", "In Progress"].map(|word| Some(word.to_owned())));
}

#[tokio::test]
async fn beyond_the_bound_the_oldest_acknowledged_alert_is_forgotten_and_its_row_stays() {
    let test = "beyond_the_bound_the_oldest_acknowledged_alert_is_forgotten_and_its_row_stays";
    let Some(mut rig) = Rig::new(test).await else { return };
    rig.config.memory.alerts = 3;
    for (fact, device) in (0..).zip(["d1", "d2", "d3"]) {
        rig.tell(&credentials("north", device, fact), fact).await;
    }
    rig.run_to_the_end().await;
    let second = rig.lines("SELECT alert AS line FROM v_alerts WHERE device = 'd2'").await.remove(0);
    rig.tell(&forwarded(acknowledge("north", &second)), 10).await;
    rig.tell(&credentials("north", "d4", 11), 11).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("alerter_alerts_forgotten"), 1);
    assert_eq!(rig.number("count()", "v_alerts").await, 4, "what is forgotten stays in the table");

    // Whether an alert is known shows when it is seen again: repeated, or raised anew.
    rig.tell(&credentials("north", "d1", 20), 20).await;
    rig.tell(&credentials("north", "d2", 20), 21).await;
    rig.run_to_the_end().await;
    let history = "SELECT concat(device, ' ', action) AS line FROM alert_events WHERE source_offset > 4
        ORDER BY source_offset";
    assert_eq!(rig.lines(history).await, ["d1 repeated", "d2 raised"]);
}
