//! An enricher on a real ClickHouse and a journal of its own, and the facts to feed it with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prost::Message as _;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardwatch_bus::config::EmbeddedConfig;
use wardwatch_bus::{Bus, Delivery, EmbeddedBus, Message, Publication, TopicPartition, TopicSpec};
use wardwatch_enricher::{Config, Parts, Progress, serve_on};
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{
    Attribute, Batch, Command, EndReason, Endpoint, Event, Fact, Flow, LogRecord, Observation, Protocol,
    Subject, command, log_record, subject,
};
use wardwatch_proto::{log, topic, v1};
use wardwatch_service::{Context, Counters, ServiceInfo};
use wardwatch_store::{Row, Store};
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::skip;

/// Longer than anything here takes; who waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Partitions of every topic here.
pub(crate) const PARTITIONS: u32 = 4;

/// What an enricher stands on.
pub(crate) struct Rig {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) store: Store,
    pub(crate) config: Config,
    _log: Log,
}

/// What lives as long as the rig does.
enum Log {
    Journal(#[expect(dead_code, reason = "removed when dropped")] TempDir),
    Kafka(#[expect(dead_code, reason = "killed when dropped")] Broker),
}

/// A running enricher. Dropping it is a crash.
pub(crate) struct Running {
    pub(crate) context: Context,
    progress: Progress,
    bus: Arc<dyn Bus>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Rig {
    /// Empty tables and topics in a journal; `None`, said aloud, where there is no ClickHouse.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let (config, store) = tables(test).await?;
        let (bus, journal) = new_bus().await;
        Some(Self { bus, store, config, _log: Log::Journal(journal) })
    }

    /// As [`Rig::new`], with a server of its own that may be killed.
    pub(crate) async fn with_a_server(test: &str) -> Option<(Self, Server)> {
        if skip::unless_clickhouse(test) {
            return None;
        }
        let server = Server::start().await.expect("a server");
        let (config, store) = tables_on(&server).await;
        let (bus, journal) = new_bus().await;
        Some((Self { bus, store, config, _log: Log::Journal(journal) }, server))
    }

    /// Empty tables and topics in Apache Kafka; `None`, said aloud, where one of them is missing.
    pub(crate) async fn on_kafka(test: &str) -> Option<Self> {
        if skip::unless_kafka(test) {
            return None;
        }
        let (mut config, store) = tables(test).await?;
        let broker = Broker::start().await.expect("a broker");
        config.bus.kafka.brokers = vec![broker.bootstrap_servers().to_owned()];
        config.bus.kafka.session_timeout = Duration::from_secs(6);
        config.bus.kafka.linger = Duration::from_millis(1);
        let bus = wardwatch_bus::open(&config.bus, &Counters::default()).await.expect("a client");
        make_topics(&bus).await;
        Some(Self { bus, store, config, _log: Log::Kafka(broker) })
    }

    /// The same tables with topics that were made anew.
    pub(crate) async fn with_new_topics(self) -> Self {
        let (bus, journal) = new_bus().await;
        Self { bus, _log: Log::Journal(journal), ..self }
    }

    pub(crate) fn start(&self) -> Running {
        self.start_on(Arc::clone(&self.bus))
    }

    pub(crate) fn start_on(&self, bus: Arc<dyn Bus>) -> Running {
        let context = Context::new(ServiceInfo { name: "enricher", version: "test" });
        let progress = Progress::default();
        let parts = Parts { bus, store: self.store.clone(), progress: progress.clone() };
        let task = tokio::spawn(serve_on(self.config.clone(), context.clone(), parts));
        Running { context, progress, bus: Arc::clone(&self.bus), task }
    }

    /// Works until everything that was sent is stored, then stops in order.
    pub(crate) async fn run_to_the_end(&self) -> Context {
        let running = self.start();
        running.caught_up().await;
        let context = running.context.clone();
        running.stop().await;
        context
    }

    pub(crate) async fn send(&self, batch: Batch) -> u64 {
        let site = batch.site.clone();
        self.send_bytes(&site, LogRecord { record: Some(log_record::Record::Batch(batch)) }.encode_to_vec())
            .await
    }

    /// Lays what a person decided into the log; gives its offset.
    pub(crate) async fn decide(&self, site: &str, id: &str, action: command::Action) -> u64 {
        let command = Command {
            id: id.into(),
            site: site.into(),
            author: "j.doe".into(),
            at: 1_700_000_900_000_000_000,
            action: Some(action),
        };
        let record = LogRecord { record: Some(log_record::Record::Command(command)) };
        self.send_bytes(site, record.encode_to_vec()).await
    }

    pub(crate) async fn send_bytes(&self, site: &str, payload: Vec<u8>) -> u64 {
        let to = TopicPartition::new(topic::FACTS, log::partition_of(site, PARTITIONS));
        self.bus.publish(Publication::new(to, payload).key(site.to_owned())).await.expect("published")
    }

    /// The number that an expression gives over a table.
    pub(crate) async fn number(&self, expression: &str, table: &str) -> u64 {
        #[derive(Row, Deserialize)]
        struct Number {
            number: u64,
        }
        let query = format!("SELECT toUInt64({expression}) AS number FROM {table}");
        self.store.fetch::<Number>(&query).await.expect("an answer").pop().expect("a row").number
    }

    /// The rows of a query, each as text.
    pub(crate) async fn lines(&self, query: &str) -> Vec<String> {
        #[derive(Row, Deserialize)]
        struct Line {
            line: String,
        }
        self.store.fetch::<Line>(query).await.expect("an answer").into_iter().map(|row| row.line).collect()
    }

    /// Every message of a topic.
    pub(crate) async fn messages(&self, topic: &str) -> Vec<Message> {
        read_all(&self.bus, topic).await
    }

    /// Every event that was published.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let messages = self.messages(topic::EVENTS).await;
        messages.iter().map(|message| Event::decode(message.payload.as_ref()).expect("an event")).collect()
    }
}

impl Running {
    /// Waits until everything that was sent is stored.
    pub(crate) async fn caught_up(&self) {
        let marks = self.bus.topic_watermarks(topic::FACTS).await.expect("the topic's ends");
        for (partition, mark) in (0..).zip(marks) {
            self.reached(partition, mark.end).await;
        }
    }

