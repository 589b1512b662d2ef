//! What has come of each boot of a sensor, see `deploy/clickhouse/0009_sensor_boots.sql`.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use wardwatch_inventory::LogMoment;
use wardwatch_store::version;

use crate::received::Received;
use crate::rows::{BatchIdentity, milliseconds};

/// Holes that a row names; it counts them all.
const HOLES: usize = 64;

/// A row of `sensor_boots`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct SensorBootRow {
    site: String,
    sensor: String,
    epoch: u64,
    highest: u64,
    batches: u64,
    missing: u64,
    #[serde(rename = "holes.first")]
    hole_firsts: Vec<u64>,
    #[serde(rename = "holes.last")]
    hole_lasts: Vec<u64>,
    resent: u64,
    forgotten: u64,
    facts: u64,
    flows: u64,
    observations: u64,
    first_heard: i64,
    last_heard: i64,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl SensorBootRow {
    /// The row of a boot after the message at this place.
    pub(crate) fn new(of: BatchIdentity<'_>, received: &Received, at: LogMoment) -> Self {
        let counts = received.counts();
        let (hole_firsts, hole_lasts) = received.holes(HOLES).into_iter().unzip();
        Self {
            site: of.site.to_string(),
            sensor: of.sensor.to_string(),
            epoch: of.epoch,
            highest: received.highest(),
            batches: counts.batches,
            missing: received.missing(),
            hole_firsts,
            hole_lasts,
            resent: counts.resent,
            forgotten: counts.forgotten,
            facts: counts.facts,
            flows: counts.flows,
            observations: counts.observations,
            first_heard: milliseconds(received.first_heard()),
            last_heard: milliseconds(received.last_heard()),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}
