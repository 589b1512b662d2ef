//! What an operator sets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_bus::BusConfig;
use wardwatch_proto::name::is_name;
use wardwatch_service::Secret;
use wardwatch_service::tls::ServerTls;

/// The collector's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where sensors connect.
    pub listen: SocketAddr,
    /// Credentials of the gRPC port; without them it speaks in clear, which is for one machine only.
    pub tls: Option<ServerTls>,
    /// The sensors that are let in, by name.
    pub sensors: BTreeMap<String, SensorConfig>,
    /// The people whose commands are taken, by name; the name is the author of what they decide.
    pub operators: BTreeMap<String, OperatorConfig>,
    /// Partitions of `wardwatch.facts`; must be what the topic has.
    pub partitions: u32,
    /// Sites that live in another partition than the hash of their name gives, so that two large ones need not share one.
    pub partition_overrides: BTreeMap<String, u32>,
    /// Bounds.
    pub limits: LimitsConfig,
    /// The log that batches are published to.
    pub bus: BusConfig,
}

/// One sensor that is let in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorConfig {
    /// The site it stands at: it cannot speak for another.
    pub site: String,
    /// What it shows to prove who it is.
    pub token: Secret,
}

/// One person, or program of theirs, whose commands are taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorConfig {
    /// What they show to prove who they are.
    pub token: Secret,
    /// The sites that they may decide about; empty for all.
    pub sites: Vec<String>,
}

/// The collector's bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Streams at a time; one more is refused as unavailable, and its sensor tries elsewhere or later.
    pub streams: usize,
    /// Octets of one stream's batches that the log does not hold yet; above it the stream is not read.
    pub unpublished_bytes: usize,
    /// Largest batch, in octets.
    pub batch_bytes: usize,
    /// How long a new stream may take to say Hello.
    #[serde(with = "humantime_serde")]
    pub hello: Duration,
    /// A stream is ended after this time, so that new collectors get their share.
    #[serde(with = "humantime_serde")]
    pub stream_age: Duration,
    /// How long a stream that ends waits for the log to take what came on it.
    #[serde(with = "humantime_serde")]
    pub farewell: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7443)),
            tls: None,
            sensors: BTreeMap::new(),
            operators: BTreeMap::new(),
            partitions: wardwatch_proto::log::DEFAULT_PARTITIONS,
            partition_overrides: BTreeMap::new(),
            limits: LimitsConfig::default(),
            bus: BusConfig::default(),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            streams: 256,
            unpublished_bytes: 8 << 20,
            batch_bytes: 900 * 1024,
            hello: Duration::from_secs(10),
            stream_age: Duration::from_mins(30),
            farewell: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// What serde cannot check, with the key named.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.partitions > 0, "partitions: there must be at least one");
        anyhow::ensure!(self.limits.streams > 0, "limits.streams: there must be at least one");
        for (site, partition) in &self.partition_overrides {
            anyhow::ensure!(
                *partition < self.partitions,
                "partition_overrides.{site}: partition {partition} does not exist, there are {}",
                self.partitions
            );
        }
        for (name, sensor) in &self.sensors {
            anyhow::ensure!(!sensor.site.is_empty(), "sensors.{name}.site: is not set");
            anyhow::ensure!(!sensor.token.is_empty(), "sensors.{name}.token: is not set");
        }
        for (name, operator) in &self.operators {
            anyhow::ensure!(is_name(name), "operators.{name}: is longer than 128 octets or cannot be shown");
            anyhow::ensure!(!operator.token.is_empty(), "operators.{name}.token: is not set");
        }
        // By its token a sensor is known: one of two with the same would never be let in.
        let mut tokens = BTreeMap::new();
        for (name, sensor) in &self.sensors {
            if let Some(other) = tokens.insert(sensor.token.expose(), name) {
                anyhow::bail!("sensors.{name}.token: is that of sensor {other}");
            }
        }
        Ok(())
    }

    /// Where a site's facts go.
    pub(crate) fn partition_of(&self, site: &str) -> u32 {
        let hashed = || wardwatch_proto::log::partition_of(site, self.partitions);
        self.partition_overrides.get(site).copied().unwrap_or_else(hashed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_work_is_named() {
        let mut config = Config::default();
        config.partition_overrides.insert("north".into(), 64);
        let error = config.check().expect_err("there is no partition 64 of 64");
        assert_eq!(error.to_string(), "partition_overrides.north: partition 64 does not exist, there are 64");
        let config = Config { sensors: [("s1".into(), SensorConfig::default())].into(), ..Config::default() };
        assert_eq!(config.check().expect_err("no site").to_string(), "sensors.s1.site: is not set");
        let operators = [("j.doe".into(), OperatorConfig::default())].into();
        let config = Config { operators, ..Config::default() };
        assert_eq!(config.check().expect_err("no token").to_string(), "operators.j.doe.token: is not set");
        let sensor = SensorConfig { site: "north".into(), token: Secret::new("t") };
        let sensors = ["s1", "s2"].map(|name| (name.to_owned(), sensor.clone()));
        let config = Config { sensors: sensors.into(), ..Config::default() };
        assert_eq!(
            config.check().expect_err("one token for two").to_string(),
            "sensors.s2.token: is that of sensor s1"
        );
    }

    #[test]
    fn a_site_can_be_given_a_partition_of_its_own() {
        let config = Config { partition_overrides: [("north".into(), 5)].into(), ..Config::default() };
        assert_eq!(config.partition_of("north"), 5);
        assert_eq!(config.partition_of("south"), wardwatch_proto::log::partition_of("south", 64));
    }
}
