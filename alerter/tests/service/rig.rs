//! An alerter on a real ClickHouse and a journal of its own, and the events to feed it with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prost::Message as _;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardwatch_alerter::{Config, Parts, Progress, serve_on};
use wardwatch_bus::config::EmbeddedConfig;
use wardwatch_bus::{Bus, Delivery, EmbeddedBus, Message, Publication, TopicPartition, TopicSpec};
use wardwatch_proto::v1::{
    AcknowledgeAlert, Attribute, Command, DeviceAppeared, DeviceSummary, Event, Finding, Position, Protocol,
    command, event,
};
use wardwatch_proto::{log, topic};
use wardwatch_service::{Context, Counters, ServiceInfo};
use wardwatch_store::{Row, Store};
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::skip;

/// Longer than anything here takes; who waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Partitions of every topic here but the one for SIEMs.
pub(crate) const PARTITIONS: u32 = 4;
/// Partitions of the topic for SIEMs.
pub(crate) const SIEM_PARTITIONS: u32 = 3;

/// What an alerter stands on.
pub(crate) struct Rig {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) store: Store,
    pub(crate) config: Config,
    _journal: TempDir,
}

/// A running alerter. Dropping it is a crash.
pub(crate) struct Running {
    pub(crate) context: Context,
    progress: Progress,
    bus: Arc<dyn Bus>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Rig {
    /// Empty tables and topics; `None`, said aloud, where there is no ClickHouse.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        if skip::unless_clickhouse(test) {
            return None;
        }
        let server = Server::shared().await.expect("a server");
        let mut config = Config::default();
        config.store.url = server.url().to_owned();
        config.store.database = format!("alerter_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        config.store.fsync = false;
        config.commit.age = Duration::from_millis(20);
        let store = Store::connect(&config.store).expect("valid settings");
        store.migrate().await.expect("tables");
        let journal = tempfile::tempdir().expect("a folder");
        let embedded = EmbeddedConfig { directory: journal.path().join("bus"), ..EmbeddedConfig::default() };
        let bus: Arc<dyn Bus> =
            Arc::new(EmbeddedBus::open(&embedded, &Counters::default()).expect("a journal"));
        let mut topics = [topic::FACTS, topic::EVENTS, topic::DEADLETTER]
            .map(|name| TopicSpec::new(name, PARTITIONS))
            .to_vec();
        topics.push(TopicSpec::new(topic::SIEM_DETECTION, SIEM_PARTITIONS));
        topics.push(TopicSpec::new(topic::SIEM_INVENTORY, SIEM_PARTITIONS));
        bus.ensure_topics(&topics).await.expect("topics");
        Some(Self { bus, store, config, _journal: journal })
    }

    pub(crate) fn start(&self) -> Running {
        self.start_on(Arc::clone(&self.bus))
    }

    pub(crate) fn start_on(&self, bus: Arc<dyn Bus>) -> Running {
        let context = Context::new(ServiceInfo { name: "alerter", version: "test" });
        let progress = Progress::default();
        let parts = Parts { bus, store: self.store.clone(), progress: progress.clone() };
        let task = tokio::spawn(serve_on(self.config.clone(), context.clone(), parts));
        Running { context, progress, bus: Arc::clone(&self.bus), task }
    }

    /// Works until everything that was told is stored, then stops in order.
    pub(crate) async fn run_to_the_end(&self) -> Context {
        let running = self.start();
        running.caught_up().await;
        let context = running.context.clone();
        running.stop().await;
        context
    }

    /// Tells an event that came of this offset of `wardwatch.facts`; gives its offset in `wardwatch.events`.
    pub(crate) async fn tell(&self, event: &Event, fact: u64) -> u64 {
        let partition = log::partition_of(&event.site, PARTITIONS);
        let source = Position { incarnation: 1, partition, offset: fact, index: 0 };
        let event = Event { source: Some(source), log_time: fact, ..event.clone() };
        self.publish(topic::EVENTS, &event.site, event.encode_to_vec()).await
    }

