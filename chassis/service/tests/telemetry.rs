//! Traces, metrics and logs arrive at a receiver, and the transport that carries them is not among them.

#![allow(missing_docs, reason = "a test")]

mod otlp;

use std::time::Duration;

use tracing::Instrument as _;
use wardwatch_service::telemetry::{self, TelemetryConfig};
use wardwatch_service::{Counters, ServiceInfo};

const SENSOR: ServiceInfo = ServiceInfo { name: "sensor", version: "1.2.3" };

// One test: the subscriber belongs to the process.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_arrives_by_otlp_when_it_stops() {
    let (address, received, serving) = otlp::receive(None).await;
    let counters = Counters::default();
    counters.counter("batches_before", &[("lane", "live")]).add(41);
    let config = TelemetryConfig {
        otlp_endpoint: Some(format!("http://{address}")),
        // What arrives has been flushed at the end.
        otlp_interval: Duration::from_hours(1),
        trace_share: 1.0,
        ..TelemetryConfig::default()
    };
    let telemetry = telemetry::start(&config, SENSOR, &counters).expect("started");
    let again = telemetry::start(&TelemetryConfig::default(), SENSOR, &counters).expect_err("once a process");
    assert_eq!(again.to_string(), "telemetry has already been started in this process");

    counters.counter("batches_after", &[]).add(42);
    counters.gauge("spool_bytes", &[]).set(43);
    telemetry::meter("sensor").u64_histogram("batch.size").build().record(44, &[]);
    async {
        tracing::info!(reason = "spool full", "dropped a batch");
        tracing::info!(target: "h2::codec", "transport noise");
    }
    .instrument(tracing::info_span!("cut_batch", lane = "live"))
    .await;
    telemetry.stop().await;

    let traces = received.traces();
    assert!(
        traces.contains("cut_batch") && traces.contains("wardwatch-sensor") && traces.contains("1.2.3"),
        "{traces}"
    );
    let metrics = received.metrics();
    let expected = ["wardwatch.batches_before", "AsInt(41)", "wardwatch.batches_after", "AsInt(42)"];
    for part in expected.into_iter().chain(["wardwatch.spool_bytes", "AsInt(43)", "batch.size", "live"]) {
        assert!(metrics.contains(part), "{part} is missing: {metrics}");
    }
    let logs = received.logs();
    assert!(logs.contains("dropped a batch") && logs.contains("spool full"), "{logs}");
    assert!(!logs.contains("transport noise") && !traces.contains("h2"), "{logs}");
    serving.abort();
}
