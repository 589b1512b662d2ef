//! What goes in and what comes out: rows, events, dead letters, counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::rig::{Rig, batch, facts};
use async_trait::async_trait;
use prost::Message as _;
use wardwatch_bus::{
    Bus, Consumer, Error, Publication, Receipt, Result, TopicPartition, TopicSpec, Watermarks,
};
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{
    AcknowledgeAlert, Attribute, Batch, Command, Event, Fact, LogRecord, Observation, command, event,
    log_record,
};
use wardwatch_proto::{log, topic};

#[tokio::test]
async fn facts_become_flows_devices_and_events() {
    let Some(rig) = Rig::new("facts_become_flows_devices_and_events").await else { return };
    rig.send(batch("north", 7, 1, 11)).await;
    rig.send(batch("south", 9, 1, 12)).await;
    let context = rig.run_to_the_end().await;

    let flow = rig
        .lines(
            "SELECT concat(initiator_address, ':', toString(initiator_port), ' ', initiator_mac, ' > ', responder_address, ':',
                toString(responder_port), ' ', protocol, ' ', end_reason, ' ', toString(vlans), ' ', toString(start), ' ',
                toString(end), ' ', toString(initiator_packets), '/', toString(initiator_frame_bytes), ' ',
                toString(responder_packets), '/', toString(responder_payload_bytes), ' ', community_id) AS line
            FROM v_flows WHERE site = 'north'",
        )
        .await;
    // base64 of twenty bytes 0x07, and 1,700,000,001 s after 1970 as GNU date prints it.
    let expected = "10.1.0.11:40000 00:09:fb:00:00:0b > 10.1.0.200:104 dicom finished [30] \
                    2023-11-14 22:13:21.000000000 2023-11-14 22:13:21.500000000 5/500 4/144 \
                    1:BwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    assert_eq!(flow, [expected]);

    let devices = rig.lines("SELECT concat(site, ' ', ips[1]) AS line FROM v_devices ORDER BY line").await;
    assert_eq!(devices, ["north 10.1.0.11", "north 10.1.0.200", "south 10.1.0.12", "south 10.1.0.200"]);
    let resolved =
        "flows WHERE initiator = initiator_device AND initiator_device IN (SELECT device FROM v_devices)";
    assert_eq!(rig.number("count()", resolved).await, 2);

    let events = rig.events().await;
    let appeared = events.iter().filter(|event| matches!(event.event, Some(event::Event::DeviceAppeared(_))));
    assert_eq!(appeared.count(), 4);

    let total = |name: &str| context.counters.total(name);
    assert_eq!(total("enricher_messages_received"), 2);
    assert_eq!(total("enricher_batches_applied"), 2);
    assert_eq!(total("enricher_facts_received"), 6);
    assert_eq!(total("enricher_flows_received") + total("enricher_observations_received"), 6);
    assert_eq!(total("enricher_events_published"), events.len() as u64);
    let rows = rig.number("count()", "flows").await
        + rig.number("count()", "conversations").await
        + rig.number("count()", "site_minute").await
        + rig.number("count()", "sensor_boots FINAL").await
        + rig.number("count()", "devices FINAL").await
        + rig.number("count()", "sightings FINAL").await
        + rig.number("count()", "attributes FINAL").await
        + rig.number("count()", "changes").await;
    assert_eq!(total("enricher_rows_written"), rows);
}

#[tokio::test]
async fn a_device_that_is_only_seen_again_is_told_so_in_few_bytes() {
    let test = "a_device_that_is_only_seen_again_is_told_so_in_few_bytes";
    let Some(rig) = Rig::new(test).await else { return };
    let seen = |second: u64| Batch { facts: facts(1, second), ..batch("north", 7, second, 1) };
    let versions = "SELECT toString(version) AS line FROM devices FINAL ORDER BY device";
    let last = "SELECT toString(last_seen) AS line FROM v_devices ORDER BY device";
    rig.send(seen(1)).await;
    rig.run_to_the_end().await;
    let (described, before) = (rig.lines(versions).await, rig.lines(last).await);
    rig.send(seen(70)).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(versions).await, described, "nothing else is different");
    assert_eq!(rig.number("count()", "sightings FINAL").await, 2);
    let minute = rig.lines(last).await;
    assert!(
        before.iter().zip(&minute).all(|(before, minute)| before < minute),
        "{before:?}, then {minute:?}"
    );

    rig.send(seen(3700)).await;
    rig.run_to_the_end().await;
    assert!(rig.lines(versions).await.iter().zip(&described).all(|(now, before)| now > before));
    let hour = rig.lines(last).await;
    assert!(minute.iter().zip(&hour).all(|(minute, hour)| minute < hour), "{minute:?}, then {hour:?}");
}

