//! What every service shares: configuration, telemetry, health, shutdown, TLS.

#![forbid(unsafe_code)]
