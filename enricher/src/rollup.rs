//! Sums over the flows of one range of messages, see `deploy/clickhouse/0007_rollups.sql`.
//!
//! They are made here and not by a materialized view, so that they can have a mark of their own: every sum carries the last
//! offset of the range that it was made from. Counters wrap around as ClickHouse's `sum` does, so that both agree on
//! whatever a sensor may say.

use std::hash::Hash;
use std::sync::Arc;

use clickhouse::Row;
use compact_str::CompactString;
use hashbrown::{DefaultHashBuilder, HashMap};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::rows::FlowRow;

#[cfg(test)]
mod tests;

/// A row of `conversations`: what one end of a conversation sent and received within an hour, as one sensor saw it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(crate) struct ConversationRow {
    site: Arc<str>,
    endpoint: Arc<str>,
    hour: u32,
    peer: Arc<str>,
    role: CompactString,
    port: u16,
    ip_protocol: u8,
    protocol: Arc<str>,
    observer: Arc<str>,
    source_partition: u32,
    source_incarnation: u32,
    records: u64,
    flows: u64,
    sent_packets: u64,
    sent_frame_bytes: u64,
    sent_ip_bytes: u64,
    sent_payload_bytes: u64,
    received_packets: u64,
    received_frame_bytes: u64,
    received_ip_bytes: u64,
    received_payload_bytes: u64,
    first_seen: i64,
    last_seen: i64,
    received: i64,
    source_offset: u64,
}

/// A row of `site_minute`: what one sensor saw of a protocol at a site within a minute.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(crate) struct SiteMinuteRow {
    site: Arc<str>,
    minute: u32,
    protocol: Arc<str>,
    observer: Arc<str>,
    source_partition: u32,
    source_incarnation: u32,
    records: u64,
    flows: u64,
    initiator_packets: u64,
    initiator_frame_bytes: u64,
    initiator_ip_bytes: u64,
    initiator_payload_bytes: u64,
    responder_packets: u64,
    responder_frame_bytes: u64,
    responder_ip_bytes: u64,
    responder_payload_bytes: u64,
    received: i64,
    source_offset: u64,
}

/// What tells rows of `conversations` apart, in the table's order. Names are places in [`Numbered::names`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Conversation {
    site: u32,
    endpoint: u32,
    hour: u32,
    peer: u32,
    role: Role,
    port: u16,
    ip_protocol: u8,
    protocol: u32,
    observer: u32,
    source: (u32, u32),
}

/// Which end of its flows an endpoint is; in the order of the words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Role {
    Initiator,
    Responder,
}

/// What tells rows of `site_minute` apart, in the table's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct SiteMinute {
    site: u32,
    minute: u32,
    protocol: u32,
    observer: u32,
    source: (u32, u32),
}

/// The names that stand in flows, as numbers: they are compared for every flow, and few are different.
struct Numbered<const N: usize> {
    /// In their order.
    names: Vec<Arc<str>>,
    /// Of each flow, places in `names`.
    places: Vec<[u32; N]>,
}

/// Packets, and octets of frames, of IP packets, of payload.
type Counts = [u64; 4];

/// What is summed up.
#[derive(Clone, Copy)]
struct Sums {
    records: u64,
    flows: u64,
    /// What the first of the two sent, and what the second did.
    counts: [Counts; 2],
    first_seen: i64,
    last_seen: i64,
    received: i64,
}

/// The conversations of some flows, under both ends of each; `last` is the last offset of the range that they are of.
pub(crate) fn conversations(flows: &[FlowRow], last: u64) -> Vec<ConversationRow> {
    let Numbered { names, places } = Numbered::of(flows, |flow| {
        [&flow.site, &flow.initiator, &flow.responder, flow.protocol, &flow.sensor]
    });
    // As the initiator has it; the responder has the same sums the other way round.
    let each = flows.iter().zip(places).map(|(flow, [site, endpoint, peer, protocol, observer])| {
        let conversation = Conversation {
            site,
            endpoint,
            hour: period(flow.start, 3600),
            peer,
            role: Role::Initiator,
            port: flow.responder_port,
            ip_protocol: flow.ip_protocol,
            protocol,
            observer,
            source: (flow.source_partition, flow.source_incarnation),
        };
        (conversation, Sums::of(flow))
    });
    let summed = summed(each);
    // Only keys change places while they are sorted.
    let ends = summed.keys().enumerate().flat_map(|(at, key)| [(*key, at), (key.of_responder(), at)]);
    let mut ends: Vec<(Conversation, usize)> = ends.collect();
    ends.sort_unstable();
    let name = |place: u32| Arc::clone(&names[place as usize]);
    let row = |(of, at): (Conversation, usize)| {
        let (role, sums) = match of.role {
            Role::Initiator => ("initiator", summed[at]),
            Role::Responder => ("responder", summed[at].turned()),
        };
        ConversationRow {
            site: name(of.site),
            endpoint: name(of.endpoint),
            hour: of.hour,
            peer: name(of.peer),
            role: CompactString::const_new(role),
            port: of.port,
            ip_protocol: of.ip_protocol,
            protocol: name(of.protocol),
            observer: name(of.observer),
            source_partition: of.source.0,
            source_incarnation: of.source.1,
            records: sums.records,
            flows: sums.flows,
            sent_packets: sums.counts[0][0],
            sent_frame_bytes: sums.counts[0][1],
            sent_ip_bytes: sums.counts[0][2],
            sent_payload_bytes: sums.counts[0][3],
            received_packets: sums.counts[1][0],
            received_frame_bytes: sums.counts[1][1],
            received_ip_bytes: sums.counts[1][2],
            received_payload_bytes: sums.counts[1][3],
            first_seen: sums.first_seen,
            last_seen: sums.last_seen,
            received: sums.received,
            source_offset: last,
        }
    };
    ends.into_iter().map(row).collect()
}

