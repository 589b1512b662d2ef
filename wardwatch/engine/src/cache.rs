//! The folder of things fetched once: ClickHouse's library, and Apache Kafka and Suricata for the tests.

use std::env;
use std::path::{Path, PathBuf};

mod fetch;

pub use fetch::Fetched;

/// ClickHouse's library, as the package manager npm knows it.
pub(crate) const CLICKHOUSE_PACKAGE: &str = "@chdb/lib-linux-x64-gnu";
/// The version of the package; the server in it calls itself 26.7.
pub const CLICKHOUSE_VERSION: &str = "26.7.3-stable.1";
/// The newest 4.x whose parts are all published.
pub const KAFKA_VERSION: &str = "4.3.1";

/// The cache folder: `$WARDWATCH_CACHE`, else `$XDG_CACHE_HOME/wardwatch`, else `~/.cache/wardwatch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache(PathBuf);

impl Default for Cache {
    fn default() -> Self {
        let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = named("WARDWATCH_CACHE")
            .or_else(|| named("XDG_CACHE_HOME").map(|caches| caches.join("wardwatch")))
            .or_else(|| env::home_dir().map(|home| home.join(".cache/wardwatch")));
        Self(folder.unwrap_or_else(|| env::temp_dir().join("wardwatch-cache")))
    }
}

impl Cache {
    /// A cache in a folder of your choice.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where `libchdb.so` is once it has been fetched.
    pub fn clickhouse_library(&self) -> PathBuf {
        self.clickhouse_folder().join("libchdb.so")
    }

    /// The folder of Apache Kafka's jars, once they have been fetched.
    pub fn kafka_libraries(&self) -> PathBuf {
        self.kafka_folder().join("libs")
    }

    /// The folder that Suricata's packages have been unpacked in, once they have been fetched.
    pub fn suricata_folder(&self) -> PathBuf {
        self.0.join("suricata")
    }

    fn clickhouse_folder(&self) -> PathBuf {
        self.0.join(format!("clickhouse-{CLICKHOUSE_VERSION}"))
    }

    fn kafka_folder(&self) -> PathBuf {
        self.0.join(format!("kafka-{KAFKA_VERSION}"))
    }
}
