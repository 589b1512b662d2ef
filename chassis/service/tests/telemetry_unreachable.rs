//! A receiver that is away costs its telemetry and nothing else.

#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use wardwatch_service::telemetry::{self, TelemetryConfig};
use wardwatch_service::{Counters, ServiceInfo};

const SENSOR: ServiceInfo = ServiceInfo { name: "sensor", version: "1.2.3" };

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_does_not_hold_up_the_end() {
    // Bound and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let endpoint = format!("http://{}", silent.local_addr().expect("bound"));
    let config = TelemetryConfig {
        otlp_endpoint: Some(endpoint),
        otlp_timeout: Duration::from_millis(300),
        ..TelemetryConfig::default()
    };
    let telemetry = telemetry::start(&config, SENSOR, &Counters::default()).expect("started");
    tracing::info_span!("kept").in_scope(|| tracing::info!("kept for the receiver"));
    // Far longer than the three times 300 ms that the flush may take.
    tokio::time::timeout(Duration::from_secs(30), telemetry.stop()).await.expect("it ends");
}