/// The minutes of some flows; `last` is the last offset of the range that they are of.
pub(crate) fn site_minutes(flows: &[FlowRow], last: u64) -> Vec<SiteMinuteRow> {
    let Numbered { names, places } = Numbered::of(flows, |flow| [&flow.site, flow.protocol, &flow.sensor]);
    let each = flows.iter().zip(places).map(|(flow, [site, protocol, observer])| {
        let source = (flow.source_partition, flow.source_incarnation);
        (SiteMinute { site, minute: period(flow.start, 60), protocol, observer, source }, Sums::of(flow))
    });
    let mut summed = summed(each);
    summed.sort_unstable_keys();
    let name = |place: u32| Arc::clone(&names[place as usize]);
    let row = |(of, sums): (SiteMinute, Sums)| SiteMinuteRow {
        site: name(of.site),
        minute: of.minute,
        protocol: name(of.protocol),
        observer: name(of.observer),
        source_partition: of.source.0,
        source_incarnation: of.source.1,
        records: sums.records,
        flows: sums.flows,
        initiator_packets: sums.counts[0][0],
        initiator_frame_bytes: sums.counts[0][1],
        initiator_ip_bytes: sums.counts[0][2],
        initiator_payload_bytes: sums.counts[0][3],
        responder_packets: sums.counts[1][0],
        responder_frame_bytes: sums.counts[1][1],
        responder_ip_bytes: sums.counts[1][2],
        responder_payload_bytes: sums.counts[1][3],
        received: sums.received,
        source_offset: last,
    };
    summed.into_iter().map(row).collect()
}

/// The sums by key.
fn summed<K: Hash + Eq>(each: impl Iterator<Item = (K, Sums)>) -> IndexMap<K, Sums, DefaultHashBuilder> {
    let mut by_key: IndexMap<K, Sums, DefaultHashBuilder> = IndexMap::default();
    for (key, sums) in each {
        by_key.entry(key).and_modify(|known| known.add(&sums)).or_insert(sums);
    }
    by_key
}

impl<const N: usize> Numbered<N> {
    fn of<'a>(flows: &'a [FlowRow], names: impl Fn(&'a FlowRow) -> [&'a str; N]) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut number = |name: &'a str| {
            let next = known.len() as u32;
            *known.entry(name).or_insert(next)
        };
        let mut places: Vec<[u32; N]> = flows.iter().map(|flow| names(flow).map(&mut number)).collect();
        let mut sorted: Vec<(&str, u32)> = known.into_iter().collect();
        sorted.sort_unstable();
        let mut place_of = vec![0; sorted.len()];
        for (place, (_, number)) in (0..).zip(&sorted) {
            place_of[*number as usize] = place;
        }
        for place in places.as_flattened_mut() {
            *place = place_of[*place as usize];
        }
        Self { names: sorted.into_iter().map(|(name, _)| Arc::from(name)).collect(), places }
    }
}

impl Conversation {
    /// As the other end has it.
    fn of_responder(self) -> Self {
        Self { endpoint: self.peer, peer: self.endpoint, role: Role::Responder, ..self }
    }
}

impl Sums {
    fn of(flow: &FlowRow) -> Self {
        Self {
            records: 1,
            flows: u64::from(flow.segment == 0),
            counts: [
                [
                    flow.initiator_packets,
                    flow.initiator_frame_bytes,
                    flow.initiator_ip_bytes,
                    flow.initiator_payload_bytes,
                ],
                [
                    flow.responder_packets,
                    flow.responder_frame_bytes,
                    flow.responder_ip_bytes,
                    flow.responder_payload_bytes,
                ],
            ],
            first_seen: flow.start,
            last_seen: flow.end,
            received: flow.received,
        }
    }

    /// As the other end has it.
    fn turned(self) -> Self {
        let [first, second] = self.counts;
        Self { counts: [second, first], ..self }
    }

    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.flows += other.flows;
        let own = self.counts.as_flattened_mut().iter_mut();
        for (count, more) in own.zip(other.counts.as_flattened()) {
            *count = count.wrapping_add(*more);
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.received = self.received.max(other.received);
    }
}

/// The start of the period of so many seconds that a time in nanoseconds lies in, in seconds since the Unix epoch. A
/// DateTime ends in the year 2106; what is later stands in the last period that it has.
fn period(at: i64, seconds: u32) -> u32 {
    let at = u32::try_from(at.div_euclid(1_000_000_000).max(0)).unwrap_or(u32::MAX);
    at - at % seconds
}
