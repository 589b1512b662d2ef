//! Who is let in: a sensor shows its token with each stream, and thereby which sensor it is and for which site it may
//! speak. A tower layer in front of the service, so that an unknown caller reaches nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};
use wardwatch_service::{Counter, Counters};

use crate::config::SensorConfig;

/// The sensor behind a stream, as its token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedSensor {
    /// The sensor's name.
    pub sensor: String,
    /// The site it may speak for.
    pub site: String,
}

/// Checks the token of each new stream.
#[derive(Clone, Debug)]
pub struct Admission {
    /// By the SHA-256 of the token: the token itself is not kept, and comparing digests tells nothing about it.
    sensors: Arc<BTreeMap<[u8; 32], AdmittedSensor>>,
    refused: Counter,
}

impl Admission {
    /// For these sensors.
    pub fn new(sensors: &BTreeMap<String, SensorConfig>, counters: &Counters) -> Self {
        let known = sensors.iter().map(|(name, config)| {
            let admitted = AdmittedSensor { sensor: name.clone(), site: config.site.clone() };
            (Sha256::digest(config.token.expose()).into(), admitted)
        });
        Self {
            sensors: Arc::new(known.collect()),
            refused: counters.counter("collector_streams_refused", &[("reason", "unknown token")]),
        }
    }

    fn admit(&self, metadata: &MetadataMap) -> Option<AdmittedSensor> {
        let token = metadata.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.sensors.get(&digest).cloned()
    }
}

impl Interceptor for Admission {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let Some(admitted) = self.admit(request.metadata()) else {
            self.refused.increment();
            return Err(Status::unauthenticated("the token is missing or unknown to this collector"));
        };
        request.extensions_mut().insert(admitted);
        Ok(request)
    }
}
