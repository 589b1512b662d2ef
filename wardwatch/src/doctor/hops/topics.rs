//! The topics of the log: what lies in them, and how far their readers have come.

use std::collections::BTreeMap;

use wardwatch_proto::topic;

use super::Limits;
use crate::doctor::hop::{Hop, Total as _};
use crate::doctor::log::Log;
use crate::doctor::readings::Readings;
use crate::doctor::tables::Tables;

/// Partitions that are told one by one.
const TOLD: usize = 8;

/// `wardwatch.facts`, and the enricher's way through it.
pub(super) fn facts(log: &Log, tables: &Tables, before: Option<&Readings>, limits: &Limits) -> Hop {
    let read = Read { service: "enricher", topic: topic::FACTS };
    let (hop, _) = read.through(log, tables, before, limits, Hop::new("facts topic", "messages"));
    hop
}

/// `wardwatch.events`: what the enricher published, and what the alerter judged.
pub(super) fn events(log: &Log, tables: &Tables, before: Option<&Readings>, limits: &Limits) -> Hop {
    let read = Read { service: "alerter", topic: topic::EVENTS };
    let (way, lag) = read.through(log, tables, before, limits, Hop::new("events topic", "messages"));
    // The topic may hold events twice, so the two ends are compared by what each has counted once.
    let published = tables.counted_by_partition("enricher_events_published");
    let judged = tables.counted_by_partition("alerter_events_judged");
    let lost = tables.lost("alerter");
    let mut hop = Hop::new("events topic", "events");
    let (mut held, mut gone) = (0_u64, 0_u64);
    for (partition, published) in &published {
        let of = |counts: &BTreeMap<u32, u64>| counts.get(partition).copied().unwrap_or(0);
        let rest = published.saturating_sub(of(&judged));
        let waits = rest.min(of(&lag));
        held = held.saturating_add(waits);
        gone = gone.saturating_add((rest - waits).min(of(&lost)));
    }
    hop = hop
        .passing(published.values().total(), judged.values().total())
        .holding(held)
        .dropping("removed by retention", gone);
    hop.lag = way.lag;
    hop.notes = way.notes;
    let findings = way.findings.into_iter();
    findings.fold(hop, |hop, finding| hop.finding(finding.level, finding.text)).closed()
}

/// `wardwatch.siem.detection` and `wardwatch.siem.inventory`: at least as many messages as findings and devices were told.
pub(super) fn siem(log: &Log, tables: &Tables) -> [Hop; 2] {
    [
        ("siem topic", "findings", "alerter_findings_published", topic::SIEM_DETECTION),
        ("siem inventory topic", "devices", "alerter_inventory_published", topic::SIEM_INVENTORY),
    ]
    .map(|(name, unit, counter, topic)| {
        let (told, laid) = (tables.counted(counter), log.laid(topic));
        repeated(Hop::new(name, unit).passing(told, laid.min(told)), told, laid).closed()
    })
}

/// `wardwatch.deadletter`: at least as many letters as messages that were put aside.
pub(super) fn dead_letters(log: &Log, tables: &Tables) -> Hop {
    let aside = [("enricher", "enricher_messages_put_aside"), ("alerter", "alerter_messages_put_aside")];
    let put: u64 = aside.iter().map(|(_, counter)| tables.counted(counter)).total();
    let laid = log.laid(topic::DEADLETTER);
    let mut hop = Hop::new("dead letters", "messages").passing(put, laid.min(put));
    let kept = log.kept(topic::DEADLETTER);
    if kept > 0 {
        let reasons: Vec<_> = aside
            .iter()
            .flat_map(|(service, counter)| {
                let each = tables.counted_by_value(counter).into_iter();
                each.map(move |(reason, count)| format!("{count} of the {service}: {reason}"))
            })
            .collect();
        hop = hop.attention(format!(
            "{kept} messages that could not be read lie in {} (ever put aside: {})",
            topic::DEADLETTER,
            reasons.join(", ")
        ));
    }
    repeated(hop, put, laid).closed()
}

