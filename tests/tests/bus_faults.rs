//! The log on Kafka while its broker dies and comes back: nothing acknowledged is lost, nothing comes twice, order stays.

#![allow(missing_docs, reason = "a test")]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::timeout;
use wardwatch_bus::config::{BusKind, KafkaConfig};
use wardwatch_bus::{Bus, BusConfig, Consumer, Delivery, Publication, TopicPartition, TopicSpec};
use wardwatch_service::Counters;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::skip;

const TOPIC: &str = "faults";
/// Far longer than a broker takes to come back.
const AT_MOST: Duration = Duration::from_mins(2);

fn config(broker: &Broker) -> BusConfig {
    let kafka = KafkaConfig {
        brokers: vec![broker.bootstrap_servers().to_owned()],
        linger: Duration::from_millis(5),
        session_timeout: Duration::from_secs(10),
        // How long a ping waits for a broker that is away.
        request_timeout: Duration::from_secs(3),
        properties: BTreeMap::from([("broker.address.family".to_owned(), "v4".to_owned())]),
        ..KafkaConfig::default()
    };
    BusConfig { kind: BusKind::Kafka, kafka, ..BusConfig::default() }
}

fn partition() -> TopicPartition {
    TopicPartition::new(TOPIC, 0)
}

async fn started(bus: &Arc<dyn Bus>) -> Result<Arc<dyn Consumer>> {
    let consumer = bus.subscribe("reader", &[TOPIC]).await?;
    let assigned = timeout(AT_MOST, consumer.next()).await.context("wait for the assignment")??;
    ensure!(matches!(assigned, Delivery::Assigned(_)), "an assignment was expected: {assigned:?}");
    consumer.seek(&partition(), 0).await?;
    Ok(consumer)
}

/// Reads until this many messages have come, from wherever the group says; a partition that is assigned again goes on
/// where it was.
async fn read(consumer: &Arc<dyn Consumer>, texts: &mut Vec<String>, count: usize) -> Result<()> {
    while texts.len() < count {
        match timeout(AT_MOST, consumer.next()).await.context("wait for a message")?? {
            Delivery::Message(message) => {
                ensure!(
                    message.offset == texts.len() as u64,
                    "offset {} after {} messages",
                    message.offset,
                    texts.len()
                );
                texts.push(String::from_utf8_lossy(&message.payload).into_owned());
            }
            Delivery::Assigned(_) => consumer.seek(&partition(), texts.len() as u64).await?,
            Delivery::Revoked { .. } => {}
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_costs_time_and_nothing_else() -> Result<()> {
    if skip::unless_kafka("a_broker_that_is_killed_costs_time_and_nothing_else") {
        return Ok(());
    }
    let mut broker = Broker::start().await?;
    let bus = wardwatch_bus::open(&config(&broker), &Counters::default()).await?;
    bus.ensure_topics(&[TopicSpec::new(TOPIC, 1).replication(1)]).await?;
    let consumer = started(&bus).await?;

    let mut receipts = Vec::new();
    let mut texts = Vec::new();
    for round in 0..3_u64 {
        for number in 0..300 {
            let publication = Publication::new(partition(), format!("{round}/{number}"));
            receipts.push(bus.enqueue(publication).await?);
            if number == 150 && round > 0 {
                broker.kill().await?;
            }
        }
        if broker.pid().is_none() {
            ensure!(
                bus.ping().await.is_err_and(|error| error.is_retriable()),
                "a broker that is away answers"
            );
            broker.restart().await?;
        }
        for (receipt, expected) in std::mem::take(&mut receipts).into_iter().zip(round * 300_u64..) {
            let offset = timeout(AT_MOST, receipt).await.context("wait for a receipt")??;
            ensure!(offset == expected, "offset {offset} where {expected} was expected");
        }
        read(&consumer, &mut texts, (round as usize + 1) * 300).await?;
    }
    let expected: Vec<_> =
        (0..3).flat_map(|round| (0..300).map(move |number| format!("{round}/{number}"))).collect();
    ensure!(texts == expected, "what was read is not what was published");
    bus.ping().await?;
    consumer.leave().await?;
    Ok(())
}

/// Bytes that no compression makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_past_a_message_that_the_broker_refused_before_its_sender_knows() -> Result<()> {
    if skip::unless_kafka("nothing_goes_past_a_message_that_the_broker_refused_before_its_sender_knows") {
        return Ok(());
    }
    let broker = Broker::start().await?;
    // Smaller than our own bound, so that the broker is the one who refuses.
    broker.create_topic(TOPIC, 2, &[("max.message.bytes", "20000")]).await?;
    let counters = Counters::default();
    let bus = wardwatch_bus::open(&config(&broker), &counters).await?;
    let other = TopicPartition::new(TOPIC, 1);
    ensure!(bus.publish(Publication::new(partition(), "before")).await? == 0, "the first message");
    ensure!(bus.publish(Publication::new(other.clone(), "before")).await? == 0, "the first message");

    let refused = bus.enqueue(Publication::new(partition(), noise(100_000))).await?;
    let replaced = async {
        while counters.total("bus_producers_replaced") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(AT_MOST, replaced).await.context("wait for another producer")?;

    // Other partitions go on, this one does not.
    let offset = timeout(AT_MOST, bus.publish(Publication::new(other, "behind"))).await??;
    ensure!(offset == 1, "offset {offset} where 1 was expected");
    let behind = bus.enqueue(Publication::new(partition(), "behind")).await;
    ensure!(behind.is_err_and(|error| error.is_retriable()), "a message went past one that failed");
    ensure!(timeout(AT_MOST, refused).await?.is_err(), "a refused message counts as delivered");
    let offset = timeout(AT_MOST, bus.publish(Publication::new(partition(), "behind"))).await??;
    ensure!(offset == 1, "offset {offset} where 1 was expected");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_while_the_broker_is_away_waits_as_long_as_is_configured() -> Result<()> {
    if skip::unless_kafka("who_asks_while_the_broker_is_away_waits_as_long_as_is_configured") {
        return Ok(());
    }
    let mut broker = Broker::start().await?;
    broker.create_topic(TOPIC, 2, &[]).await?;
    broker.kill().await?;
    let patient = wardwatch_bus::open(&config(&broker), &Counters::default()).await?;
    let mut hasty = config(&broker);
    hasty.kafka.retry_for = Duration::ZERO;
    let hasty = wardwatch_bus::open(&hasty, &Counters::default()).await?;

    let asked = tokio::spawn(async move { patient.partitions(TOPIC).await });
    let error = hasty.partitions(TOPIC).await.expect_err("nobody answers");
    ensure!(error.is_retriable(), "{error}");
    ensure!(!asked.is_finished(), "it was given up although it had time");
    broker.restart().await?;
    ensure!(timeout(AT_MOST, asked).await??? == 2, "the topic has two partitions");
    Ok(())
}