#[tokio::test]
async fn a_value_outside_its_grammar_is_counted_and_not_believed() {
    let Some(rig) = Rig::new("a_value_outside_its_grammar_is_counted_and_not_believed").await else { return };
    let mut lying = batch("north", 7, 1, 11);
    let patient = Observation {
        attribute: Attribute::DicomModality.into(),
        value: "DOE^JANE 19700101".into(),
        subject: Some(wardwatch_proto::v1::Subject {
            endpoint: Some(crate::rig::endpoint(11, 0)),
            ..Default::default()
        }),
        ..Observation::default()
    };
    lying.facts.push(Fact { fact: Some(Stated::Observation(patient)) });
    rig.send(lying).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("enricher_observations_rejected"), 1);
    assert_eq!(rig.number("countIf(value LIKE '%DOE%')", "attributes").await, 0);
    assert_eq!(rig.number("count()", "flows").await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_and_its_neighbours_are_stored() {
    let test = "what_cannot_be_read_is_put_aside_and_its_neighbours_are_stored";
    let Some(rig) = Rig::new(test).await else { return };
    rig.send(batch("north", 7, 1, 11)).await;
    let at = rig.send_bytes("north", b"\xffnot a record".to_vec()).await;
    rig.send(batch("north", 7, 2, 12)).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows").await, 2);
    assert_eq!(context.counters.total("enricher_messages_put_aside"), 1);

    let letters = rig.messages(topic::DEADLETTER).await;
    assert_eq!(letters.len(), 1);
    let header =
        |name: &str| String::from_utf8_lossy(letters[0].headers.get(name).unwrap_or_default()).into_owned();
    assert_eq!(letters[0].payload.as_ref(), b"\xffnot a record");
    assert_eq!(header("wardwatch-reason"), "not-a-record");
    assert_eq!(header("wardwatch-offset"), at.to_string());
    let partition = log::partition_of("north", crate::rig::PARTITIONS);
    assert_eq!(header("wardwatch-source"), format!("wardwatch.facts/{partition}"));
}

#[tokio::test]
async fn a_command_is_forwarded_from_its_place_in_the_log() {
    let Some(rig) = Rig::new("a_command_is_forwarded_from_its_place_in_the_log").await else { return };
    let acknowledge = AcknowledgeAlert { alert: "a-1".into(), note: "known".into() };
    let command = Command {
        id: "6f1c9a52-7f0f-4f0e-8f57-0d4f7f0c5a11".into(),
        site: "north".into(),
        author: "nurse.station".into(),
        at: 5,
        action: Some(command::Action::AcknowledgeAlert(acknowledge)),
    };
    rig.send(batch("north", 7, 1, 11)).await;
    let record = LogRecord { record: Some(log_record::Record::Command(command.clone())) };
    let at = rig.send_bytes("north", record.encode_to_vec()).await;
    rig.run_to_the_end().await;
    let events = rig.events().await;
    let forwarded: Vec<&Event> =
        events.iter().filter(|event| matches!(event.event, Some(event::Event::Command(_)))).collect();
    assert_eq!(forwarded.len(), 1);
    assert_eq!(forwarded[0].event, Some(event::Event::Command(command)));
    let source = forwarded[0].source.expect("a place");
    assert_eq!((source.incarnation, source.offset), (1, at));
    assert!(forwarded[0].log_time > 0);
}

#[tokio::test]
async fn a_partition_that_cannot_put_a_message_aside_stands_still_and_says_so() {
    let test = "a_partition_that_cannot_put_a_message_aside_stands_still_and_says_so";
    let Some(rig) = Rig::new(test).await else { return };
    let other = "south".to_owned();
    assert_ne!(
        log::partition_of(&other, crate::rig::PARTITIONS),
        log::partition_of("north", crate::rig::PARTITIONS)
    );
    rig.send(batch("north", 7, 1, 11)).await;
    rig.send_bytes("north", b"\xffnot a record".to_vec()).await;
    rig.send(batch("north", 7, 2, 12)).await;
    let there = rig.send(batch(&other, 7, 1, 13)).await;

    let broken = Arc::new(AtomicBool::new(true));
    let bus = Arc::new(WithoutDeadLetters { inner: Arc::clone(&rig.bus), broken: Arc::clone(&broken) });
    let running = rig.start_on(bus);
    running.reached(log::partition_of(&other, crate::rig::PARTITIONS), there + 1).await;
    let partition = log::partition_of("north", crate::rig::PARTITIONS);
    let said = running.said(|said| said.contains("aside")).await;
    assert!(said.starts_with(&format!("partition {partition} stands still")), "{said}");

    broken.store(false, Ordering::Relaxed);
    running.caught_up().await;
    assert!(running.context.health.ready());
    running.stop().await;
    assert_eq!(rig.number("count()", "flows").await, 3);
    assert_eq!(rig.messages(topic::DEADLETTER).await.len(), 1);
}

/// A log whose dead letters cannot be written for a while.
#[derive(Debug)]
struct WithoutDeadLetters {
    inner: Arc<dyn Bus>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Bus for WithoutDeadLetters {
    async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<()> {
        self.inner.ensure_topics(specs).await
    }

    async fn partitions(&self, topic: &str) -> Result<u32> {
        self.inner.partitions(topic).await
    }

    async fn enqueue(&self, publication: Publication) -> Result<Receipt> {
        if publication.to.topic.as_ref() == topic::DEADLETTER && self.broken.load(Ordering::Relaxed) {
            return Err(Error::UnknownTopic { topic: topic::DEADLETTER.into() });
        }
        self.inner.enqueue(publication).await
    }

    async fn flush(&self) -> Result<()> {
        self.inner.flush().await
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Arc<dyn Consumer>> {
        self.inner.subscribe(group, topics).await
    }

    async fn watermarks(&self, of: &TopicPartition) -> Result<Watermarks> {
        self.inner.watermarks(of).await
    }

    async fn committed(&self, group: &str, of: &TopicPartition) -> Result<Option<u64>> {
        self.inner.committed(group, of).await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }

    fn largest_message(&self) -> usize {
        self.inner.largest_message()
    }
}
