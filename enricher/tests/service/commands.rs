//! What people decide: in the order of the log, once, seen by everybody, and the same after every replay.

use std::time::Duration;

use crate::rig::{PARTITIONS, Rig, batch};
use wardwatch_proto::command::digest;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AcknowledgeAlert, AddNote, LoadKnowledgePack, OverrideAttribute};
use wardwatch_proto::{log, topic};

const DEVICES: &str = "SELECT toString(tuple(* EXCEPT knowledge)) AS line FROM v_devices ORDER BY line";
const CHANGES: &str =
    "SELECT toString(tuple(site, device, field, before, after, at)) AS line FROM changes ORDER BY line";
const COMMANDS: &str =
    "SELECT concat(id, ' ', site, ' ', author, ' ', action, ' ', detail, ' ', note, ' ', outcome, ' ',
    reason) AS line FROM v_commands ORDER BY id";

fn override_attribute(device: &str, field: &str, value: &str) -> Action {
    Action::OverrideAttribute(OverrideAttribute {
        device: device.into(),
        field: field.into(),
        value: value.into(),
        note: "seen on site".into(),
    })
}

fn load(name: &str, content: &str) -> Action {
    Action::LoadKnowledgePack(LoadKnowledgePack {
        name: name.into(),
        version: "1".into(),
        sha256: digest(content.as_bytes()),
        content: content.into(),
        note: String::new(),
    })
}

/// A pack by which every host on the ward is an infusion pump.
const PACK: &str = r#"
version = "1"
[[manufacturer]]
name = "Northern Pumps"
spellings = ["Philips"]
[[rule]]
id = "ours"
type = "infusion pump"
confidence = 99
because = "it stands in our list"
when = [{ attribute = "manufacturer", exact = "Philips" }]
example = [{ attribute = "manufacturer", value = "Philips" }]
"#;

async fn device(rig: &Rig, ip: &str) -> String {
    let query = format!("SELECT device AS line FROM v_devices WHERE has(ips, '{ip}')");
    rig.lines(&query).await.pop().expect("a device")
}

#[tokio::test]
async fn an_override_is_shown_with_its_reason_changed_once_and_listed() {
    let test = "an_override_is_shown_with_its_reason_changed_once_and_listed";
    let Some(rig) = Rig::new(test).await else { return };
    rig.send(batch("north", 7, 1, 11)).await;
    rig.run_to_the_end().await;
    let id = device(&rig, "10.1.0.11").await;
    rig.decide("north", "c-1", override_attribute(&id, "location", "Room 7")).await;
    rig.decide("north", "c-1", override_attribute(&id, "location", "Room 7")).await;
    rig.decide("north", "c-2", override_attribute("3f0c6a4e-8f8b-5f0e-9a53-2d1c7f1b0a99", "type", "CT"))
        .await;
    rig.decide("south", "c-3", override_attribute(&id, "location", "Room 7")).await;
    rig.decide("north", "c-4", override_attribute(&id, "score", "0")).await;
    let context = rig.run_to_the_end().await;

    let shown = "SELECT concat(location, ' ', why_statements[indexOf(why_fields, 'location')], ' ',
        why_evidence[indexOf(why_fields, 'location')]) AS line FROM v_devices WHERE location != ''";
    let expected = "Room 7 a person decided so j.doe, 2023-11-14T22:28:20Z: seen on site";
    assert_eq!(rig.lines(shown).await, [expected]);
    let changes = "SELECT concat(field, ' ', before, '>', after, ' ', toString(at)) AS line FROM changes WHERE field = 'location'";
    assert_eq!(rig.lines(changes).await, ["location >Room 7 2023-11-14 22:28:20.000000000"]);
    assert_eq!(
        rig.lines(COMMANDS).await,
        [
            "c-1 north j.doe override_attribute location = Room 7 seen on site applied ",
            "c-2 north j.doe override_attribute device_type = CT seen on site ignored unknown-device",
            "c-3 south j.doe override_attribute location = Room 7 seen on site ignored unknown-site",
        ]
    );
    let letters = rig.messages(topic::DEADLETTER).await;
    let reasons: Vec<_> =
        letters.iter().filter_map(|letter| letter.headers.get("wardwatch-reason")).collect();
    assert_eq!(reasons, [b"unknown-field".as_slice()], "no such field can be overridden");
    let total = |name: &str| context.counters.total(name);
    assert_eq!(total("enricher_messages_received"), 5);
    assert_eq!(
        [
            total("enricher_commands_applied"),
            total("enricher_commands_ignored"),
            total("enricher_commands_repeated"),
            total("enricher_messages_put_aside")
        ],
        [1, 2, 1, 1]
    );
}

