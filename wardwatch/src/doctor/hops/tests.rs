//! A whole cluster in which every sum closes, and what is said when something of it is not so.

use std::collections::BTreeMap;

use wardwatch_proto::topic;

use super::*;
use crate::doctor::hop::Level;
use crate::doctor::log::{Log, Partition};
use crate::doctor::service::{Answer, CheckState, Sample, Service};
use crate::doctor::tables::{BootRow, LedgerRow, LossRow, SumRow, Tables};

const LIMITS: Limits = Limits { lag: 100, recent: Duration::from_hours(24) };
/// Some day in 2026, in milliseconds.
const NOW: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;
const EPOCH: u64 = 1_789_999_000_000;

/// Two partitions; a sensor has cut ten batches of 100 facts, 40 of them flows.
fn healthy() -> Readings {
    Readings { services: services(), log: Some(Ok(log())), tables: Some(Ok(tables())) }
}

fn services() -> Vec<Service> {
    let mut sensor = Answer::with(&[
        ("sensor_packets", "", 5000),
        ("sensor_packets_in_tunnels", "", 200),
        ("sensor_packets_in_flows", "", 5100),
        ("sensor_packets_not_ip", "", 60),
        ("sensor_packets_malformed", "truncated", 30),
        ("sensor_fragments_held", "", 10),
        ("sensor_flow_records", "", 405),
        ("sensor_observations", "", 600),
        ("sensor_facts_cut", "", 1000),
        ("sensor_facts_waiting", "", 5),
        ("sensor_batches_cut", "", 10),
        ("sensor_batches_acknowledged", "", 10),
    ]);
    let labels = [("site", "north"), ("sensor", "s1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let boot = Sample { name: "sensor_boot".into(), labels: labels.into(), value: i128::from(EPOCH) };
    sensor.samples.push(boot);
    let collector =
        Answer::with(&[("collector_batches_received", "", 12), ("collector_batches_published", "", 12)]);
    [("http://sensor", sensor), ("http://collector", collector)]
        .map(|(url, answer)| Service { url: url.to_owned(), answer: Ok(answer) })
        .to_vec()
}

fn log() -> Log {
    let partition = |end| Partition { earliest: 0, end, committed: None };
    let topics = [
        // Ten batches, two of them again, and a command.
        (topic::FACTS, [partition(13), partition(0)]),
        (topic::EVENTS, [partition(22), partition(0)]),
        (topic::SIEM_DETECTION, [partition(4), partition(0)]),
        (topic::SIEM_INVENTORY, [partition(9), partition(0)]),
        (topic::DEADLETTER, [partition(0), partition(0)]),
    ];
    Log { topics: topics.map(|(name, partitions)| (name.to_owned(), partitions.to_vec())).into() }
}

fn ledger(service: &str, offset_end: u64, counts: &[(&str, &str, u64)]) -> Vec<LedgerRow> {
    let row = |(counter, value, count): &(&str, &str, u64)| LedgerRow {
        service: service.to_owned(),
        partition: 0,
        incarnation: 1,
        offset_end,
        counter: format!("{service}_{counter}"),
        value: (*value).to_owned(),
        count: *count,
    };
    counts.iter().map(row).collect()
}

fn tables() -> Tables {
    let mut rows = ledger(
        "enricher",
        13,
        &[
            ("messages_received", "", 13),
            ("batches_applied", "", 10),
            ("batches_resent", "", 2),
            ("commands_applied", "", 1),
            ("flows_received", "", 400),
            ("observations_received", "", 590),
            ("observations_rejected", "breaks-grammar", 10),
            ("rows_written", "changes", 6),
            ("rows_skipped", "changes", 1),
            ("rows_written", "commands", 1),
            ("rows_written", "device_notes", 1),
            ("events_published", "", 20),
        ],
    );
    rows.extend(ledger(
        "alerter",
        22,
        &[
            ("messages_received", "", 22),
            ("events_judged", "", 20),
            ("events_repeated", "", 2),
            ("rows_written", "alert_events", 4),
            ("findings_published", "", 4),
            ("inventory_published", "", 9),
        ],
    ));
    let boot = BootRow {
        site: "north".into(),
        sensor: "s1".into(),
        epoch: EPOCH,
        is_known: true,
        highest: 10,
        batches: 10,
        resent: 2,
        facts: 1000,
        flows: 400,
        first_heard: NOW - 1000,
        last_heard: NOW,
        rows: 400,
        ..BootRow::default()
    };
    let sum = |table: &str, records| SumRow {
        table: table.into(),
        site: "north".into(),
        sensor: "s1".into(),
        records,
    };
    let counts = [
        ("changes", 7),
        ("commands", 1),
        ("device_notes", 1),
        ("alert_events", 4),
        ("alert_events.alert", 3),
        ("alerts", 3),
    ];
    Tables {
        now: NOW,
        ledger: rows,
        boots: vec![boot],
        sums: vec![sum("conversations", 800), sum("site_minute", 400)],
        counts: counts.map(|(name, count)| (name.to_owned(), count)).into(),
        incarnations: BTreeMap::from([(topic::FACTS.to_owned(), 1)]),
        ..Tables::default()
    }
}

/// What is said of a cluster after a change, as the hop, how bad it is, and the words.
fn said(change: impl FnOnce(&mut Readings)) -> Vec<(&'static str, Level, String)> {
    let mut readings = healthy();
    change(&mut readings);
    all(&readings, None, &LIMITS)
        .into_iter()
        .flat_map(|hop| hop.findings.into_iter().map(move |finding| (hop.name, finding.level, finding.text)))
        .collect()
}

/// The hops that a change breaks.
fn broken(change: impl FnOnce(&mut Readings)) -> Vec<&'static str> {
    let mut hops: Vec<_> = said(change)
        .into_iter()
        .filter_map(|(hop, level, _)| (level == Level::Broken).then_some(hop))
        .collect();
    hops.dedup();
    hops
}

fn in_tables(change: impl FnOnce(&mut Tables)) -> impl FnOnce(&mut Readings) {
    move |readings| {
        if let Some(Ok(tables)) = &mut readings.tables {
            change(tables);
        }
    }
}

fn in_log(topic: &'static str, change: impl FnOnce(&mut Partition)) -> impl FnOnce(&mut Readings) {
    move |readings| {
        if let Some(Ok(log)) = &mut readings.log {
            change(&mut log.topics.get_mut(topic).expect("a topic")[0]);
        }
    }
}

/// Sets a counter of a service.
fn count(service: usize, name: &'static str, value: i128) -> impl FnOnce(&mut Readings) {
    move |readings| {
        let answer = readings.services[service].answer.as_mut().expect("an answer");
        answer.samples.retain(|sample| sample.name != name);
        let labels = BTreeMap::from([("reason".to_owned(), "spool full".to_owned())]);
        answer.samples.push(Sample { name: name.into(), labels, value });
    }
}

/// Sets a count of a ledger.
fn ledger_count(counter: &'static str, count: u64) -> impl FnOnce(&mut Readings) {
    in_tables(move |tables| {
        let row = tables.ledger.iter_mut().find(|row| row.counter == counter).expect("a count");
        row.count = count;
    })
}

#[test]
fn everything_closes() {
    assert_eq!(said(|_| ()), []);
    let hops = all(&healthy(), None, &LIMITS);
    assert!(hops.len() >= 20, "{hops:?}");
    assert!(hops.iter().all(|hop| hop.gap() == 0), "{hops:?}");
}

#[test]
fn frames_facts_and_batches_that_vanish_in_a_sensor_are_named() {
    assert_eq!(broken(count(0, "sensor_packets_in_flows", 5099)), ["decode"]);
    assert_eq!(broken(count(0, "sensor_facts_waiting", 4)), ["facts"]);
    assert_eq!(broken(count(0, "sensor_batches_acknowledged", 9)), ["spool"]);
    assert_eq!(broken(count(1, "collector_batches_published", 11)), ["collector"]);
}

#[test]
fn what_was_dropped_for_a_reason_wants_attention_and_breaks_nothing() {
    let said = said(|readings| {
        count(0, "sensor_packets_dropped_by_kernel", 7)(readings);
        count(0, "sensor_batches_acknowledged", 9)(readings);
        count(0, "sensor_spool_batches_dropped", 1)(readings);
    });
    let hops: Vec<_> = said.iter().map(|(hop, level, _)| (*hop, *level)).collect();
    assert_eq!(hops, [("capture", Level::Attention), ("spool", Level::Attention)]);
    assert!(said[1].2.contains("spool full"), "{said:?}");
}

#[test]
fn a_batch_that_never_came_is_named_by_its_number() {
    let with_a_hole = |tables: &mut Tables| {
        tables.boots[0].batches = 9;
        tables.boots[0].missing = 1;
        (tables.boots[0].hole_firsts, tables.boots[0].hole_lasts) = (vec![4], vec![4]);
        tables.ledger[1].count = 9;
        tables.ledger[0].count = 12;
        for row in tables.ledger.iter_mut().filter(|row| row.service == "enricher") {
            row.offset_end = 12;
        }
    };
    let change = |readings: &mut Readings| {
        in_tables(with_a_hole)(readings);
        in_log(topic::FACTS, |partition| partition.end = 12)(readings);
    };
    let words = said(change);
    assert_eq!(words[0].0, "sensor to log");
    assert!(words[0].2.contains("never came: 4"), "{words:?}");

    // The sensor still has it: it may come.
    let waiting = |readings: &mut Readings| {
        change(readings);
        count(0, "sensor_batches_acknowledged", 9)(readings);
        count(0, "sensor_batches_waiting", 1)(readings);
    };
    assert_eq!(broken(waiting), [""; 0]);
    // It was long ago, so it is known by now.
    let long_ago = |readings: &mut Readings| {
        change(readings);
        readings.services.clear();
        in_tables(|tables| tables.boots[0].last_heard = NOW - 2 * DAY)(readings);
    };
    let words = said(long_ago);
    assert!(words.iter().all(|(_, level, _)| *level == Level::Attention), "{words:?}");
}

#[test]
fn batches_that_were_acknowledged_and_are_nowhere_are_told() {
    let more = |readings: &mut Readings| {
        count(0, "sensor_batches_cut", 12)(readings);
        count(0, "sensor_batches_acknowledged", 12)(readings);
    };
    let words = said(more);
    assert_eq!(words[0].0, "sensor to log", "{words:?}");
    assert!(words[0].2.contains("acknowledged to the sensor"), "{words:?}");
    let lagging = |readings: &mut Readings| {
        more(readings);
        in_log(topic::FACTS, |partition| partition.end = 15)(readings);
    };
    assert_eq!(broken(lagging), ["facts topic"], "they wait in the log: nobody works on it");
}

#[test]
fn a_partition_that_stands_still_is_told_from_one_that_moves() {
    let behind = |end: u64| {
        let mut readings = healthy();
        in_log(topic::FACTS, |partition| partition.end = 20)(&mut readings);
        in_tables(|tables| {
            for row in tables.ledger.iter_mut().filter(|row| row.service == "enricher") {
                row.offset_end = end;
            }
            tables.ledger[0].count = end;
            tables.ledger[1].count += end - 13;
            tables.boots[0].batches += end - 13;
            tables.boots[0].highest += end - 13;
        })(&mut readings);
        readings.services.clear();
        readings
    };
    let level = |now: &Readings, before: Option<&Readings>| {
        let hops = all(now, before, &LIMITS);
        let hop = hops.into_iter().find(|hop| hop.name == "facts topic").expect("a hop");
        (hop.level, hop.lag)
    };
    assert_eq!(level(&behind(14), Some(&behind(14))), (Level::Broken, Some(6)));
    assert_eq!(level(&behind(15), Some(&behind(14))), (Level::Closed, Some(5)), "it moves");
    assert_eq!(level(&behind(14), None).0, Level::Broken, "nobody knows yet");
}

#[test]
fn much_that_waits_wants_attention() {
    let mut now = healthy();
    in_log(topic::FACTS, |partition| partition.end = 500)(&mut now);
    let mut before = now.clone();
    in_tables(|tables| tables.ledger.iter_mut().for_each(|row| row.offset_end = 1))(&mut before);
    let hops = all(&now, Some(&before), &LIMITS);
    let hop = hops.iter().find(|hop| hop.name == "facts topic").expect("a hop");
    assert_eq!(hop.level, Level::Attention, "{hop:?}");
}

#[test]
fn a_log_that_is_shorter_than_the_memory_is_told() {
    assert_eq!(broken(in_log(topic::FACTS, |partition| partition.end = 5)), ["facts topic"]);
    let overtaken = in_log(topic::EVENTS, |partition| (partition.earliest, partition.end) = (30, 40));
    assert_eq!(broken(overtaken), ["events topic"]);
}

#[test]
fn what_retention_took_is_dropped_and_told() {
    let words = said(|readings| {
        in_tables(|tables| {
            tables.losses = vec![LossRow {
                service: "enricher".into(),
                partition: 0,
                incarnation: 1,
                messages: 5,
                offset_end: 18,
            }];
        })(readings);
        in_log(topic::FACTS, |partition| (partition.earliest, partition.end) = (18, 18))(readings);
    });
    let hops: Vec<_> = words.iter().map(|(hop, level, _)| (*hop, *level)).collect();
    assert_eq!(hops, [("facts topic", Level::Attention)], "{words:?}");
}

#[test]
fn offsets_that_nobody_received_are_told() {
    let words = said(ledger_count("enricher_messages_received", 12));
    assert_eq!(words[0].0, "facts topic");
    assert!(words[0].2.contains("1 are unaccounted for"), "{words:?}");
}

#[test]
fn rows_that_are_missing_or_too_many_name_their_table() {
    assert_eq!(broken(in_tables(|tables| tables.boots[0].rows = 399)), ["table flows"]);
    assert_eq!(broken(in_tables(|tables| tables.boots[0].rows = 401)), ["table flows"]);
    assert_eq!(broken(in_tables(|tables| tables.sums[0].records = 799)), ["table conversations"]);
    assert_eq!(broken(in_tables(|tables| tables.sums[1].records = 401)), ["table site_minute"]);
    for (table, hop) in [
        ("changes", "table changes"),
        ("commands", "table commands"),
        ("device_notes", "table device_notes"),
        ("alert_events", "table alert_events"),
        ("alerts", "table alerts"),
    ] {
        let short = in_tables(|tables| *tables.counts.get_mut(table).expect("a count") -= 1);
        assert_eq!(broken(short), [hop]);
    }
    let stray = BootRow { site: "north".into(), sensor: "s9".into(), rows: 3, ..BootRow::default() };
    assert_eq!(broken(in_tables(|tables| tables.boots.push(stray))), ["table flows"]);
}

#[test]
fn what_retention_may_have_removed_from_a_table_is_not_compared() {
    let old = |tables: &mut Tables| {
        tables.boots[0].first_heard = NOW - 100 * DAY;
        tables.boots[0].rows = 17;
        tables.sums[1].records = 20;
        tables.counts.insert("changes".into(), 0);
        for table in ["flows", "site_minute", "changes"] {
            tables.retention.insert(table.into(), 30);
        }
    };
    assert_eq!(broken(in_tables(old)), [""; 0]);
    let hops = {
        let mut readings = healthy();
        in_tables(old)(&mut readings);
        all(&readings, None, &LIMITS)
    };
    let notes: Vec<_> = hops.iter().filter(|hop| !hop.notes.is_empty()).map(|hop| hop.name).collect();
    assert_eq!(notes, ["table flows", "table site_minute", "table changes"]);
}

#[test]
fn events_that_were_published_and_never_judged_are_told() {
    assert_eq!(broken(ledger_count("alerter_events_judged", 19)), ["events topic", "alerter"]);
    // They wait: then they are held, and whether anyone works on them is another matter.
    let waiting = |readings: &mut Readings| {
        ledger_count("enricher_events_published", 23)(readings);
        in_log(topic::EVENTS, |partition| partition.end = 25)(readings);
    };
    let words = said(waiting);
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].2.contains("stands still"), "{words:?}");
}

