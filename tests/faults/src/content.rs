//! Everything that came of the facts, in a form in which two runs can be held against each other.
//!
//! Left out is what differs from run to run by its nature:
//!
//! - times of writing (columns whose default is the server's clock);
//! - of what comes of `wardwatch.events`, places in that topic and its broker's times: a crash makes events come twice, and
//!   shifts what comes after;
//! - of sums, the ends of the ranges that were summed up;
//! - on the embedded log, its own clock's times of the facts.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wardwatch_bus::Message;
use wardwatch_proto::topic;
use wardwatch_proto::v1::{Event, Position};
use wardwatch_tests::pipeline::messages;

use crate::facts::FlowIdentity;
use crate::stage::{FILLER_SITE, Log, Stage};

/// What the services keep for themselves: how it looks depends on where ranges were cut and who owned what.
const OF_THE_SERVICES: [&str; 6] =
    ["enricher_state", "alerter_state", "owners", "plans", "topic_incarnations", "schema_migrations"];

/// Columns that hold a place in `wardwatch.events` or its broker's time.
const PLACE_OF_AN_EVENT: [&str; 4] = ["source_offset", "source_index", "version", "received"];

/// Columns of roll-ups that say where the ranges were cut that were summed up.
const CUT_OF_A_SUM: [&str; 2] = ["source_offset", "received"];

/// Columns that hold the log's times of the facts.
const LOG_TIMES: [&str; 3] = ["received", "first_heard", "last_heard"];

/// What services count exactly once, whoever did the work: but for what depends on where ranges were cut, and on events that
/// came twice. Of append-only tables a row is written or left out since it is there.
const LEDGER: &str = "
    SELECT service, partition, counter, label, value, count FROM v_ledger
    WHERE NOT match(counter, '_(ranges_committed|state_entries_written|rows_written|rows_skipped)$')
        AND counter NOT IN ('alerter_messages_received', 'alerter_events_repeated')
    UNION ALL
    SELECT service, partition, 'rows', label, value, sum(count) AS count FROM v_ledger
    WHERE match(counter, '_(rows_written|rows_skipped)$') AND value IN ('flows', 'changes', 'commands', 'device_notes', 'alert_events')
    GROUP BY ALL";

/// Tables that are written from `wardwatch.events`.
const FROM_EVENTS: [&str; 3] = ["alerts", "alert_events", "alert_devices"];

/// Everything that came of the facts. Of each kind sorted lines, one a row or message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// By table or topic.
    pub kinds: BTreeMap<String, Vec<String>>,
}

/// What was seen of the log besides.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Repeats {
    /// Events that came again.
    pub events: usize,
    /// Findings and devices for SIEMs that came again.
    pub findings: usize,
    /// Dead letters that came again.
    pub letters: usize,
    /// Batches that came again from a sensor; of the facts that are given, those that were laid in twice are not counted.
    #[serde(default)]
    pub batches: usize,
}

/// The content of tables and topics. `scope` leaves out what differs on that log: the broker's times on the embedded one.
///
/// # Errors
/// When something cannot be read; and when the log breaks a promise by itself: a repeat that says something else, or events
/// that are not in the order of the facts.
pub async fn read(stage: &Stage, scope: Log) -> Result<(Content, Repeats)> {
    let mut content = Content::default();
    for (table, engine) in tables(stage).await? {
        content.kinds.insert(table.clone(), rows(stage, &table, &engine, scope).await?);
    }
    let ledger = stage.store().text(LEDGER, "JSONEachRow").await.context("read the counts")?;
    content.kinds.insert("v_ledger".to_owned(), sorted(&ledger));
    let bus = stage.bus().await?;
    let (events, repeated_events) = events(&messages(bus.as_ref(), topic::EVENTS).await?, scope)?;
    let (devices, repeated_devices) = findings(&messages(bus.as_ref(), topic::SIEM_INVENTORY).await?)?;
    let (findings, repeated_findings) = findings(&messages(bus.as_ref(), topic::SIEM_DETECTION).await?)?;
    let (letters, repeated_letters) = letters(&messages(bus.as_ref(), topic::DEADLETTER).await?);
    for (kind, lines) in [
        (topic::EVENTS, events),
        (topic::SIEM_DETECTION, findings),
        (topic::SIEM_INVENTORY, devices),
        (topic::DEADLETTER, letters),
    ] {
        content.kinds.insert(kind.to_owned(), lines);
    }
    let repeats = Repeats {
        events: repeated_events,
        findings: repeated_findings + repeated_devices,
        letters: repeated_letters,
        batches: 0,
    };
    Ok((content, repeats))
}

