//! What can go wrong when an engine is found, started, stopped or fetched.

use std::path::PathBuf;
use std::time::Duration;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was attempted, on what, and why it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a usable `clickhouse` program nor the library is on this machine.
    #[error("no ClickHouse to start: {why}; `cargo xtask fetch clickhouse` puts one in {cache}")]
    NothingToRun {
        /// What was looked at and why it did not serve.
        why: String,
        /// Where the library would be.
        cache: PathBuf,
    },
    /// No program that can become the engine's process.
    #[error(
        "no program to run the engine in beside {0}; build it with `cargo build -p wardwatch-engine`, or name one \
         in WARDWATCH_ENGINE"
    )]
    NoProgram(PathBuf),
    /// Another engine holds the data directory.
    #[error("data directory {data} is in use by {}", holder(.by.as_ref()))]
    Locked {
        /// The directory that was asked for.
        data: PathBuf,
        /// The engine's process and the process that started it, if its record says.
        by: Option<Holder>,
    },
    /// The engine's process ended before it answered.
    #[error("the engine on {data} ended before it was ready ({status}): {log}")]
    Ended {
        /// The directory that was asked for.
        data: PathBuf,
        /// How the process ended.
        status: String,
        /// The last lines it printed.
        log: String,
    },
    /// The engine did not answer in time; it has been killed.
    #[error("the engine on {data} did not answer within {within:?}: {log}")]
    NotReady {
        /// The directory that was asked for.
        data: PathBuf,
        /// How long it was given.
        within: Duration,
        /// The last lines it printed.
        log: String,
    },
    /// ClickHouse refused a statement, or the answer was not HTTP.
    #[error("query to {url}: {reason}")]
    Query {
        /// The address of the HTTP interface.
        url: String,
        /// What the server said.
        reason: String,
    },
    /// A step of a fetch failed.
    #[error("fetch {what}: {reason}")]
    Fetch {
        /// The product and version.
        what: String,
        /// What the step said.
        reason: String,
    },
    /// An operation of the system failed.
    #[error("{attempted}: {source}")]
    Io {
        /// What was attempted, and on what.
        attempted: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Who holds a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The engine's process.
    pub pid: u32,
    /// The process that started it.
    pub owner: u32,
}

fn holder(by: Option<&Holder>) -> String {
    match by {
        Some(Holder { pid, owner }) => format!("another engine (process {pid}, started by process {owner})"),
        None => "another engine that is just starting".to_owned(),
    }
}

/// Names the attempt that a system error belongs to.
pub(crate) trait Attempted<T> {
    /// Wraps the error with what `attempted` says.
    fn attempted(self, attempted: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Attempted<T> for std::io::Result<T> {
    fn attempted(self, attempted: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { attempted: attempted(), source })
    }
}
