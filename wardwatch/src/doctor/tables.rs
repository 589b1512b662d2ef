//! What stands in ClickHouse, as far as sums go.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardwatch_store::{Result, Row, Store};

/// What stands in ClickHouse, as far as sums go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    /// The server's clock, in milliseconds since 1970.
    pub(crate) now: i64,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) losses: Vec<LossRow>,
    pub(crate) boots: Vec<BootRow>,
    /// Sums of `records` by table, site and sensor.
    pub(crate) sums: Vec<SumRow>,
    /// Rows by table; of `alerts` each once, of `alert_events` also the alerts in it, as `alert_events.alert`.
    pub(crate) counts: BTreeMap<String, u64>,
    /// Days that rows are kept, of tables that do not keep them for ever.
    pub(crate) retention: BTreeMap<String, u32>,
    /// The incarnation of each topic.
    pub(crate) incarnations: BTreeMap<String, u32>,
}

/// A count of a partition's ledger.
#[derive(Clone, Debug, Row, Deserialize)]
pub(crate) struct LedgerRow {
    pub(crate) service: String,
    pub(crate) partition: u32,
    pub(crate) incarnation: u32,
    pub(crate) offset_end: u64,
    pub(crate) counter: String,
    pub(crate) value: String,
    pub(crate) count: u64,
}

/// Messages that the log removed before a service came to them.
#[derive(Clone, Debug, Row, Deserialize)]
pub(crate) struct LossRow {
    pub(crate) service: String,
    pub(crate) partition: u32,
    pub(crate) incarnation: u32,
    pub(crate) messages: u64,
    /// The first offset above them.
    pub(crate) offset_end: u64,
}

/// What has come of a boot, and how many rows of `flows` it has.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub(crate) struct BootRow {
    pub(crate) site: String,
    pub(crate) sensor: String,
    pub(crate) epoch: u64,
    /// Whether anything was received of it: there may be rows of a boot that nobody has heard of.
    pub(crate) is_known: bool,
    pub(crate) highest: u64,
    pub(crate) batches: u64,
    pub(crate) missing: u64,
    pub(crate) hole_firsts: Vec<u64>,
    pub(crate) hole_lasts: Vec<u64>,
    pub(crate) resent: u64,
    pub(crate) facts: u64,
    pub(crate) flows: u64,
    /// The broker's time of its first and newest batch, in milliseconds since 1970.
    pub(crate) first_heard: i64,
    pub(crate) last_heard: i64,
    /// Rows that stand in `flows`.
    pub(crate) rows: u64,
}

/// A sum of `records`.
#[derive(Clone, Debug, Row, Deserialize)]
pub(crate) struct SumRow {
    pub(crate) table: String,
    pub(crate) site: String,
    pub(crate) sensor: String,
    pub(crate) records: u64,
}

#[derive(Row, Deserialize)]
struct CountRow {
    name: String,
    count: u64,
}

#[derive(Row, Deserialize)]
struct NowRow {
    now: i64,
}

#[derive(Row, Deserialize)]
struct TopicRow {
    topic: String,
    incarnation: u32,
}

const NOW: &str = "SELECT toUnixTimestamp64Milli(now64(3)) AS now";
const LEDGER: &str =
    "SELECT service, partition, incarnation, offset_end, counter, value, count FROM v_ledger ORDER BY ALL";
const LOSSES: &str = "SELECT toString(service) AS service, partition, incarnation,
        sum(offset_last - offset_first + 1) AS messages, max(offset_last) + 1 AS offset_end
    FROM losses FINAL GROUP BY service, partition, incarnation";
/// Both sides: rows of a boot that nobody has received are as wrong as missing ones.
const BOOTS: &str = "SELECT
        if(b.sensor != '', b.site, f.site) AS site, if(b.sensor != '', b.sensor, f.sensor) AS sensor,
        if(b.sensor != '', b.epoch, f.epoch) AS epoch, b.sensor != '' AS is_known,
        b.highest AS highest, b.batches AS batches, b.missing AS missing,
        b.hole_firsts AS hole_firsts, b.hole_lasts AS hole_lasts, b.resent AS resent, b.facts AS facts,
        b.flows AS flows, toUnixTimestamp64Milli(b.first_heard) AS first_heard,
        toUnixTimestamp64Milli(b.last_heard) AS last_heard, f.rows AS rows
    FROM
    (
        SELECT toString(site) AS site, toString(sensor) AS sensor, epoch, highest, batches, missing,
            holes.first AS hole_firsts, holes.last AS hole_lasts, resent, facts, flows, first_heard, last_heard
        FROM sensor_boots FINAL
    ) AS b
    FULL OUTER JOIN
    (
        SELECT toString(site) AS site, toString(sensor) AS sensor, epoch, count() AS rows
        FROM flows GROUP BY site, sensor, epoch
    ) AS f ON b.site = f.site AND b.sensor = f.sensor AND b.epoch = f.epoch
    ORDER BY site, sensor, epoch";
const SUMS: &str = "SELECT table, site, sensor, sum(records) AS records FROM
    (
        SELECT 'site_minute' AS table, toString(site) AS site, toString(observer) AS sensor, records FROM site_minute
        UNION ALL
        SELECT 'conversations' AS table, toString(site) AS site, toString(observer) AS sensor, records
        FROM conversations
    )
    GROUP BY table, site, sensor ORDER BY ALL";
const COUNTS: &str = "SELECT 'changes' AS name, count() AS count FROM changes
    UNION ALL SELECT 'commands', count() FROM commands
    UNION ALL SELECT 'device_notes', count() FROM device_notes
    UNION ALL SELECT 'alert_events', count() FROM alert_events
    UNION ALL SELECT 'alert_events.alert', uniqExact(site, alert) FROM alert_events
    UNION ALL SELECT 'alerts', count() FROM alerts FINAL";
const RETENTION: &str =
    "SELECT name, toUInt64OrZero(extract(engine_full, 'toIntervalDay\\\\(([0-9]+)\\\\)')) AS count
    FROM system.tables WHERE database = currentDatabase() AND position(engine_full, ' TTL ') > 0";
const TOPICS: &str =
    "SELECT toString(topic) AS topic, max(incarnation) AS incarnation FROM topic_incarnations GROUP BY topic";

impl Tables {
    /// Asks ClickHouse. What was counted is read before what stands in the tables, so that rows on their way do not look
    /// like too few.
    pub(crate) async fn read(store: &Store) -> Result<Self> {
        let now = store.fetch::<NowRow>(NOW).await?.pop().map_or(0, |row| row.now);
        let incarnations = store.fetch::<TopicRow>(TOPICS).await?;
        let retention = store.fetch::<CountRow>(RETENTION).await?;
        let ledger = store.fetch(LEDGER).await?;
        let losses = store.fetch(LOSSES).await?;
        let boots = store.fetch(BOOTS).await?;
        let sums = store.fetch(SUMS).await?;
        let counts = store.fetch::<CountRow>(COUNTS).await?;
        let days = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Self {
            now,
            ledger,
            losses,
            boots,
            sums,
            counts: counts.into_iter().map(|row| (row.name, row.count)).collect(),
            retention: retention.into_iter().map(|row| (row.name, days(row.count))).collect(),
            incarnations: incarnations.into_iter().map(|row| (row.topic, row.incarnation)).collect(),
        })
    }
}