fn repeated(hop: Hop, once: u64, laid: u64) -> Hop {
    match laid.saturating_sub(once) {
        0 => hop,
        more => hop.note(format!("{more} messages came twice, after a crash, as they may")),
    }
}

/// A service's way through a topic.
struct Read {
    service: &'static str,
    topic: &'static str,
}

impl Read {
    /// What lies in the topic, what was worked on, and by partition what waits.
    fn through(
        &self,
        log: &Log,
        tables: &Tables,
        before: Option<&Readings>,
        limits: &Limits,
        mut hop: Hop,
    ) -> (Hop, BTreeMap<u32, u64>) {
        let (mut laid, mut done, mut lags) = (0_u64, 0_u64, BTreeMap::new());
        let mut troubles = Vec::new();
        for (number, partition) in log.partitions(self.topic) {
            let position = self.position(tables, number);
            let lag = partition.end.saturating_sub(position);
            laid = laid.saturating_add(partition.end);
            done = done.saturating_add(position);
            lags.insert(number, lag);
            if position > partition.end {
                troubles.push(format!(
                    "partition {number} was worked on up to {position} and ends at {}: was the topic made anew?",
                    partition.end
                ));
            } else if partition.earliest > position && lag > 0 {
                troubles.push(format!(
                    "partition {number} was worked on up to {position}, and retention has removed everything below {}",
                    partition.earliest
                ));
            } else if lag > 0 && self.stands_still(number, position, before) {
                troubles.push(format!("partition {number} stands still at {position}: {lag} messages wait"));
            }
            if partition.committed.is_some_and(|committed| committed > position) {
                hop = hop.attention(format!(
                    "the broker says that partition {number} was worked on further than ClickHouse does: \
                     was an older state restored?"
                ));
            }
        }
        let more = troubles.len().saturating_sub(TOLD);
        hop = troubles.into_iter().take(TOLD).fold(hop, Hop::broken);
        if more > 0 {
            hop = hop.broken(format!("{more} more partitions are like this"));
        }
        let lag = lags.values().total();
        hop = hop.passing(laid, done.min(laid)).holding(laid.saturating_sub(done));
        hop.lag = Some(lag);
        if lag > limits.lag {
            hop = hop.attention(format!("{lag} messages wait for the {}", self.service));
        }
        let lost: u64 = tables.lost(self.service).values().total();
        if lost > 0 {
            hop = hop.attention(format!(
                "{lost} messages were removed by retention before the {} came to them",
                self.service
            ));
        }
        (self.account(tables, hop, lost), lags)
    }

    /// What was worked on, by the positions and by what was counted: every offset was a message that was received, or was lost.
    fn account(&self, tables: &Tables, hop: Hop, lost: u64) -> Hop {
        let Self { service, .. } = self;
        let before = tables.counted(&format!("{service}_offsets_of_former_topics"));
        let offsets = tables.positions(service).values().map(|(_, end)| *end).total().saturating_add(before);
        let received = tables.counted(&format!("{service}_messages_received"));
        match i128::from(offsets) - i128::from(received) - i128::from(lost) {
            0 => hop,
            gap => hop.broken(format!(
                "the {service} has worked on {offsets} offsets: {received} messages were received, {lost} were lost, {gap} are unaccounted for"
            )),
        }
    }

    /// Where the service has come to; nowhere in a topic that was made anew.
    fn position(&self, tables: &Tables, partition: u32) -> u64 {
        let incarnation = tables.incarnations.get(self.topic).copied();
        let positions = tables.positions(self.service);
        positions
            .get(&partition)
            .filter(|(of, _)| incarnation.is_none_or(|incarnation| *of == incarnation))
            .map_or(0, |(_, end)| *end)
    }

    /// Whether a partition in which messages wait has not moved. At first that is so of every one.
    fn stands_still(&self, partition: u32, position: u64, before: Option<&Readings>) -> bool {
        let Some(before) = before else { return true };
        let was = before.tables().map(|tables| self.position(tables, partition));
        was.is_none_or(|was| was == position)
    }
}