#[tokio::test]
async fn a_note_is_written_once_and_kept() {
    let Some(rig) = Rig::new("a_note_is_written_once_and_kept").await else { return };
    rig.send(batch("north", 7, 1, 11)).await;
    rig.run_to_the_end().await;
    let id = device(&rig, "10.1.0.11").await;
    let note =
        |device: &str, text: &str| Action::AddNote(AddNote { device: device.into(), text: text.into() });
    rig.decide("north", "c-1", note(&id, "squeaks\nvendor knows")).await;
    rig.decide("north", "c-1", note(&id, "squeaks\nvendor knows")).await;
    rig.decide("north", "c-2", note(&id, "still does")).await;
    rig.decide("north", "c-3", note("3f0c6a4e-8f8b-5f0e-9a53-2d1c7f1b0a99", "nobody")).await;
    rig.decide("south", "c-4", note(&id, "elsewhere")).await;
    rig.decide("north", "c-5", note(&id, "  ")).await;
    let context = rig.run_to_the_end().await;
    let notes = "SELECT concat(author, ' ', text, ' ', command) AS line FROM v_device_notes ORDER BY command";
    assert_eq!(rig.lines(notes).await, ["j.doe squeaks\nvendor knows c-1", "j.doe still does c-2"]);
    let whose = format!("v_device_notes WHERE site = 'north' AND device = '{id}' AND at > toDateTime(0)");
    assert_eq!(rig.number("count()", &whose).await, 2);
    assert_eq!(rig.number("count()", "changes").await, 0, "a note changes nothing about a device");
    let outcomes = "SELECT concat(id, ' ', note, ' ', outcome, ' ', reason) AS line FROM v_commands WHERE id > 'c-1' ORDER BY id";
    assert_eq!(
        rig.lines(outcomes).await,
        [
            "c-2 still does applied ",
            "c-3 nobody ignored unknown-device",
            "c-4 elsewhere ignored unknown-site",
        ]
    );
    let letters = rig.messages(topic::DEADLETTER).await;
    let reasons: Vec<_> =
        letters.iter().filter_map(|letter| letter.headers.get("wardwatch-reason")).collect();
    assert_eq!(reasons, [b"empty-note".as_slice()]);
    assert_eq!(context.counters.total("enricher_commands_repeated"), 1);
}

#[tokio::test]
async fn a_pack_is_laid_over_the_knowledge_until_it_is_withdrawn() {
    let Some(rig) = Rig::new("a_pack_is_laid_over_the_knowledge_until_it_is_withdrawn").await else { return };
    rig.send(batch("north", 7, 1, 11)).await;
    rig.run_to_the_end().await;
    let host = DEVICES.replace("ORDER", "WHERE has(ips, '10.1.0.11') ORDER");
    let before = rig.lines(&host).await;
    let builtin = rig.lines("SELECT DISTINCT knowledge AS line FROM v_devices").await.remove(0);
    rig.decide("north", "c-1", load("north", PACK)).await;
    rig.run_to_the_end().await;
    let known = "SELECT concat(manufacturer, ' ', type, ' ', knowledge) AS line FROM v_devices WHERE has(ips, '10.1.0.11')";
    assert_eq!(rig.lines(known).await, [format!("Northern Pumps infusion pump {builtin}+north@1")]);
    // Who comes after a restart is concluded with it too.
    rig.send(batch("north", 7, 2, 12)).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "v_devices WHERE type = 'infusion pump'").await, 2);

    rig.decide("north", "c-2", load("north", "version = \"1\"\n[[rule]]\nid = \"x\"")).await;
    rig.decide("north", "c-3", load("other", "nonsense")).await;
    rig.decide("north", "c-4", load("north", PACK)).await;
    rig.decide("north", "c-5", load("south", "")).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "v_devices WHERE type = 'infusion pump'").await, 2);
    rig.decide("north", "c-6", load("north", "")).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(&host).await, before);
    assert_eq!(rig.lines("SELECT DISTINCT knowledge AS line FROM v_devices").await, [builtin]);
    let came_of = rig.lines("SELECT concat(id, ' ', outcome, ' ', substring(reason, 1, 20)) AS line FROM v_commands ORDER BY id").await;
    assert_eq!(
        came_of,
        [
            "c-1 applied ",
            "c-2 ignored bad-pack: north: rul",
            "c-3 ignored bad-pack: other: not",
            "c-4 applied already-loaded",
            "c-5 ignored unknown-pack",
            "c-6 applied ",
        ]
    );
}

