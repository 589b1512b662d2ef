//! Liveness, readiness and counters over HTTP.
//!
//! `GET /healthz` answers 200 while the process runs its event loop. `GET /readyz` answers 200 when every named check is ready
//! and 503 otherwise, with each check's state as JSON. `GET /metrics.json` lists every counter and gauge.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::counters::{Counters, Sample};

/// Where liveness, readiness and counters are served.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// The address to listen on; port 0 takes a free one. Without an address nothing is served.
    pub address: Option<SocketAddr>,
}

/// The named checks of a process. Cheap to clone; all clones are one registry.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<String, CheckState>>>);

/// How one check stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckState {
    /// Whether what is checked can be relied on.
    pub ready: bool,
    /// Why not, or what there is to know.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The one who knows about a check sets it by this handle. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Check {
    name: Arc<str>,
    health: Health,
}

impl Health {
    /// Registers a check, or finds it again. It starts as not ready.
    pub fn check(&self, name: &str) -> Check {
        let starting = || CheckState { ready: false, detail: "starting".to_owned() };
        self.states_locked().entry(name.to_owned()).or_insert_with(starting);
        Check { name: name.into(), health: self.clone() }
    }

    /// Whether every check is ready.
    pub fn ready(&self) -> bool {
        self.states_locked().values().all(|state| state.ready)
    }

    /// Every check by name.
    pub fn states(&self) -> BTreeMap<String, CheckState> {
        self.states_locked().clone()
    }

    fn states_locked(&self) -> MutexGuard<'_, BTreeMap<String, CheckState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &str, ready: bool, detail: String) {
        let state = CheckState { ready, detail };
        let before = self.states_locked().insert(name.to_owned(), state.clone());
        let changed = before.as_ref() != Some(&state);
        if changed && ready {
            tracing::info!(check = name, "ready");
        } else if changed {
            tracing::warn!(check = name, detail = state.detail, "not ready");
        }
    }
}

impl Check {
    /// What is checked can be relied on.
    pub fn ready(&self) {
        self.health.set(&self.name, true, String::new());
    }

    /// What is checked cannot be relied on now, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.health.set(&self.name, false, reason.into());
    }
}

/// The HTTP server, bound but not yet serving.
#[derive(Debug)]
pub struct HealthServer {
    listener: TcpListener,
    router: Router,
}

impl HealthServer {
    /// Binds the address.
    pub async fn bind(address: SocketAddr, health: Health, counters: Counters) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let router = Router::new()
            .route("/healthz", get(|| async { "live\n" }))
            .route("/readyz", get(readyz).with_state(health))
            .route("/metrics.json", get(metrics).with_state(counters));
        Ok(Self { listener, router })
    }

    /// Serves other paths beside its own.
    #[must_use]
    pub fn with(mut self, others: Router) -> Self {
        self.router = self.router.merge(others);
        self
    }

    /// The address that was bound, with the port that was found.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the token is cancelled.
    pub async fn serve(self, shutdown: CancellationToken) -> std::io::Result<()> {
        axum::serve(self.listener, self.router).with_graceful_shutdown(shutdown.cancelled_owned()).await
    }
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    checks: BTreeMap<String, CheckState>,
}

async fn readyz(State(health): State<Health>) -> (StatusCode, Json<Readiness>) {
    let checks = health.states();
    let ready = checks.values().all(|state| state.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks }))
}

async fn metrics(State(counters): State<Counters>) -> Json<Vec<Sample>> {
    Json(counters.snapshot())
}

#[cfg(test)]
mod tests;
