//! Who is let in: a sensor shows its token with each stream, and thereby which sensor it is and for which site it may
//! speak; a person does so with each command. In front of the services, so that an unknown caller reaches nothing else.
//! The token of a sensor opens nothing for people, nor the other way round.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};
use wardwatch_service::{Counter, Counters};

use crate::config::{OperatorConfig, SensorConfig};

/// The sensor behind a stream, as its token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedSensor {
    /// The sensor's name.
    pub sensor: String,
    /// The site it may speak for.
    pub site: String,
}

/// The person behind a command, as their token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedOperator {
    /// The person's name, which the command carries as its author.
    pub name: String,
    /// The sites that they may decide about; empty for all.
    pub sites: Vec<String>,
}

impl AdmittedOperator {
    /// Whether they may decide about a site; empty for all sites together.
    pub(crate) fn may_decide_about(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|known| known == site)
    }
}

/// Checks the token of each new stream or command.
#[derive(Clone, Debug)]
pub struct Admission<A> {
    /// By the SHA-256 of the token: the token itself is not kept, and comparing digests tells nothing about it.
    known: Arc<BTreeMap<[u8; 32], A>>,
    refused: Counter,
}

impl Admission<AdmittedSensor> {
    /// For these sensors.
    pub fn of_sensors(sensors: &BTreeMap<String, SensorConfig>, counters: &Counters) -> Self {
        let known = sensors.iter().map(|(name, config)| {
            let admitted = AdmittedSensor { sensor: name.clone(), site: config.site.clone() };
            (Sha256::digest(config.token.expose()).into(), admitted)
        });
        Self {
            known: Arc::new(known.collect()),
            refused: counters.counter("collector_streams_refused", &[("reason", "unknown token")]),
        }
    }
}

impl Admission<AdmittedOperator> {
    /// For these people.
    pub fn of_operators(operators: &BTreeMap<String, OperatorConfig>, counters: &Counters) -> Self {
        let known = operators.iter().map(|(name, config)| {
            let admitted = AdmittedOperator { name: name.clone(), sites: config.sites.clone() };
            (Sha256::digest(config.token.expose()).into(), admitted)
        });
        Self {
            known: Arc::new(known.collect()),
            refused: counters.counter("collector_commands_refused", &[("reason", "unknown token")]),
        }
    }
}

impl<A: Clone> Admission<A> {
    fn admit(&self, metadata: &MetadataMap) -> Option<A> {
        let token = metadata.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.known.get(&digest).cloned()
    }
}

impl<A: Clone + Send + Sync + 'static> Interceptor for Admission<A> {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let Some(admitted) = self.admit(request.metadata()) else {
            self.refused.increment();
            return Err(Status::unauthenticated("the token is missing or unknown to this collector"));
        };
        request.extensions_mut().insert(admitted);
        Ok(request)
    }
}