#[tokio::test]
async fn a_pack_for_all_sites_is_for_those_to_come_and_numbers_what_it_tells_through() {
    let test = "a_pack_for_all_sites_is_for_those_to_come_and_numbers_what_it_tells_through";
    let Some(rig) = Rig::new(test).await else { return };
    // Two sites of one partition.
    let partition = log::partition_of("north", PARTITIONS);
    let neighbour = (0..).map(|n| format!("site-{n}"));
    let neighbour = neighbour.into_iter().find(|site| log::partition_of(site, PARTITIONS) == partition);
    let neighbour = neighbour.expect("a site of the same partition");
    rig.send(batch("north", 7, 1, 11)).await;
    rig.send(batch(&neighbour, 7, 1, 11)).await;
    let command = wardwatch_proto::v1::Command {
        id: "c-1".into(),
        author: "j.doe".into(),
        action: Some(load("ours", PACK)),
        ..Default::default()
    };
    let record = wardwatch_proto::v1::LogRecord {
        record: Some(wardwatch_proto::v1::log_record::Record::Command(command)),
    };
    let at = rig.send_bytes("north", prost::Message::encode_to_vec(&record)).await;
    rig.run_to_the_end().await;
    let told: Vec<u32> = rig
        .events()
        .await
        .iter()
        .filter_map(|event| event.source.filter(|source| source.offset == at))
        .map(|source| source.index)
        .collect();
    assert!(told.len() >= 4, "{told:?}");
    assert_eq!(told, (0..told.len() as u32).collect::<Vec<_>>());
    let changes = format!("changes WHERE source_offset = {at}");
    assert_eq!(rig.number("count()", &changes).await, rig.number("uniqExact(source_index)", &changes).await);
    assert_eq!(rig.lines("SELECT concat(outcome, site) AS line FROM v_commands").await, ["applied"]);

    rig.send(batch("north", 7, 2, 12)).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "v_devices WHERE type = 'infusion pump'").await, 3);
    assert_eq!(rig.number("uniqExact(knowledge)", "v_devices").await, 1);
}

#[tokio::test]
async fn a_forwarded_command_is_told_once() {
    let Some(rig) = Rig::new("a_forwarded_command_is_told_once").await else { return };
    let acknowledge =
        || Action::AcknowledgeAlert(AcknowledgeAlert { alert: "a-1".into(), note: "known".into() });
    rig.decide("north", "c-1", acknowledge()).await;
    rig.run_to_the_end().await;
    rig.decide("north", "c-1", acknowledge()).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.events().await.len(), 1);
    let came_of = "SELECT concat(outcome, ' ', reason) AS line FROM v_commands";
    assert_eq!(rig.lines(came_of).await, ["ignored unknown-alert"], "there is no such alert");
}

#[tokio::test]
async fn facts_and_decisions_lead_to_the_same_however_often_it_crashes() {
    let test = "facts_and_decisions_lead_to_the_same_however_often_it_crashes";
    let Some(calm) = Rig::new(test).await else { return };
    let Some(mut rough) = Rig::new(test).await else { return };
    rough.config.commit.rows = 1;
    rough.config.commit.age = Duration::from_millis(1);
    calm.send(batch("north", 7, 1, 11)).await;
    calm.run_to_the_end().await;
    let id = device(&calm, "10.1.0.11").await;
    let mut last = rough.send(batch("north", 7, 1, 11)).await;
    for sequence in 2..=30 {
        let action = match sequence % 6 {
            1 => Some(override_attribute(&id, "location", &format!("Room {sequence}"))),
            2 => Some(load("north", &PACK.replace("Northern", &format!("Northern {sequence}")))),
            3 => Some(load("north", "")),
            4 => Some(override_attribute(&id, "location", "")),
            _ => None,
        };
        for rig in [&calm, &rough] {
            last = match &action {
                Some(action) => {
                    let id = format!("c-{sequence}");
                    // Each is sent twice.
                    rig.decide("north", &id, action.clone()).await;
                    rig.decide("north", &id, action.clone()).await
                }
                None => rig.send(batch("north", 7, sequence, (sequence % 7) as u8)).await,
            };
        }
    }
    calm.run_to_the_end().await;
    for crash_after in (0..=last).step_by(2) {
        let running = rough.start();
        running.reached(log::partition_of("north", PARTITIONS), crash_after).await;
        running.crash().await;
    }
    rough.run_to_the_end().await;
    for known in [DEVICES, CHANGES, COMMANDS] {
        assert_eq!(rough.lines(known).await, calm.lines(known).await, "{known}");
    }
    assert!(calm.number("count()", "changes WHERE field = 'location'").await > 0);
}
