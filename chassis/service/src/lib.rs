//! What every service shares, one home for each concern.
//!
//! A service is a library with `pub async fn serve(config, context)` and a binary that calls [`run`] with it. [`run()`]
//! reads the command line, loads the configuration, starts telemetry and health, runs the service, and shuts it down. The
//! parts also stand alone, so that several services can run in one process: give each a [`Context`] and call its `serve`.
//!
//! - [`config`]: a service's settings: default < TOML file < environment, with errors that name the key and where it is from
//! - [`counters`]: named counters and gauges, read in-process, over HTTP and by OpenTelemetry
//! - [`telemetry`]: logs to stderr; traces, metrics and logs by OTLP where an endpoint is configured
//! - [`health`]: `/healthz`, `/readyz`, `/metrics.json`
//! - [`retry`](mod@retry): another try where that can help, for a bounded time
//! - [`shutdown`]: from SIGTERM or SIGINT to the end of every task, in bounded time
//! - [`tls`]: gRPC server and client credentials from PEM files
//! - `allocator`: where every program's memory comes from

#![forbid(unsafe_code)]

mod allocator;
pub mod config;
pub mod context;
pub mod counters;
pub mod health;
pub mod retry;
pub mod run;
pub mod shutdown;
pub mod telemetry;
pub mod tls;

pub use config::{ConfigError, Secret};
pub use context::{Context, ServiceInfo};
pub use counters::{Counter, Counters, Gauge};
pub use retry::retry;
pub use run::run;
pub use shutdown::Tasks;
pub use tokio_util::sync::CancellationToken;
