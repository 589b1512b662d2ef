//! The engines themselves: what every other test here takes for granted.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clickhouse::Row;
use futures::future::try_join_all;
use rdkafka::Message;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::skip;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

async fn produce(broker: &Broker, topic: &str, numbers: std::ops::Range<u32>) {
    let producer: FutureProducer = broker
        .client_config()
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", "60000")
        .create()
        .unwrap();
    let acknowledged = numbers.map(|number| {
        let producer = producer.clone();
        async move {
            let (key, payload) = (number.to_string(), number.to_be_bytes());
            let record = FutureRecord::to(topic).key(&key).payload(&payload);
            producer.send(record, PATIENCE).await.map_err(|(error, _)| error)
        }
    });
    try_join_all(acknowledged).await.unwrap();
}

fn consumer(broker: &Broker, group: &str) -> StreamConsumer {
    broker
        .client_config()
        .set("group.id", group)
        .set("session.timeout.ms", "6000")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap()
}

async fn consume(consumer: &StreamConsumer, count: usize) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    while numbers.len() < count {
        match timeout(PATIENCE, consumer.recv()).await.unwrap() {
            Ok(message) => {
                numbers.insert(u32::from_be_bytes(message.payload().unwrap().try_into().unwrap()));
            }
            // While a broker is away.
            Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure,
            )) => {}
            Err(error) => panic!("{error}"),
        }
    }
    numbers
}

#[tokio::test]
async fn a_broker_delivers_what_it_acknowledged() {
    if skip::unless_kafka("a_broker_delivers_what_it_acknowledged") {
        return;
    }
    let broker = Broker::shared().await.unwrap();
    broker.create_topic("delivery", 4, &[("retention.ms", "3600000")]).await.unwrap();
    produce(broker, "delivery", 0..1000).await;

    let first = consumer(broker, "delivery");
    first.subscribe(&["delivery"]).unwrap();
    assert_eq!(consume(&first, 1000).await, (0..1000).collect());
    first.commit_consumer_state(CommitMode::Sync).unwrap();
    drop(first);

    // The next member of the group goes on where the first one committed.
    produce(broker, "delivery", 1000..1001).await;
    let second = consumer(broker, "delivery");
    second.subscribe(&["delivery"]).unwrap();
    assert_eq!(consume(&second, 1).await, BTreeSet::from([1000]));
}

#[tokio::test]
async fn a_broker_makes_topics_only_on_purpose() {
    if skip::unless_kafka("a_broker_makes_topics_only_on_purpose") {
        return;
    }
    let broker = Broker::shared().await.unwrap();
    // How long a client waits for a topic that it has not heard of.
    let producer: FutureProducer =
        broker.client_config().set("topic.metadata.propagation.max.ms", "500").create().unwrap();
    let record = FutureRecord::to("nobody-made-this").key("k").payload("v");
    let (error, _) = producer.send(record, PATIENCE).await.unwrap_err();
    assert!(
        matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition)
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_killed_broker_comes_back_with_what_it_acknowledged() {
    if skip::unless_kafka("a_killed_broker_comes_back_with_what_it_acknowledged") {
        return;
    }
    let mut broker = Broker::start().await.unwrap();
    broker.create_topic("kept", 2, &[]).await.unwrap();
    produce(&broker, "kept", 0..500).await;
    let pid = broker.pid().unwrap();
    broker.kill().await.unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists());

    broker.restart().await.unwrap();
    produce(&broker, "kept", 500..1000).await;
    broker.stop().await.unwrap();
    broker.restart().await.unwrap();

    let reader = consumer(&broker, "reader");
    reader.subscribe(&["kept"]).unwrap();
    assert_eq!(consume(&reader, 1000).await, (0..1000).collect());
}

#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
struct Reading {
    at: u32,
    device: String,
}

fn readings(numbers: std::ops::Range<u32>) -> Vec<Reading> {
    numbers.map(|at| Reading { at, device: format!("pump-{at}") }).collect()
}

async fn insert(client: &clickhouse::Client, readings: &[Reading]) {
    let mut insert = client.insert::<Reading>("readings").await.unwrap();
    for reading in readings {
        insert.write(reading).await.unwrap();
    }
    insert.end().await.unwrap();
}

async fn select(client: &clickhouse::Client) -> Vec<Reading> {
    client.query("SELECT ?fields FROM readings ORDER BY at").fetch_all::<Reading>().await.unwrap()
}

const CREATE: &str = "CREATE TABLE readings (at UInt32, device String) ENGINE = MergeTree ORDER BY at";

#[tokio::test]
async fn a_server_stores_rows_and_tests_do_not_meet_in_it() {
    if skip::unless_clickhouse("a_server_stores_rows_and_tests_do_not_meet_in_it") {
        return;
    }
    let server = Server::shared().await.unwrap();
    for _ in 0..2 {
        let client = server.client().with_database(server.new_database().await.unwrap());
        client.query(CREATE).execute().await.unwrap();
        insert(&client, &readings(0..1000)).await;
        assert_eq!(select(&client).await, readings(0..1000));
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_acknowledged() {
    if skip::unless_clickhouse("a_killed_server_comes_back_with_what_it_acknowledged") {
        return;
    }
    let mut server = Server::start().await.unwrap();
    let client = server.client();
    client.query(CREATE).execute().await.unwrap();
    insert(&client, &readings(0..500)).await;
    server.kill().await.unwrap();
    assert!(client.query("SELECT 1").execute().await.is_err());

    server.restart().await.unwrap();
    insert(&client, &readings(500..1000)).await;
    server.stop().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(select(&client).await, readings(0..1000));
}