#[test]
fn findings_and_letters_may_be_there_twice_but_not_too_few() {
    assert_eq!(broken(in_log(topic::SIEM_DETECTION, |partition| partition.end = 9)), [""; 0]);
    assert_eq!(broken(in_log(topic::SIEM_DETECTION, |partition| partition.end = 3)), ["siem topic"]);
    let inventory = |end| broken(in_log(topic::SIEM_INVENTORY, |partition| partition.end = end));
    assert_eq!((inventory(10), inventory(8)), (vec![], vec!["siem inventory topic"]));
    let poison = |readings: &mut Readings| {
        ledger_count("enricher_commands_applied", 0)(readings);
        in_tables(|tables| {
            tables.ledger.extend(ledger("enricher", 13, &[("messages_put_aside", "not-a-record", 1)]));
        })(readings);
    };
    assert_eq!(broken(poison), ["dead letters"], "put aside, and no letter of it");
    let words = said(|readings| {
        poison(readings);
        in_log(topic::DEADLETTER, |partition| partition.end = 1)(readings);
    });
    assert_eq!(words.len(), 1, "{words:?}");
    let (hop, level, text) = &words[0];
    assert_eq!((*hop, *level), ("dead letters", Level::Attention));
    assert!(text.contains("not-a-record"), "{text}");
}

#[test]
fn whoever_does_not_answer_or_is_not_ready_is_named() {
    let away = |readings: &mut Readings| readings.services[0].answer = Err("connection refused".into());
    let words = said(away);
    assert_eq!(words[0], ("service", Level::Broken, "connection refused".to_owned()));
    let unready = |readings: &mut Readings| {
        let answer = readings.services[1].answer.as_mut().expect("an answer");
        let state = CheckState { ready: false, detail: "no broker".into() };
        answer.checks.insert("bus".into(), state);
    };
    assert_eq!(said(unready)[0].2, "bus is not ready: no broker");
    assert_eq!(broken(|readings| readings.log = Some(Err("no broker".into()))), ["log"]);
    assert_eq!(broken(|readings| readings.tables = Some(Err("no server".into()))), ["clickhouse"]);
}

#[test]
fn a_clock_that_is_wrong_wants_attention() {
    let words = said(in_tables(|tables| {
        tables.ledger.extend(ledger("enricher", 13, &[("times_replaced", "", 4)]));
    }));
    assert_eq!((words[0].0, words[0].1), ("enricher", Level::Attention));
}