/// Whose flows a table of them holds, each as often as it is there.
pub async fn flows(stage: &Stage) -> Result<Vec<FlowIdentity>> {
    let query = format!(
        "SELECT site, sensor, epoch, sequence, flow_id, segment FROM flows WHERE site != '{FILLER_SITE}'"
    );
    let lines = stage.lines(&query).await?;
    let flow = |line: &String| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [site, sensor, epoch, sequence, flow, segment] = fields[..] else { bail!("an odd row: {line}") };
        Ok((
            site.to_owned(),
            sensor.to_owned(),
            epoch.parse()?,
            sequence.parse()?,
            flow.parse()?,
            segment.parse()?,
        ))
    };
    lines.iter().map(flow).collect()
}

async fn tables(stage: &Stage) -> Result<Vec<(String, String)>> {
    let query = "SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'";
    let lines = stage.lines(query).await?;
    let table = |line: &String| {
        let (name, engine) = line.split_once('\t').with_context(|| format!("an odd row: {line}"))?;
        Ok((name.to_owned(), engine.to_owned()))
    };
    let all: Vec<(String, String)> = lines.iter().map(table).collect::<Result<_>>()?;
    Ok(all.into_iter().filter(|(name, _)| !OF_THE_SERVICES.contains(&name.as_str())).collect())
}

async fn rows(stage: &Stage, table: &str, engine: &str, scope: Log) -> Result<Vec<String>> {
    let query = format!(
        "SELECT name, type, default_expression FROM system.columns WHERE database = currentDatabase() AND table = '{table}' \
         ORDER BY position"
    );
    let lines = stage.lines(&query).await?;
    let mut columns = Vec::new();
    let mut has_site = false;
    for line in &lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, kind, default] = fields[..] else { bail!("an odd row: {line}") };
        has_site |= name == "site";
        let is_time_of_writing = default.contains("now");
        let is_place = FROM_EVENTS.contains(&table) && PLACE_OF_AN_EVENT.contains(&name);
        let is_cut = engine == "AggregatingMergeTree" && CUT_OF_A_SUM.contains(&name);
        let is_log_time = scope == Log::Embedded && LOG_TIMES.contains(&name);
        if is_time_of_writing || is_place || is_cut || is_log_time {
            continue;
        }
        columns.push(match kind {
            kind if kind.starts_with("AggregateFunction(") => {
                format!("finalizeAggregation(`{name}`) AS `{name}`")
            }
            _ => format!("`{name}`"),
        });
    }
    let last = if engine == "MergeTree" { "" } else { " FINAL" };
    let condition = if has_site { format!(" WHERE site != '{FILLER_SITE}'") } else { String::new() };
    let query = format!("SELECT {} FROM {table}{last}{condition}", columns.join(", "));
    let text = stage.store().text(&query, "JSONEachRow").await.with_context(|| format!("read {table}"))?;
    Ok(sorted(&text))
}

