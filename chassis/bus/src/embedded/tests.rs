//! What only the embedded bus promises: a bound, retention that waits for groups, one owner.

use std::time::Duration;

use tempfile::TempDir;
use wardwatch_service::Counters;

use super::*;
use crate::bus::Delivery;
use crate::message::Message;

const FACTS: &str = "facts";
const RECORD: usize = 1000;

struct Small {
    directory: TempDir,
    config: EmbeddedConfig,
    counters: Counters,
}

impl Small {
    /// Room for some twenty records.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = EmbeddedConfig {
            directory: directory.path().to_owned(),
            max_bytes: 20_500,
            queue_bytes: 3100,
            largest_message: 1100,
        };
        Self { directory, config, counters: Counters::default() }
    }

    fn open(&self) -> EmbeddedBus {
        EmbeddedBus::open(&self.config, &self.counters).expect("the bus opens")
    }
}

fn facts() -> TopicPartition {
    TopicPartition::new(FACTS, 0)
}

fn record() -> Publication {
    Publication::new(facts(), vec![1; RECORD])
}

async fn earliest(bus: &EmbeddedBus) -> u64 {
    bus.watermarks(&facts()).await.expect("watermarks").earliest
}

async fn started(bus: &EmbeddedBus, group: &str) -> Arc<dyn Consumer> {
    let consumer = bus.subscribe(group, &[FACTS]).await.expect("subscribed");
    assert!(matches!(consumer.next().await, Ok(Delivery::Assigned(_))));
    consumer.seek(&facts(), 0).await.expect("sought");
    consumer
}

async fn message(consumer: &Arc<dyn Consumer>) -> Message {
    match consumer.next().await {
        Ok(Delivery::Message(message)) => message,
        other => panic!("a message was expected: {other:?}"),
    }
}

#[tokio::test]
async fn at_the_bound_what_nobody_needs_goes_first() {
    let small = Small::new();
    let bus = small.open();
    bus.ensure_topics(&[TopicSpec::new(FACTS, 1), TopicSpec::new("siem", 1)]).await.expect("made");
    let consumer = started(&bus, "enricher").await;
    for _ in 0..8 {
        bus.publish(record()).await.expect("room");
    }
    consumer.commit(&facts(), 3).await.expect("committed");
    for _ in 0..40 {
        bus.publish(Publication::new(TopicPartition::new("siem", 0), vec![2; RECORD]))
            .await
            .expect("room is made");
    }
    assert_eq!(earliest(&bus).await, 3, "what the group has committed is gone, what it needs is there");
    let siem = bus.watermarks(&TopicPartition::new("siem", 0)).await.expect("watermarks");
    assert_eq!(siem.end, 40);
    assert!(siem.earliest > 20, "a topic without a group gives way: {siem:?}");
    assert!(small.counters.total("bus_trimmed_bytes") > 20_000);
    bus.ping().await.expect("it is not full");
}

#[tokio::test]
async fn when_all_is_needed_publishing_waits_and_says_for_whom() {
    let small = Small::new();
    let bus = small.open();
    bus.ensure_topics(&[TopicSpec::new(FACTS, 1)]).await.expect("made");
    let consumer = started(&bus, "enricher").await;
    let mut receipts = Vec::new();
    // Twenty fit, three more may wait; the next one has to wait even to be taken.
    for _ in 0..23 {
        receipts.push(bus.enqueue(record()).await.expect("taken"));
    }
    let one_more = bus.enqueue(record());
    let waited = tokio::time::timeout(Duration::from_millis(300), one_more).await;
    assert!(waited.is_err(), "the queue is bounded");
    let error = bus.ping().await.expect_err("it is full");
    assert!(error.to_string().ends_with("group enricher has committed facts/0 up to 0"), "{error}");
    assert!(error.is_retriable());

    for _ in 0..12 {
        message(&consumer).await;
    }
    consumer.commit(&facts(), 12).await.expect("a commit passes while publishing waits");
    for (receipt, expected) in receipts.into_iter().zip(0..) {
        assert_eq!(receipt.await.expect("published in the end"), expected);
    }
    bus.ping().await.expect("there is room again");
    for expected in 12..23 {
        assert_eq!(message(&consumer).await.offset, expected, "nothing that was needed is lost");
    }
}

/// Reads a topic, publishes to the next, and commits only then, as every service does.
async fn pass_on(bus: EmbeddedBus, group: &str, from: &str, to: &str, count: u64) {
    let consumer = bus.subscribe(group, &[from]).await.expect("subscribed");
    let from = TopicPartition::new(from, 0);
    assert!(matches!(consumer.next().await, Ok(Delivery::Assigned(_))));
    consumer.seek(&from, 0).await.expect("sought");
    for _ in 0..count {
        let message = message(&consumer).await;
        let next = Publication::new(TopicPartition::new(to, 0), message.payload);
        bus.publish(next).await.expect("published");
        consumer.commit(&from, message.offset + 1).await.expect("committed");
    }
}