    pub(crate) async fn reached(&self, partition: u32, offset: u64) {
        let reached = timeout(PATIENCE, self.progress.reached(partition, offset)).await;
        let states = self.context.health.states();
        reached.unwrap_or_else(|_| panic!("partition {partition} did not reach {offset}: {states:?}"));
    }

    /// Waits until the readiness check of the partitions says something that the condition takes, and gives it.
    pub(crate) async fn said(&self, condition: impl Fn(&str) -> bool) -> String {
        let said = async {
            loop {
                let states = self.context.health.states();
                let said =
                    states.get("enricher partitions").map(|state| state.detail.clone()).unwrap_or_default();
                if condition(&said) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let states = self.context.health.states();
        timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("it was never said: {states:?}"))
    }

    pub(crate) async fn stop(self) {
        self.context.shutdown.cancel();
        timeout(PATIENCE, self.task)
            .await
            .expect("it stops")
            .expect("it does not panic")
            .expect("it does not fail");
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Empty tables in a database of their own.
async fn tables(test: &str) -> Option<(Config, Store)> {
    if skip::unless_clickhouse(test) {
        return None;
    }
    Some(tables_on(Server::shared().await.expect("a server")).await)
}

async fn tables_on(server: &Server) -> (Config, Store) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut config = Config::default();
    config.store.url = server.url().to_owned();
    config.store.database = format!("enricher_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    config.store.fsync = false;
    config.store.end_timeout = Duration::from_secs(10);
    config.commit.age = Duration::from_millis(20);
    let store = Store::connect(&config.store).expect("valid settings");
    store.migrate().await.expect("tables");
    (config, store)
}

async fn new_bus() -> (Arc<dyn Bus>, TempDir) {
    let journal = tempfile::tempdir().expect("a folder");
    let embedded = EmbeddedConfig { directory: journal.path().join("bus"), ..EmbeddedConfig::default() };
    let bus: Arc<dyn Bus> = Arc::new(EmbeddedBus::open(&embedded, &Counters::default()).expect("a journal"));
    make_topics(&bus).await;
    (bus, journal)
}

async fn make_topics(bus: &Arc<dyn Bus>) {
    let topics = [topic::FACTS, topic::EVENTS, topic::DEADLETTER];
    bus.ensure_topics(&topics.map(|name| TopicSpec::new(name, PARTITIONS))).await.expect("topics");
}

async fn read_all(bus: &Arc<dyn Bus>, topic: &str) -> Vec<Message> {
    let consumer = bus.subscribe("reader", &[topic]).await.expect("a consumer");
    let marks = bus.topic_watermarks(topic).await.expect("the topic's ends");
    let mut missing: u64 = marks.iter().map(|mark| mark.end - mark.earliest).sum();
    let mut messages = Vec::new();
    while missing > 0 {
        match timeout(PATIENCE, consumer.next()).await.expect("in time").expect("a delivery") {
            Delivery::Assigned(partitions) => {
                for partition in partitions {
                    consumer.seek(&partition, 0).await.expect("sought");
                }
            }
            Delivery::Message(message) => {
                messages.push(message);
                missing -= 1;
            }
            Delivery::Revoked { .. } => {}
        }
    }
    messages
}

/// The end of a host on the ward's network: `10.1.0.<host>`.
pub(crate) fn endpoint(host: u8, port: u32) -> Endpoint {
    Endpoint { mac: vec![0x00, 0x09, 0xfb, 0, 0, host], ip: vec![10, 1, 0, host], port }
}

/// A DICOM flow of 10.1.0.`host` to the archive at 10.1.0.200, with the host's manufacturer and model.
pub(crate) fn facts(host: u8, id: u64) -> Vec<Fact> {
    let start = 1_700_000_000_000_000_000 + id * 1_000_000_000;
    let flow = Flow {
        id,
        segment: 0,
        community_id: vec![7; 20],
        initiator: Some(endpoint(host, 40_000)),
        responder: Some(endpoint(200, 104)),
        ip_protocol: 6,
        protocol: Protocol::Dicom.into(),
        vlans: vec![30],
        start,
        end: start + 500_000_000,
        from_initiator: Some(v1::Counters {
            packets: 5,
            frame_bytes: 500,
            ip_bytes: 430,
            payload_bytes: 230,
        }),
        from_responder: Some(v1::Counters {
            packets: 4,
            frame_bytes: 400,
            ip_bytes: 344,
            payload_bytes: 144,
        }),
        end_reason: EndReason::Finished.into(),
        initiator_guessed: false,
        initiator_tcp_flags: 0x1b,
        responder_tcp_flags: 0x1b,
        tunnels: Vec::new(),
        network: String::new(),
    };
    let said = |attribute: Attribute, value: &str| Fact {
        fact: Some(Stated::Observation(Observation {
            attribute: attribute.into(),
            value: value.into(),
            protocol: Protocol::Dicom.into(),
            subject: Some(Subject {
                role: subject::Role::Sender.into(),
                endpoint: Some(endpoint(host, 40_000)),
                key: String::new(),
            }),
            at: start,
            flow: id,
            count: 1,
            network: String::new(),
        })),
    };
    vec![
        Fact { fact: Some(Stated::Flow(flow)) },
        said(Attribute::Manufacturer, "Philips"),
        said(Attribute::DicomAeTitle, &format!("CT{host:02}")),
    ]
}

/// A batch of one host's facts.
pub(crate) fn batch(site: &str, epoch: u64, sequence: u64, host: u8) -> Batch {
    Batch {
        site: site.into(),
        sensor: "s1".into(),
        epoch,
        sequence,
        facts: facts(host, sequence),
        ..Batch::default()
    }
}
