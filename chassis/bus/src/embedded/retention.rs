//! What may be trimmed, and what is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use wardwatch_journal::{Error, Writer};

use super::catalog::Catalog;
use crate::topic::TopicPartition;

/// How much more than needed is freed at once, so that not every append has to.
const SLACK_SHARE: u64 = 16;
/// How many bytes of one partition are trimmed before looking again which is the oldest.
const TRIM_STEP: u64 = 1 << 20;
/// The topics' own shares together are one in so many parts of the room; the rest is for all.
const COMMON_PARTS: u64 = 4;

/// The messages below this offset are needed by no group.
fn needed_from(catalog: &Catalog, of: &TopicPartition) -> u64 {
    catalog.slowest(of).map_or(u64::MAX, |(_, next)| next)
}

/// Trims what is older or more than its topic keeps, as far as no group needs it; gives the bytes that it freed.
pub(super) fn expire(writer: &mut Writer<'_>, catalog: &Catalog) -> Result<u64, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
    let mut freed = 0;
    for (partition, topic) in catalog.partitions() {
        let stream = partition.to_string();
        let oldest = now.saturating_sub_unsigned(topic.retention);
        let mut excess = writer.extent(&stream).bytes.saturating_sub(topic.retention_bytes);
        let Some(first) = writer.first(&stream)? else { continue };
        if first.timestamp >= oldest && excess == 0 {
            continue;
        }
        let needed = needed_from(catalog, &partition);
        freed += writer.trim(&stream, |record| {
            let expired = record.timestamp < oldest || excess > 0;
            let remove = record.offset < needed && expired;
            if remove {
                excess = excess.saturating_sub(record.bytes);
            }
            remove
        })?;
    }
    Ok(freed)
}

/// How the journal's room is shared out among the topics.
///
/// Each topic has a small share of its own, and the rest is for all. Services stand in a row: one that reads a topic publishes
/// to the next before it commits. If the first topic could take all the room, the next service could neither
/// publish nor, therefore, commit, and nothing would ever be trimmed again.
#[derive(Debug)]
pub(super) struct Shares {
    limit: u64,
    /// What no other topic can take from one.
    own: u64,
    bytes: BTreeMap<Arc<str>, u64>,
}

impl Shares {
    pub(super) fn of(writer: &Writer<'_>, catalog: &Catalog, limit: u64) -> Self {
        let mut bytes = BTreeMap::new();
        for (partition, _) in catalog.partitions() {
            let held = writer.extent(&partition.to_string()).bytes;
            *bytes.entry(partition.topic).or_default() += held;
        }
        let own = limit / (COMMON_PARTS * (bytes.len() as u64).max(1));
        Self { limit, own, bytes }
    }

    /// Whether so many bytes more fit into a topic.
    pub(super) fn fit(&self, topic: &str, more: u64) -> bool {
        let held = self.held(topic).saturating_add(more);
        let others = self.bytes.iter().filter(|(name, _)| &***name != topic);
        let (taken, kept_free) = others.fold((held, held.max(self.own)), |(taken, kept_free), (_, bytes)| {
            (taken.saturating_add(*bytes), kept_free.saturating_add((*bytes).max(self.own)))
        });
        kept_free <= self.limit || held <= self.own && taken <= self.limit
    }

    pub(super) fn add(&mut self, topic: &Arc<str>, bytes: u64) {
        *self.bytes.entry(Arc::clone(topic)).or_default() += bytes;
    }

    fn remove(&mut self, topic: &str, bytes: u64) {
        if let Some(held) = self.bytes.get_mut(topic) {
            *held = held.saturating_sub(bytes);
        }
    }

    /// Whether what is trimmed from one topic makes room for the other.
    fn helps(&self, from: &str, to: &str) -> bool {
        from == to || self.held(from) > self.own
    }

    fn held(&self, topic: &str) -> u64 {
        self.bytes.get(topic).copied().unwrap_or(0)
    }
}

/// Trims the oldest messages that no group needs, whatever their topics keep, until so many bytes fit into a topic; gives the
/// bytes that it freed, which may be too few.
pub(super) fn make_room(
    writer: &mut Writer<'_>,
    catalog: &Catalog,
    shares: &mut Shares,
    topic: &str,
    more: u64,
) -> Result<u64, Error> {
    if shares.fit(topic, more) {
        return Ok(0);
    }
    let wanted = more.saturating_add(shares.limit / SLACK_SHARE);
    let mut freed = 0;
    while !shares.fit(topic, wanted) {
        let mut oldest: Option<(i64, TopicPartition, u64)> = None;
        for (partition, _) in catalog.partitions().filter(|(of, _)| shares.helps(&of.topic, topic)) {
            let needed = needed_from(catalog, &partition);
            let Some(first) = writer.first(&partition.to_string())? else { continue };
            let older = oldest.as_ref().is_none_or(|(timestamp, ..)| first.timestamp < *timestamp);
            if first.offset < needed && older {
                oldest = Some((first.timestamp, partition, needed));
            }
        }
        let Some((_, partition, needed)) = oldest else { break };
        let mut step = TRIM_STEP;
        let trimmed = writer.trim(&partition.to_string(), |record| {
            let remove = record.offset < needed && step > 0;
            step = step.saturating_sub(record.bytes);
            remove
        })?;
        shares.remove(&partition.topic, trimmed);
        freed += trimmed;
    }
    Ok(freed)
}

/// For whom the oldest message is kept that stands in a topic's way, in words.
pub(super) fn holder(
    writer: &Writer<'_>,
    catalog: &Catalog,
    shares: &Shares,
    topic: &str,
) -> Result<String, Error> {
    let mut oldest: Option<(i64, String)> = None;
    for (partition, _) in catalog.partitions().filter(|(of, _)| shares.helps(&of.topic, topic)) {
        let Some(first) = writer.first(&partition.to_string())? else { continue };
        let Some((group, next)) = catalog.slowest(&partition) else { continue };
        if oldest.as_ref().is_none_or(|(timestamp, _)| first.timestamp < *timestamp) {
            oldest = Some((first.timestamp, format!("group {group} has committed {partition} up to {next}")));
        }
    }
    Ok(oldest.map_or_else(|| format!("one message for {topic} does not fit"), |(_, holder)| holder))
}
