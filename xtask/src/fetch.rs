//! `cargo xtask fetch`: what the demonstration and the tests need and the repository does not hold.

use anyhow::Result;
use clap::ValueEnum;
use wardwatch_engine::cache::{CLICKHOUSE_VERSION, Cache, Fetched, KAFKA_VERSION};

/// What can be fetched.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// ClickHouse's library, with npm: 178 MB
    Clickhouse,
    /// Apache Kafka's jars, with Maven: 45 MB
    Kafka,
    /// Suricata and libraries that it needs, with apt-get: 7 MB
    Suricata,
    /// All of them
    All,
}

/// Fetches the engines that services run on.
pub(crate) fn engines() -> Result<()> {
    run(What::Clickhouse)?;
    run(What::Kafka)
}

/// Fetches into the cache what is not there yet.
pub(crate) fn run(what: What) -> Result<()> {
    let cache = Cache::default();
    let mut progress = |line: &str| println!("{line}");
    let tell = |name: &str, fetched: Fetched| {
        if fetched == Fetched::AlreadyThere {
            println!("{name}: already in {}", cache.folder().display());
        }
    };
    if matches!(what, What::Clickhouse | What::All) {
        tell(&format!("ClickHouse {CLICKHOUSE_VERSION}"), cache.fetch_clickhouse(&mut progress)?);
    }
    if matches!(what, What::Kafka | What::All) {
        tell(&format!("Apache Kafka {KAFKA_VERSION}"), cache.fetch_kafka(&mut progress)?);
    }
    if matches!(what, What::Suricata | What::All) {
        tell("Suricata", cache.fetch_suricata(&mut progress)?);
    }
    Ok(())
}
