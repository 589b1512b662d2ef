//! Logs to stderr, and traces, metrics and logs by OTLP (gRPC) where an endpoint is configured.
//!
//! The subscriber belongs to the process: a program starts telemetry once, in `main` or by [`crate::run()`]. Spans and events
//! of the transport itself (h2, hyper, tonic, tower) stay out of the OpenTelemetry layers, or the exporter would trace
//! its own work without end.

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::context::ServiceInfo;
use crate::counters::Counters;

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Which logs go to stderr, as `tracing` directives: `info`, `info,wardwatch_bus=debug`.
    pub log: String,
    /// How they are written.
    pub format: LogFormat,
    /// Where telemetry goes by OTLP, `http://collector:4317`. Without it nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// How often metrics are exported.
    #[serde(with = "humantime_serde")]
    pub otlp_interval: Duration,
    /// How long one export, and the flush at the end, may take.
    #[serde(with = "humantime_serde")]
    pub otlp_timeout: Duration,
    /// Which share of traces that begin here is exported, 0.0 to 1.0; a trace that came in with a request follows its parent.
    pub trace_share: f64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: LogFormat::Text,
            otlp_endpoint: None,
            otlp_interval: Duration::from_secs(30),
            otlp_timeout: Duration::from_secs(5),
            trace_share: 0.01,
        }
    }
}

/// How logs are written to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` cannot be read.
    #[error("cannot read the log filter {filter:?}")]
    Filter {
        /// What was configured.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The endpoint cannot be used.
    #[error("cannot export to the OTLP endpoint {endpoint:?}")]
    Exporter {
        /// What was configured.
        endpoint: String,
        /// What is wrong with it.
        source: ExporterBuildError,
    },
    /// This process has a subscriber already.
    #[error("telemetry has already been started in this process")]
    Started(#[source] TryInitError),
}

/// Ends telemetry: what is still queued is exported by [`stop`](Self::stop).
#[derive(Debug)]
#[must_use = "telemetry that is not stopped loses what is queued"]
pub struct Telemetry {
    exporters: Option<Exporters>,
    timeout: Duration,
}

#[derive(Debug)]
struct Exporters {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

/// Starts logging, and exporting where an endpoint is configured; exports these counters too. Once a process, in a
/// tokio runtime.
pub fn start(
    config: &TelemetryConfig,
    service: ServiceInfo,
    counters: &Counters,
) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|source| TelemetryError::Filter { filter: config.log.clone(), source })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let stderr = match config.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![stderr];

    let mut exporters = None;
    if let Some(endpoint) = &config.otlp_endpoint {
        let started = Exporters::build(config, endpoint, service)
            .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.clone(), source })?;
        let tracer = started.traces.tracer(service.name);
        let own = || not_transport().and(LevelFilter::INFO);
        layers.push(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(own()).boxed());
        layers.push(OpenTelemetryTracingBridge::new(&started.logs).with_filter(own()).boxed());
        global::set_tracer_provider(started.traces.clone());
        global::set_meter_provider(started.metrics.clone());
        counters.export_by(global::meter("wardwatch"));
        exporters = Some(started);
    }
    tracing_subscriber::registry().with(layers).try_init().map_err(TelemetryError::Started)?;
    Ok(Telemetry { exporters, timeout: config.otlp_timeout })
}

/// The instruments of a part, for histograms; counts and levels go to [`Counters`]. Does nothing where no endpoint is configured.
pub fn meter(part: &'static str) -> Meter {
    global::meter(part)
}

impl Telemetry {
    /// Exports what is queued, within the configured time, and stops exporting.
    pub async fn stop(self) {
        let Some(exporters) = self.exporters else { return };
        let timeout = self.timeout;
        // The SDK flushes by blocking, and its exports run on this runtime.
        let flushed = tokio::task::spawn_blocking(move || exporters.stop(timeout));
        match tokio::time::timeout(timeout.saturating_mul(3), flushed).await {
            Ok(Ok(problems)) if problems.is_empty() => {}
            Ok(Ok(problems)) => tracing::warn!(problems = problems.join("; "), "telemetry was not flushed"),
            Ok(Err(error)) => tracing::warn!(%error, "telemetry was not flushed"),
            Err(_) => tracing::warn!("telemetry was not flushed in time"),
        }
    }
}

impl Exporters {
    fn build(
        config: &TelemetryConfig,
        endpoint: &str,
        service: ServiceInfo,
    ) -> Result<Self, ExporterBuildError> {
        let timeout = config.otlp_timeout;
        let resource = Resource::builder()
            .with_service_name(format!("wardwatch-{}", service.name))
            .with_attribute(KeyValue::new("service.version", service.version))
            .build();
        let spans =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(timeout).build()?;
        let metrics =
            MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(timeout).build()?;
        let logs =
            LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(timeout).build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_share)));
        Ok(Self {
            traces: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_sampler(sampler)
                .with_batch_exporter(spans)
                .build(),
            metrics: SdkMeterProvider::builder()
                .with_resource(resource.clone())
                .with_reader(PeriodicReader::builder(metrics).with_interval(config.otlp_interval).build())
                .build(),
            logs: SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(logs).build(),
        })
    }

    fn stop(&self, timeout: Duration) -> Vec<String> {
        let outcomes = [
            ("traces", self.traces.shutdown_with_timeout(timeout)),
            ("metrics", self.metrics.shutdown_with_timeout(timeout)),
            ("logs", self.logs.shutdown_with_timeout(timeout)),
        ];
        outcomes
            .into_iter()
            .filter_map(|(what, outcome)| Some(format!("{what}: {}", outcome.err()?)))
            .collect()
    }
}

const TRANSPORT: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "rustls",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
];

fn not_transport() -> FilterFn {
    filter_fn(|metadata: &Metadata<'_>| !is_transport(metadata.target()))
}

fn is_transport(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    // OpenTelemetry's own events carry the crate's name with a dash.
    TRANSPORT.contains(&root.replace('-', "_").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transport_is_told_from_what_it_carries() {
        assert!(is_transport("h2::proto::streams"));
        assert!(is_transport("opentelemetry-otlp"));
        assert!(is_transport("tonic"));
        assert!(!is_transport("wardwatch_collector::ingest"));
        assert!(!is_transport("tonic_of_ours"));
    }
}