/// The lines of a text.
pub(crate) fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Events without repeats, each with its place among those of its partition.
fn events(messages: &[Message], scope: Log) -> Result<(Vec<String>, usize)> {
    let mut known: BTreeMap<(u32, u64, u32), Event> = BTreeMap::new();
    let mut highest: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    let mut repeated = 0;
    for message in messages {
        let event = Event::decode(message.payload.as_ref()).context("read an event")?;
        let Position { partition, offset, index, .. } = event.source.context("an event without a source")?;
        ensure!(
            partition == message.from.partition,
            "an event of partition {partition} lies in {}",
            message.from
        );
        if let Some(before) = known.get(&(partition, offset, index)) {
            repeated += 1;
            ensure!(
                *before == event,
                "the event of {partition}/{offset}/{index} says something else when it comes again"
            );
            continue;
        }
        // What the alerter's way of knowing repeats rests on.
        let reached = highest.entry(partition).or_default();
        ensure!(
            (offset, index) >= *reached,
            "the first event of {partition}/{offset}/{index} comes after one of {reached:?}: it will be taken for a repeat"
        );
        *reached = (offset, index);
        known.insert((partition, offset, index), event);
    }
    let lines = known.into_values().map(|mut event| {
        if scope == Log::Embedded {
            event.log_time = 0;
        }
        format!("{event:?}")
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    Ok((lines, repeated))
}

/// Findings or devices as SIEMs were told of them, without repeats, which are known by `metadata.uid`. That of a finding names
/// a place in `wardwatch.events`.
fn findings(messages: &[Message]) -> Result<(Vec<String>, usize)> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut repeated = 0;
    for message in messages {
        let mut finding: Value = serde_json::from_slice(&message.payload).context("read a finding")?;
        let uid = finding.pointer_mut("/metadata/uid").map(Value::take);
        let uid = uid.as_ref().and_then(Value::as_str).context("a finding without a uid")?.to_owned();
        if let Some(before) = known.get(&uid) {
            repeated += 1;
            ensure!(*before == finding, "the finding {uid} says something else when it comes again");
        } else {
            known.insert(uid, finding);
        }
    }
    let mut lines: Vec<String> = known.values().map(Value::to_string).collect();
    lines.sort_unstable();
    Ok((lines, repeated))
}

/// Dead letters without repeats: why, where from, and what.
fn letters(messages: &[Message]) -> (Vec<String>, usize) {
    let letter = |message: &Message| {
        let header = |name: &str| {
            let value = message.headers.get(name).unwrap_or_default();
            String::from_utf8_lossy(value).into_owned()
        };
        let [reason, source, incarnation, offset] =
            ["wardwatch-reason", "wardwatch-source", "wardwatch-incarnation", "wardwatch-offset"].map(header);
        let payload = message
            .payload
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_mul(0x0100_0000_01B3) ^ u64::from(*byte));
        format!("{source}@{incarnation}/{offset}: {reason}, {} octets, {payload:016x}", message.payload.len())
    };
    let once: BTreeSet<String> = messages.iter().map(letter).collect();
    let repeated = messages.len() - once.len();
    (once.into_iter().collect(), repeated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_bus::{Headers, TopicPartition};

    fn event(offset: u64, index: u32, site: &str) -> Message {
        let source = Position { incarnation: 1, partition: 2, offset, index };
        let event = Event { source: Some(source), site: site.to_owned(), ..Event::default() };
        Message {
            from: TopicPartition::new(topic::EVENTS, 2),
            offset: 0,
            timestamp: 0,
            key: prost::bytes::Bytes::new(),
            payload: event.encode_to_vec().into(),
            headers: Headers::new(),
        }
    }

    #[test]
    fn a_run_of_events_may_come_again() {
        let run = [event(1, 0, "a"), event(1, 1, "a"), event(2, 0, "a")];
        let (lines, repeated) = events(&[run.clone(), run].concat(), Log::Kafka).unwrap();
        assert_eq!((lines.len(), repeated), (3, 3));
    }

    #[test]
    fn a_repeat_that_says_something_else_is_found() {
        let error = events(&[event(1, 0, "a"), event(1, 0, "b")], Log::Kafka).unwrap_err();
        assert!(error.to_string().contains("something else"), "{error}");
    }

    #[test]
    fn an_event_that_comes_first_after_a_later_one_is_found() {
        let error = events(&[event(2, 0, "a"), event(1, 0, "a")], Log::Kafka).unwrap_err();
        assert!(error.to_string().contains("taken for a repeat"), "{error}");
    }
}
