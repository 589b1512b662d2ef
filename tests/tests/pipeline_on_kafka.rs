//! The pipeline on a real Kafka and a real ClickHouse: what a sensor states arrives, whatever happens on the way.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use anyhow::{Context as _, Result};
use prost::Message as _;
use serde_json::Value;
use wardwatch_bus::{Message, Publication, TopicPartition};
use wardwatch_proto::v1::{Event, event};
use wardwatch_proto::{log, topic};
use wardwatch_service::{Counters, Secret};
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::{
    OTHER_SENSOR, OTHER_SITE, PARTITIONS, Pipeline, SENSOR, SITE, boot, hospital, recorded, until,
};
use wardwatch_tests::skip;

/// Says that a test is skipped where one of the engines is missing.
fn unless_engines(test: &str) -> bool {
    let test = format!("pipeline_on_kafka::{test}");
    skip::unless_kafka(&test) || skip::unless_clickhouse(&test)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sensor_states_arrives_and_the_sums_close() -> Result<()> {
    if unless_engines("what_a_sensor_states_arrives_and_the_sums_close") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let sensor = pipeline.play(&recorded()).await?;
    pipeline.settled().await?;

    let stated = sensor.total("sensor_flow_records");
    assert!(stated > 50, "{stated} flow records");
    assert_eq!(pipeline.number("count()", "flows").await?, stated);
    assert_eq!(pipeline.number("uniqExact(epoch, sequence, source_index)", "flows").await?, stated);
    assert_radiology_is_known(&pipeline).await?;
    assert_the_sums_close(&pipeline, &sensor);
    assert_the_manual_describes_every_counter(&pipeline, &sensor)?;
    assert_alerts_are_told_to_a_siem(&pipeline).await?;
    assert_eq!(pipeline.messages(topic::DEADLETTER).await?, []);
    pipeline.stop().await
}

/// The captures hold what hospital.toml describes; in radiology every device speaks, and scanners say their serial
/// numbers in the images that they send.
async fn assert_radiology_is_known(pipeline: &Pipeline) -> Result<()> {
    let known = pipeline.rows("SELECT serial_number, ips FROM v_devices").await?;
    let known: Vec<Value> = known.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>()?;
    for device in hospital()?.seen_in("radiology") {
        let Some(ip) = device.ip.map(|ip| Value::from(ip.to_string())) else { continue };
        let has_it = |known: &&Value| known["ips"].as_array().is_some_and(|ips| ips.contains(&ip));
        let found = known.iter().find(has_it);
        let found = found.with_context(|| format!("{} at {ip} is not known", device.name))?;
        if let Some(serial) = &device.serial {
            assert_eq!(found["serial_number"], serial.as_str(), "{}: {found}", device.name);
        }
    }
    Ok(())
}

/// Everything that comes into a service goes out of it or is counted with the reason why not.
fn assert_the_sums_close(pipeline: &Pipeline, sensor: &Counters) {
    let sum =
        |counters: &Counters, names: &[&str]| names.iter().map(|name| counters.total(name)).sum::<u64>();
    let (collector, enricher, alerter) =
        (pipeline.counters("collector"), pipeline.counters("enricher"), pipeline.counters("alerter"));
    assert_eq!(
        sensor.total("sensor_facts_cut"),
        sum(sensor, &["sensor_flow_records", "sensor_observations"])
    );
    assert_eq!(
        sensor.total("sensor_batches_cut"),
        sum(sensor, &["sensor_batches_acknowledged", "sensor_batches_rejected"])
    );
    assert_eq!(
        collector.total("collector_batches_received"),
        sum(
            collector,
            &["collector_batches_published", "collector_batches_rejected", "collector_batches_not_published"]
        )
    );
    assert_eq!(enricher.total("enricher_messages_received"), collector.total("collector_batches_published"));
    assert_eq!(
        enricher.total("enricher_messages_received"),
        sum(
            enricher,
            &[
                "enricher_batches_applied",
                "enricher_batches_resent",
                "enricher_commands_applied",
                "enricher_commands_ignored",
                "enricher_commands_repeated",
                "enricher_messages_put_aside",
            ]
        )
    );
    assert_eq!(enricher.total("enricher_facts_received"), sensor.total("sensor_facts_cut"));
    assert_eq!(
        enricher.total("enricher_facts_received"),
        sum(
            enricher,
            &[
                "enricher_flows_received",
                "enricher_observations_received",
                "enricher_observations_rejected",
                "enricher_facts_unknown",
            ]
        )
    );
    assert_eq!(enricher.total("enricher_facts_unknown"), 0);
    assert_eq!(enricher.total("enricher_observations_rejected"), 0, "the sensor keeps to the grammars");
    assert_eq!(alerter.total("alerter_messages_received"), enricher.total("enricher_events_published"));
    assert_eq!(
        alerter.total("alerter_messages_received"),
        sum(alerter, &["alerter_events_judged", "alerter_events_repeated", "alerter_messages_put_aside"])
    );
}

fn assert_the_manual_describes_every_counter(pipeline: &Pipeline, sensor: &Counters) -> Result<()> {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md"))?;
    let counters = pipeline.services().map(|service| &service.context.counters).chain([sensor]);
    let names: BTreeSet<String> = counters.flat_map(Counters::snapshot).map(|sample| sample.name).collect();
    let undescribed: Vec<_> = names.iter().filter(|name| !manual.contains(&format!("`{name}`"))).collect();
    assert!(names.len() > 50 && undescribed.is_empty(), "of {}: {undescribed:?}", names.len());
    Ok(())
}

/// One OCSF Detection Finding (class 2004) for each time that an alert was raised or changed, each with an identity of
/// its own.
async fn assert_alerts_are_told_to_a_siem(pipeline: &Pipeline) -> Result<()> {
    let alerts = pipeline.number("count()", "v_alerts").await?;
    assert!(alerts > 0, "the captures hold credentials in clear");
    let told = pipeline.messages(topic::SIEM_DETECTION).await?;
    let told: Vec<Value> =
        told.iter().map(|message| serde_json::from_slice(&message.payload)).collect::<Result<_, _>>()?;
    assert_eq!(told.len() as u64, pipeline.counters("alerter").total("alerter_findings_published"));
    let identities: BTreeSet<&str> =
        told.iter().filter_map(|event| event["metadata"]["uid"].as_str()).collect();
    assert_eq!(identities.len(), told.len(), "each has an identity of its own");
    assert!(told.iter().all(|event| event["class_uid"] == 2004), "{told:?}");
    let of: BTreeSet<&str> = told.iter().filter_map(|event| event["finding_info"]["uid"].as_str()).collect();
    assert_eq!(of.len() as u64, alerts, "every alert was told, and nothing else");

    let told = pipeline.messages(topic::SIEM_INVENTORY).await?;
    let told: Vec<Value> =
        told.iter().map(|message| serde_json::from_slice(&message.payload)).collect::<Result<_, _>>()?;
    assert_eq!(told.len() as u64, pipeline.counters("alerter").total("alerter_inventory_published"));
    let of: BTreeSet<&str> = told.iter().filter_map(|event| event["device"]["uid"].as_str()).collect();
    let devices = pipeline.number("count()", "devices FINAL").await?;
    assert_eq!(of.len() as u64, devices, "every device was told of, also one that became part of another");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_and_the_journal_lead_to_the_same_inventory() -> Result<()> {
    if unless_engines("kafka_and_the_journal_lead_to_the_same_inventory") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut on_kafka = Pipeline::on_kafka(&broker).await?;
    let mut embedded = Pipeline::embedded().await?;
    for pipeline in [&mut on_kafka, &mut embedded] {
        pipeline.play(&recorded()).await?;
        pipeline.settled().await?;
    }
    let devices = on_kafka.devices().await?;
    assert!(devices.len() > 20, "{} devices", devices.len());
    assert_eq!(devices, embedded.devices().await?);
    for said in ["SELECT * FROM v_attributes ORDER BY ALL", CHANGES, ALERTS] {
        assert_eq!(on_kafka.rows(said).await?, embedded.rows(said).await?, "{said}");
    }
    on_kafka.stop().await?;
    embedded.stop().await
}

const CHANGES: &str = "SELECT site, device, field, before, after, at FROM changes ORDER BY ALL";
const ALERTS: &str = "SELECT * FROM v_alerts ORDER BY alert";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_boot_on_the_same_traffic_adds_flow_rows_and_nothing_else() -> Result<()> {
    if unless_engines("a_second_boot_on_the_same_traffic_adds_flow_rows_and_nothing_else") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let attributes = "SELECT * EXCEPT count FROM v_attributes ORDER BY ALL";
    let mut after = Vec::new();
    for _ in 0..2 {
        pipeline.play(&recorded()).await?;
        pipeline.settled().await?;
        after.push((
            pipeline.number("count()", "flows").await?,
            pipeline.devices().await?,
            pipeline.rows(attributes).await?,
            pipeline.rows(CHANGES).await?,
            pipeline.rows(ALERTS).await?,
        ));
    }
    let [first, second] = after.try_into().expect("two boots");
    assert_eq!(second.0, 2 * first.0, "flow rows");
    assert_eq!(second.1, first.1, "devices");
    assert_eq!(second.2, first.2, "attributes");
    assert_eq!(second.3, first.3, "changes");
    assert_eq!(second.4, first.4, "alerts");
    assert_eq!(pipeline.number("uniqExact(epoch)", "flows").await?, 2);
    pipeline.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_cannot_be_read_are_put_aside_and_the_partition_goes_on() -> Result<()> {
    if unless_engines("messages_that_cannot_be_read_are_put_aside_and_the_partition_goes_on") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let captures = recorded();
    let (before, after) = captures.split_at(2);
    // No protobuf message begins with field 0; a record of a kind to come has a field that nobody knows yet (15).
    let unreadable: [(&[u8], &str); 2] =
        [(b"\x00\xffgarbage", "not-a-record"), (b"\x7a\x02hi", "unknown-kind")];
    let to = TopicPartition::new(topic::FACTS, log::partition_of(SITE, PARTITIONS));
    let mut stated = 0;
    for captures in [before, after] {
        for (payload, _) in unreadable {
            pipeline.bus.publish(Publication::new(to.clone(), payload).key("somebody")).await?;
        }
        stated += pipeline.play(captures).await?.total("sensor_flow_records");
    }
    pipeline.settled().await?;

    assert_eq!(pipeline.number("count()", "flows").await?, stated);
    let letters = pipeline.messages(topic::DEADLETTER).await?;
    let expected = [unreadable, unreadable].concat();
    let found: Vec<_> =
        letters.iter().map(|letter| (letter.payload.as_ref(), header(letter, "wardwatch-reason"))).collect();
    assert_eq!(found, expected);
    assert!(letters.iter().all(|letter| header(letter, "wardwatch-source") == to.to_string()));
    let offsets: Vec<_> = letters.iter().map(|letter| header(letter, "wardwatch-offset")).collect();
    assert_eq!(offsets.first().copied(), Some("0"), "where it stood: {offsets:?}");
    assert_eq!(pipeline.counters("enricher").total("enricher_messages_put_aside"), 4);
    pipeline.stop().await
}

fn header<'a>(message: &'a Message, name: &str) -> &'a str {
    message.headers.get(name).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("(none)")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_does_not_stop_the_alerter() -> Result<()> {
    if unless_engines("an_event_that_cannot_be_read_does_not_stop_the_alerter") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let to = TopicPartition::new(topic::EVENTS, log::partition_of(SITE, PARTITIONS));
    pipeline.bus.publish(Publication::new(to.clone(), b"\x00\xffgarbage".as_slice())).await?;
    pipeline.play(&recorded()).await?;
    pipeline.settled().await?;
    let letters = pipeline.messages(topic::DEADLETTER).await?;
    assert_eq!(letters.len(), 1);
    assert_eq!(header(&letters[0], "wardwatch-source"), to.to_string());
    // The events behind it were judged: each credential in clear became an alert.
    let events = pipeline.messages(topic::EVENTS).await?;
    let events = events.iter().filter_map(|message| Event::decode(message.payload.as_ref()).ok());
    let findings = events.filter(|event| matches!(event.event, Some(event::Event::Finding(_)))).count();
    assert!(findings > 0 && pipeline.number("count()", "v_alerts").await? > 0);
    pipeline.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_speaks_no_grpc_is_counted_and_streams_go_on() -> Result<()> {
    if unless_engines("whoever_speaks_no_grpc_is_counted_and_streams_go_on") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let mut config = pipeline.sensor(&recorded());
    // One batch at a time, so that the play is still going on below.
    config.uplink.unacknowledged_bytes = 1;
    config.batch.facts = 10;
    let sensor = boot(config);
    let collector = pipeline.counters("collector").clone();
    until("the first batches were published", || collector.total("collector_batches_published") > 2).await?;

    let address = pipeline.collector();
    let strangers: [&[u8]; 3] = [
        b"GET / HTTP/1.1\r\nHost: collector\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        &[0xff; 4096],
    ];
    for said in strangers {
        tokio::task::spawn_blocking(move || speak(address, said)).await??;
    }
    until("three strangers were counted", || collector.total("collector_connections_not_grpc") == 3).await?;

    let sensor = pipeline.finish(sensor).await?;
    assert_eq!(sensor.total("sensor_uplink_connections"), 1, "its stream was not disturbed");
    pipeline.settled().await?;
    assert_eq!(pipeline.number("count()", "flows").await?, sensor.total("sensor_flow_records"));
    assert_eq!(collector.total("collector_connections"), 4);
    pipeline.stop().await
}

/// Says something and listens until the other side has had enough.
fn speak(to: std::net::SocketAddr, said: &[u8]) -> Result<()> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(said)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // It may answer by a reset.
    let _ = stream.read_to_end(&mut Vec::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sensor_that_is_not_who_it_says_is_refused_and_told_why() -> Result<()> {
    if unless_engines("a_sensor_that_is_not_who_it_says_is_refused_and_told_why") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let right = pipeline.sensor(&recorded());
    let mut unknown = right.clone();
    unknown.uplink.token = Secret::new("a guess");
    let mut elsewhere = right.clone();
    OTHER_SITE.clone_into(&mut elsewhere.site);
    // A spool belongs to one name.
    elsewhere.spool.directory = pipeline.new_spool();
    let mut somebody_else = right.clone();
    OTHER_SENSOR.clone_into(&mut somebody_else.sensor);
    somebody_else.spool.directory = pipeline.new_spool();

    let refused = [
        (unknown, "the token is missing or unknown to this collector".to_owned()),
        (
            elsewhere,
            format!("the token is that of sensor {SENSOR} at site {SITE}, not of {SENSOR} at {OTHER_SITE}"),
        ),
        (
            somebody_else,
            format!("the token is that of sensor {SENSOR} at site {SITE}, not of {OTHER_SENSOR} at {SITE}"),
        ),
    ];
    for (config, reason) in refused {
        let sensor = boot(config);
        let why = format!("a sensor's readiness said {reason:?}");
        until(&why, || sensor.says("uplink").contains(&reason)).await?;
        assert_eq!(sensor.context.counters.total("sensor_batches_acknowledged"), 0);
    }
    let streams = pipeline.counters("collector").snapshot();
    let refusals = |reason: &str| {
        let of = streams.iter().find(|sample| {
            sample.name == "collector_streams_refused" && sample.labels.values().any(|value| value == reason)
        });
        of.map_or(0, |sample| match sample.reading {
            wardwatch_service::counters::Reading::Counter(count) => count,
            wardwatch_service::counters::Reading::Gauge(_) => 0,
        })
    };
    assert!(refusals("unknown token") > 0 && refusals("another sensor's token") > 1, "{streams:?}");

    // The right one is let in all the same, and what the others had to say is nowhere.
    let sensor = pipeline.play(&recorded()).await?;
    pipeline.settled().await?;
    assert_eq!(pipeline.number("count()", "flows").await?, sensor.total("sensor_flow_records"));
    pipeline.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_comes_back_loses_nothing() -> Result<()> {
    if unless_engines("a_broker_that_is_killed_and_comes_back_loses_nothing") {
        return Ok(());
    }
    let mut broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let mut config = pipeline.sensor(&recorded());
    // One batch at a time, so that the broker goes in the middle.
    config.uplink.unacknowledged_bytes = 1;
    config.batch.facts = 10;
    let sensor = boot(config);
    let collector = pipeline.counters("collector").clone();
    until("the first batches were published", || collector.total("collector_batches_published") > 4).await?;
    broker.kill().await?;
    assert!(!sensor.has_ended(), "the play was over before the broker was killed");
    broker.restart().await?;

    let sensor = pipeline.finish(sensor).await?;
    pipeline.settled().await?;
    assert_eq!(sensor.total("sensor_batches_acknowledged"), sensor.total("sensor_batches_cut"));
    let stated = sensor.total("sensor_flow_records");
    assert_eq!(pipeline.number("count()", "flows").await?, stated);
    assert_eq!(pipeline.number("uniqExact(epoch, sequence, source_index)", "flows").await?, stated);

    // A site that was watched in peace has come to the same devices.
    let peaceful = boot(pipeline.other_sensor(&recorded()));
    pipeline.finish(peaceful).await?;
    pipeline.settled().await?;
    let of = |site: &str| {
        format!(
            "SELECT name, type, manufacturer, model, serial_number, macs, ips, score, factor_names, first_seen, last_seen \
             FROM v_devices WHERE site = '{site}' ORDER BY ALL"
        )
    };
    let devices = pipeline.rows(&of(SITE)).await?;
    assert!(devices.len() > 20, "{} devices", devices.len());
    assert_eq!(devices, pipeline.rows(&of(OTHER_SITE)).await?);
    pipeline.stop().await
}
