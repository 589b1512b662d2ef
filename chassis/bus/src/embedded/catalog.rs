//! Which topics there are, and how far each group has come: small values of the journal, kept in memory.

use std::collections::BTreeMap;

use wardwatch_journal::{Error, Journal, Writer};

use crate::topic::{TopicPartition, TopicSpec};

/// A topic as it is on this bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) partitions: u32,
    /// In nanoseconds; `u64::MAX` is for ever.
    pub(super) retention: u64,
    /// For each partition; `u64::MAX` is all.
    pub(super) retention_bytes: u64,
}

impl Topic {
    pub(super) fn of(spec: &TopicSpec) -> Self {
        let nanos = |retention: std::time::Duration| u64::try_from(retention.as_nanos()).unwrap_or(u64::MAX);
        Self {
            partitions: spec.partitions,
            retention: spec.retention.map_or(u64::MAX, nanos),
            retention_bytes: spec.retention_bytes.unwrap_or(u64::MAX),
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.partitions.to_le_bytes().to_vec();
        bytes.extend(self.retention.to_le_bytes());
        bytes.extend(self.retention_bytes.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (partitions, rest) = bytes.split_first_chunk()?;
        let (retention, rest) = rest.split_first_chunk()?;
        let (retention_bytes, _) = rest.split_first_chunk()?;
        Some(Self {
            partitions: u32::from_le_bytes(*partitions),
            retention: u64::from_le_bytes(*retention),
            retention_bytes: u64::from_le_bytes(*retention_bytes),
        })
    }
}

/// For each group of a topic, what it has committed by partition.
type Groups = BTreeMap<String, BTreeMap<u32, u64>>;

/// All topics and groups. A topic's name holds no slash, so the names of the values can be taken apart again:
/// `topic/TOPIC`, `subscription/TOPIC/GROUP`, `commit/TOPIC/PARTITION/GROUP`.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    topics: BTreeMap<String, Topic>,
    groups: BTreeMap<String, Groups>,
}

impl Catalog {
    pub(super) fn load(journal: &Journal) -> Result<Self, Error> {
        let corrupt = |name: &str| Error::Corrupt {
            path: journal.path().to_owned(),
            problem: format!("the value {name:?} cannot be read"),
        };
        let mut catalog = Self::default();
        for (name, value) in journal.values("topic/")? {
            let topic = name.strip_prefix("topic/").zip(Topic::from_bytes(&value));
            let (topic, found) = topic.ok_or_else(|| corrupt(&name))?;
            catalog.topics.insert(topic.to_owned(), found);
        }
        for (name, _) in journal.values("subscription/")? {
            let parts = name.strip_prefix("subscription/").and_then(|rest| rest.split_once('/'));
            let (topic, group) = parts.ok_or_else(|| corrupt(&name))?;
            catalog.subscribe(group, topic);
        }
        for (name, value) in journal.values("commit/")? {
            let mut parts = name.splitn(4, '/').skip(1);
            let read = || {
                let topic = parts.next()?;
                let partition = parts.next()?.parse().ok()?;
                let group = parts.next()?;
                Some((topic, partition, group, u64::from_le_bytes(value.as_slice().try_into().ok()?)))
            };
            let (topic, partition, group, offset) = { read }().ok_or_else(|| corrupt(&name))?;
            catalog.commit(group, &TopicPartition::new(topic, partition), offset);
        }
        Ok(catalog)
    }

    pub(super) fn topic(&self, name: &str) -> Option<Topic> {
        self.topics.get(name).copied()
    }

    /// Every partition of every topic.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (TopicPartition, Topic)> {
        self.topics.iter().flat_map(|(name, topic)| {
            (0..topic.partitions).map(|partition| (TopicPartition::new(name.as_str(), partition), *topic))
        })
    }

    pub(super) fn committed(&self, group: &str, of: &TopicPartition) -> Option<u64> {
        self.groups.get(&*of.topic)?.get(group)?.get(&of.partition).copied()
    }

    /// The group that has come the least far, with what it will read next; `None` when no group subscribes to the topic.
    pub(super) fn slowest(&self, of: &TopicPartition) -> Option<(&str, u64)> {
        let groups = self.groups.get(&*of.topic)?.iter();
        groups
            .map(|(group, committed)| (group.as_str(), committed.get(&of.partition).copied().unwrap_or(0)))
            .min_by_key(|(_, next)| *next)
    }

    /// What each group has committed: group, partition, next offset.
    pub(super) fn commits(&self) -> impl Iterator<Item = (&str, TopicPartition, u64)> {
        self.groups.iter().flat_map(|(topic, groups)| {
            groups.iter().flat_map(move |(group, committed)| {
                let named = move |partition: &u32| TopicPartition::new(topic.as_str(), *partition);
                committed.iter().map(move |(partition, next)| (group.as_str(), named(partition), *next))
            })
        })
    }

    pub(super) fn set_topic(&mut self, name: &str, topic: Topic) {
        self.topics.insert(name.to_owned(), topic);
    }

    pub(super) fn subscribe(&mut self, group: &str, topic: &str) {
        self.groups.entry(topic.to_owned()).or_default().entry(group.to_owned()).or_default();
    }

    pub(super) fn commit(&mut self, group: &str, of: &TopicPartition, next: u64) {
        let groups = self.groups.entry(of.topic.to_string()).or_default();
        groups.entry(group.to_owned()).or_default().insert(of.partition, next);
    }
}

pub(super) fn write_topic(writer: &mut Writer<'_>, name: &str, topic: Topic) -> Result<(), Error> {
    writer.put(&format!("topic/{name}"), &topic.to_bytes())
}

pub(super) fn write_subscription(writer: &mut Writer<'_>, group: &str, topic: &str) -> Result<(), Error> {
    writer.put(&format!("subscription/{topic}/{group}"), &[])
}

pub(super) fn write_commit(
    writer: &mut Writer<'_>,
    group: &str,
    of: &TopicPartition,
    next: u64,
) -> Result<(), Error> {
    writer.put(&format!("commit/{of}/{group}"), &next.to_le_bytes())
}
