//! What may be trimmed, and what is.

use std::time::{SystemTime, UNIX_EPOCH};

use wardwatch_journal::{Error, Writer};

use super::catalog::Catalog;
use crate::topic::TopicPartition;

/// How much more than needed is freed at once, so that not every append has to.
const SLACK_SHARE: u64 = 16;

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

/// Trims the oldest messages that no group needs, whatever their topics keep, until so many bytes fit; gives the bytes that it
/// freed, which may be too few.
pub(super) fn make_room(
    writer: &mut Writer<'_>,
    catalog: &Catalog,
    limit: u64,
    more: u64,
) -> Result<u64, Error> {
    if writer.bytes().saturating_add(more) <= limit {
        return Ok(0);
    }
    let wanted = limit.saturating_sub(more.saturating_add(limit / SLACK_SHARE));
    let mut freed = 0;
    while writer.bytes() > wanted {
        let mut oldest: Option<(i64, TopicPartition, u64)> = None;
        for (partition, _) in catalog.partitions() {
            let needed = needed_from(catalog, &partition);
            let Some(first) = writer.first(&partition.to_string())? else { continue };
            let older = oldest.as_ref().is_none_or(|(timestamp, ..)| first.timestamp < *timestamp);
            if first.offset < needed && older {
                oldest = Some((first.timestamp, partition, needed));
            }
        }
        let Some((_, partition, needed)) = oldest else { break };
        let mut excess = writer.bytes() - wanted;
        let mut step = 256_u32;
        freed += writer.trim(&partition.to_string(), |record| {
            let remove = record.offset < needed && excess > 0 && step > 0;
            if remove {
                excess = excess.saturating_sub(record.bytes);
                step -= 1;
            }
            remove
        })?;
    }
    Ok(freed)
}

/// For whom the oldest message that cannot be trimmed is kept, in words.
pub(super) fn holder(writer: &Writer<'_>, catalog: &Catalog) -> Result<String, Error> {
    let mut oldest: Option<(i64, String)> = None;
    for (partition, _) in catalog.partitions() {
        let Some(first) = writer.first(&partition.to_string())? else { continue };
        let Some((group, next)) = catalog.slowest(&partition) else { continue };
        if oldest.as_ref().is_none_or(|(timestamp, _)| first.timestamp < *timestamp) {
            oldest = Some((first.timestamp, format!("group {group} has committed {partition} up to {next}")));
        }
    }
    Ok(oldest.map_or_else(|| "one message does not fit".to_owned(), |(_, holder)| holder))
}
