//! Sums over the flows of one range of messages, see `deploy/clickhouse/0007_rollups.sql`.
//!
//! They are made here and not by a materialized view, so that they can have a mark of their own: every sum carries the last
//! offset of the range that it was made from. Counters wrap around as ClickHouse's `sum` does, so that both agree on
//! whatever a sensor may say.

use std::hash::Hash;

use clickhouse::Row;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::rows::FlowRow;

#[cfg(test)]
mod tests;

/// A row of `conversations`: what one end of a conversation sent and received within an hour, as one sensor saw it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(crate) struct ConversationRow {
    site: String,
    endpoint: String,
    hour: u32,
    peer: String,
    role: String,
    port: u16,
    ip_protocol: u8,
    protocol: String,
    observer: String,
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
    site: String,
    minute: u32,
    protocol: String,
    observer: String,
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

/// What tells rows of `conversations` apart, in the table's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Conversation<'a> {
    site: &'a str,
    endpoint: &'a str,
    hour: u32,
    peer: &'a str,
    role: &'static str,
    port: u16,
    ip_protocol: u8,
    protocol: &'a str,
    observer: &'a str,
    source: (u32, u32),
}

/// What tells rows of `site_minute` apart, in the table's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct SiteMinute<'a> {
    site: &'a str,
    minute: u32,
    protocol: &'a str,
    observer: &'a str,
    source: (u32, u32),
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
    let ends = flows.iter().flat_map(|flow| {
        let initiator = Conversation {
            site: &flow.site,
            endpoint: &flow.initiator,
            hour: period(flow.start, 3600),
            peer: &flow.responder,
            role: "initiator",
            port: flow.responder_port,
            ip_protocol: flow.ip_protocol,
            protocol: &flow.protocol,
            observer: &flow.sensor,
            source: (flow.source_partition, flow.source_incarnation),
        };
        let responder =
            Conversation { endpoint: &flow.responder, peer: &flow.initiator, role: "responder", ..initiator };
        let sums = Sums::of(flow);
        [(initiator, sums), (responder, sums.turned())]
    });
    let row = |(of, sums): (Conversation<'_>, Sums)| ConversationRow {
        site: of.site.to_owned(),
        endpoint: of.endpoint.to_owned(),
        hour: of.hour,
        peer: of.peer.to_owned(),
        role: of.role.to_owned(),
        port: of.port,
        ip_protocol: of.ip_protocol,
        protocol: of.protocol.to_owned(),
        observer: of.observer.to_owned(),
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
    };
    summed(ends).into_iter().map(row).collect()
}

/// The minutes of some flows; `last` is the last offset of the range that they are of.
pub(crate) fn site_minutes(flows: &[FlowRow], last: u64) -> Vec<SiteMinuteRow> {
    let each = flows.iter().map(|flow| {
        let key = SiteMinute {
            site: &flow.site,
            minute: period(flow.start, 60),
            protocol: &flow.protocol,
            observer: &flow.sensor,
            source: (flow.source_partition, flow.source_incarnation),
        };
        (key, Sums::of(flow))
    });
    let row = |(of, sums): (SiteMinute<'_>, Sums)| SiteMinuteRow {
        site: of.site.to_owned(),
        minute: of.minute,
        protocol: of.protocol.to_owned(),
        observer: of.observer.to_owned(),
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
    summed(each).into_iter().map(row).collect()
}

/// The sums by key, in the order of the keys, which is the table's.
fn summed<K: Hash + Ord>(each: impl Iterator<Item = (K, Sums)>) -> Vec<(K, Sums)> {
    let mut by_key: HashMap<K, Sums> = HashMap::new();
    for (key, sums) in each {
        by_key.entry(key).and_modify(|known| known.add(&sums)).or_insert(sums);
    }
    let mut rows: Vec<_> = by_key.into_iter().collect();
    rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    rows
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