#[tokio::test]
async fn a_row_of_services_gets_through_a_log_that_is_always_full() {
    const COUNT: u64 = 120;
    let small = Small::new();
    let bus = small.open();
    let topics = [FACTS, "events", "siem"].map(|name| TopicSpec::new(name, 1));
    bus.ensure_topics(&topics).await.expect("made");
    // Full of facts before anyone reads any.
    let reader = started(&bus, "enricher").await;
    let publisher = {
        let bus = bus.clone();
        tokio::spawn(async move {
            for _ in 0..COUNT {
                bus.enqueue(record()).await.expect("taken");
            }
        })
    };
    while bus.ping().await.is_ok() {
        tokio::task::yield_now().await;
    }
    drop(reader);
    let row = async {
        tokio::join!(
            pass_on(bus.clone(), "enricher", FACTS, "events", COUNT),
            pass_on(bus.clone(), "alerter", "events", "siem", COUNT),
        )
    };
    tokio::time::timeout(Duration::from_mins(1), row).await.expect("nobody waits for ever");
    publisher.await.expect("published");
    let end = bus.watermarks(&TopicPartition::new("siem", 0)).await.expect("watermarks").end;
    assert_eq!(end, COUNT);
}

#[tokio::test]
async fn retention_trims_what_is_old_as_far_as_groups_have_come() {
    let small = Small::new();
    let bus = small.open();
    let topic = TopicSpec::new(FACTS, 1).retention(Duration::from_millis(1));
    bus.ensure_topics(&[topic]).await.expect("made");
    let consumer = started(&bus, "enricher").await;
    for _ in 0..6 {
        bus.publish(record()).await.expect("published");
    }
    consumer.commit(&facts(), 4).await.expect("committed");
    while earliest(&bus).await < 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(earliest(&bus).await, 4, "what is needed stays however old it is");
    let error = consumer.seek(&facts(), 3).await.expect_err("trimmed");
    let found = Watermarks { earliest: 4, end: 6 };
    assert!(matches!(&error, Error::OffsetOutOfRange { wanted: 3, found: f, .. } if *f == found), "{error}");
}

#[tokio::test]
async fn retention_by_bytes_keeps_the_newest() {
    let small = Small::new();
    let bus = small.open();
    let topic = TopicSpec::new(FACTS, 1).retention_bytes(5 * RECORD as u64 + 200);
    bus.ensure_topics(&[topic]).await.expect("made");
    for _ in 0..9 {
        bus.publish(record()).await.expect("published");
    }
    while earliest(&bus).await < 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bus.watermarks(&facts()).await.expect("watermarks"), Watermarks { earliest: 4, end: 9 });
}

#[tokio::test]
async fn a_group_that_is_away_is_still_waited_for_after_a_restart() {
    let small = Small::new();
    {
        let bus = small.open();
        bus.ensure_topics(&[TopicSpec::new(FACTS, 1).retention(Duration::from_millis(1))])
            .await
            .expect("made");
        started(&bus, "alerter").await.commit(&facts(), 0).await.expect("committed");
        bus.publish(record()).await.expect("published");
    }
    let bus = small.open();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(earliest(&bus).await, 0);
}

#[tokio::test]
async fn a_directory_has_one_owner_and_is_free_when_the_bus_is_gone() {
    let small = Small::new();
    let bus = small.open();
    let error = EmbeddedBus::open(&small.config, &small.counters).expect_err("it is open");
    assert!(matches!(&error, Error::Journal { .. }), "{error}");
    let source = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(source.ends_with("is already open elsewhere"), "{source}");
    drop(bus);
    small.open();
}

#[tokio::test]
async fn what_was_enqueued_is_synced_when_the_bus_is_dropped() {
    let small = Small::new();
    {
        let bus = small.open();
        bus.ensure_topics(&[TopicSpec::new(FACTS, 1)]).await.expect("made");
        for _ in 0..3 {
            bus.enqueue(record()).await.expect("taken");
        }
    }
    assert_eq!(small.open().watermarks(&facts()).await.expect("watermarks").end, 3);
}

#[tokio::test]
async fn a_sync_is_shared_by_those_who_wait_for_it() {
    let mut small = Small::new();
    small.config.queue_bytes = 1 << 20;
    small.config.max_bytes = 1 << 20;
    let bus = small.open();
    bus.ensure_topics(&[TopicSpec::new(FACTS, 1)]).await.expect("made");
    let before = small.counters.total("bus_syncs");
    let mut receipts = Vec::new();
    for _ in 0..500 {
        receipts.push(bus.enqueue(record()).await.expect("taken"));
    }
    futures::future::try_join_all(receipts).await.expect("published");
    let syncs = small.counters.total("bus_syncs") - before;
    assert!((1..250).contains(&syncs), "{syncs} syncs for 500 messages");
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let small = Small::new();
    let refused = |config: EmbeddedConfig| {
        EmbeddedBus::open(&config, &small.counters).expect_err("it cannot work").to_string()
    };
    let error = refused(EmbeddedConfig { max_bytes: 17_599, ..small.config.clone() });
    assert_eq!(
        error,
        "setting embedded.max_bytes: 17599 is less than sixteen of the largest messages, 17600"
    );
    let error = refused(EmbeddedConfig { queue_bytes: 0, ..small.config.clone() });
    assert!(error.starts_with("setting embedded.queue_bytes"), "{error}");
    let file = small.directory.path().join("file");
    std::fs::write(&file, "").expect("written");
    let error = refused(EmbeddedConfig { directory: file.join("bus"), ..small.config.clone() });
    assert!(error.contains(&file.display().to_string()), "{error}");
}