    pub(crate) async fn publish(&self, topic: &str, site: &str, payload: Vec<u8>) -> u64 {
        let to = TopicPartition::new(topic, log::partition_of(site, PARTITIONS));
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

    /// Everything that SIEMs were told, in the order of the log.
    pub(crate) async fn findings(&self) -> Vec<Value> {
        let messages = self.messages(topic::SIEM_DETECTION).await;
        messages.iter().map(|message| serde_json::from_slice(&message.payload).expect("JSON")).collect()
    }

    /// Every message of a topic.
    pub(crate) async fn messages(&self, topic: &str) -> Vec<Message> {
        let consumer = self.bus.subscribe("reader", &[topic]).await.expect("a consumer");
        let marks = self.bus.topic_watermarks(topic).await.expect("the topic's ends");
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
        consumer.leave().await.expect("left");
        messages
    }
}

impl Running {
    /// Waits until everything that was told is stored.
    pub(crate) async fn caught_up(&self) {
        let marks = self.bus.topic_watermarks(topic::EVENTS).await.expect("the topic's ends");
        for (partition, mark) in (0..).zip(marks) {
            self.reached(partition, mark.end).await;
        }
    }

    pub(crate) async fn reached(&self, partition: u32, offset: u64) {
        let reached = timeout(PATIENCE, self.progress.reached(partition, offset)).await;
        let states = self.context.health.states();
        reached.unwrap_or_else(|_| panic!("partition {partition} did not reach {offset}: {states:?}"));
    }

    /// Waits until the readiness check of the partitions says this.
    pub(crate) async fn said(&self, part: &str) {
        let said = async {
            loop {
                let states = self.context.health.states();
                if states.get("alerter partitions").is_some_and(|state| state.detail.contains(part)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = timeout(PATIENCE, said).await;
        let states = self.context.health.states();
        waited.unwrap_or_else(|_| panic!("it was never said: {states:?}"));
    }

    pub(crate) async fn stop(self) {
        self.context.shutdown.cancel();
        let stopped = timeout(PATIENCE, self.task).await.expect("it stops");
        stopped.expect("it does not panic").expect("it does not fail");
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn device(id: &str) -> DeviceSummary {
    DeviceSummary {
        id: id.into(),
        name: format!("pump-{id}"),
        category: "clinical".into(),
        r#type: "infusion pump".into(),
        macs: vec!["00:09:fb:00:00:07".into()],
        ips: vec!["10.1.0.7".into()],
        ..DeviceSummary::default()
    }
}

fn event(site: &str, at: u64, event: event::Event) -> Event {
    // 2023-11-14 22:13:20 as GNU date prints 1,700,000,000 s after 1970.
    let event_time = 1_700_000_000_000_000_000 + at * 1_000_000_000;
    Event { site: site.into(), event_time, event: Some(event), ..Event::default() }
}

/// A device appears at a second.
pub(crate) fn appeared(site: &str, id: &str, at: u64) -> Event {
    event(site, at, event::Event::DeviceAppeared(DeviceAppeared { device: Some(device(id)) }))
}

/// A device logs in with readable credentials at a second.
pub(crate) fn credentials(site: &str, id: &str, at: u64) -> Event {
    let finding = Finding {
        device: Some(device(id)),
        peer: Some(DeviceSummary { id: "pacs".into(), ips: vec!["10.1.0.200".into()], ..device("") }),
        attribute: Attribute::CleartextCredential.into(),
        value: "http-basic".into(),
        protocol: Protocol::Http.into(),
        sensor: "s1".into(),
    };
    event(site, at, event::Event::Finding(finding))
}

/// What a person decides about an alert.
pub(crate) fn acknowledge(site: &str, alert: &str) -> Command {
    let acknowledge = AcknowledgeAlert { alert: alert.into(), note: "until the next service".into() };
    Command {
        id: "6f1c9a52-7f0f-4f0e-8f57-0d4f7f0c5a11".into(),
        site: site.into(),
        author: "j.doe".into(),
        at: 1_700_000_900_000_000_000,
        action: Some(command::Action::AcknowledgeAlert(acknowledge)),
    }
}

/// What the enricher makes of a command.
pub(crate) fn forwarded(command: Command) -> Event {
    let (site, at) = (command.site.clone(), command.at);
    Event { site, event_time: at, event: Some(event::Event::Command(command)), ..Event::default() }
}
