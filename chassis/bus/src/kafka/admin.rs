//! Topics, watermarks and committed offsets.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;

use super::failure::failed;
use super::{Events, Inner, settings};
use crate::config::KafkaConfig;
use crate::error::{Error, Result};
use crate::topic::{TopicPartition, TopicSpec, Watermarks};

/// How often to look whether a topic that was made is known everywhere.
const PROPAGATION_PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn ensure_topics(bus: &Inner, specs: &[TopicSpec]) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = settings::observer(&bus.config)?
        .create()
        .map_err(|error| failed("make a Kafka admin client", &error))?;
    for spec in specs {
        // Where the topic is there already, the right to make topics is not needed.
        if !check_count(bus, spec).await? {
            create(bus, &admin, spec).await?;
        }
        warn_of_producers_clocks(bus, &admin, &spec.name).await;
    }
    Ok(())
}

/// Whether the topic is there, with the wanted number of partitions.
async fn check_count(bus: &Inner, spec: &TopicSpec) -> Result<bool> {
    match bus.partitions(&spec.name).await {
        Ok(found) if found == spec.partitions => Ok(true),
        Ok(found) => Err(Error::PartitionCount { topic: spec.name.clone(), found, wanted: spec.partitions }),
        Err(Error::UnknownTopic { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn create(bus: &Inner, admin: &AdminClient<DefaultClientContext>, spec: &TopicSpec) -> Result<()> {
    let action = || format!("make topic {}", spec.name);
    let replication = TopicReplication::Fixed(spec.replication.map_or(-1, i32::from));
    let retention = spec.retention.map(|retention| retention.as_millis().to_string());
    let retention_bytes = spec.retention_bytes.map(|bytes| bytes.to_string());
    let largest = settings::largest_request(&bus.config).to_string();
    let mut topic = NewTopic::new(&spec.name, native(spec.partitions)?, replication)
        // Producers' clocks run backwards.
        .set("message.timestamp.type", "LogAppendTime")
        .set("max.message.bytes", &largest);
    if let Some(retention) = &retention {
        topic = topic.set("retention.ms", retention);
    }
    if let Some(bytes) = &retention_bytes {
        topic = topic.set("retention.bytes", bytes);
    }
    let timeout = bus.config.request_timeout;
    let options = AdminOptions::new().operation_timeout(Some(timeout)).request_timeout(Some(timeout));
    let outcomes = admin.create_topics([&topic], &options).await.map_err(|error| failed(action(), &error))?;
    for outcome in outcomes {
        match outcome {
            // Someone else was quicker; what they made is checked below.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(action(), &KafkaError::AdminOp(code))),
        }
    }
    let start = Instant::now();
    while !check_count(bus, spec).await? {
        if start.elapsed() > timeout {
            let problem = "it was made, but is still not known to the brokers".to_owned();
            return Err(Error::Kafka { action: action(), problem, retriable: true });
        }
        tokio::time::sleep(PROPAGATION_PAUSE).await;
    }
    Ok(())
}

/// Timers run on the log's time, so a topic stamped by producers deserves a word. Whoever may not read settings gets none.
async fn warn_of_producers_clocks(bus: &Inner, admin: &AdminClient<DefaultClientContext>, topic: &str) {
    let options = AdminOptions::new().request_timeout(Some(bus.config.request_timeout));
    let Ok(described) = admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &options).await else {
        return;
    };
    let entries = described.iter().flatten().flat_map(|resource| &resource.entries);
    let by_producers = entries
        .filter(|entry| entry.name == "message.timestamp.type")
        .any(|entry| entry.value.as_deref() != Some("LogAppendTime"));
    if by_producers {
        tracing::warn!(
            topic,
            "messages are stamped by producers' clocks: set message.timestamp.type=LogAppendTime"
        );
    }
}

/// `None` when there is no such topic.
pub(super) fn partitions(
    observer: &BaseConsumer<Events>,
    topic: &str,
    timeout: Duration,
) -> Result<Option<u32>> {
    let action = || format!("ask for the partitions of topic {topic}");
    let metadata = observer.fetch_metadata(Some(topic), timeout).map_err(|error| failed(action(), &error))?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(RDKafkaErrorCode::from) {
        None => {
            let count = found.partitions().len();
            Ok((count > 0).then(|| u32::try_from(count).unwrap_or(u32::MAX)))
        }
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
        Some(code) => Err(failed(action(), &KafkaError::MetadataFetch(code))),
    }
}

pub(super) fn watermarks<C: rdkafka::consumer::ConsumerContext>(
    observer: &BaseConsumer<C>,
    of: &TopicPartition,
    timeout: Duration,
) -> Result<Watermarks> {
    let (earliest, end) = observer
        .fetch_watermarks(&of.topic, native(of.partition)?, timeout)
        .map_err(|error| failed(format!("ask for the watermarks of {of}"), &error))?;
    let unsigned = |offset: i64| u64::try_from(offset).unwrap_or(0);
    Ok(Watermarks { earliest: unsigned(earliest), end: unsigned(end) })
}

/// What a group has committed for partitions of one topic, in the order in which they are named.
pub(super) fn committed(
    config: &KafkaConfig,
    group: &str,
    topic: &str,
    partitions: std::ops::Range<u32>,
) -> Result<Vec<Option<u64>>> {
    let action = || format!("ask what group {group} has committed for {topic}");
    let auditor: BaseConsumer =
        settings::auditor(config, group)?.create().map_err(|error| failed(action(), &error))?;
    let mut list = TopicPartitionList::new();
    for partition in partitions.clone() {
        list.add_partition(topic, native(partition)?);
    }
    // The answer must be gone before the client: dropping the client while it lives would hang.
    let answer =
        auditor.committed_offsets(list, config.request_timeout).map_err(|error| failed(action(), &error))?;
    let each = partitions.map(|partition| {
        let found = answer.find_partition(topic, native(partition)?);
        Ok(match found.map(|element| element.offset()) {
            Some(Offset::Offset(next)) => u64::try_from(next).ok(),
            _ => None,
        })
    });
    let committed = each.collect();
    drop(answer);
    committed
}

/// A partition as Kafka numbers it.
pub(super) fn native(partition: u32) -> Result<i32> {
    i32::try_from(partition).map_err(|_| Error::Kafka {
        action: format!("use partition {partition}"),
        problem: "Kafka numbers partitions with 31 bits".to_owned(),
        retriable: false,
    })
}
