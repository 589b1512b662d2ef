//! What one service says about itself: readiness and counters, over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer.
const LONGEST: usize = 16 << 20;

/// A service, and what it answered.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Where it was asked: `http://127.0.0.1:9603`.
    pub(crate) url: String,
    /// What it answered, or why not.
    pub(crate) answer: Result<Answer, String>,
}

/// What a service says about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) checks: BTreeMap<String, CheckState>,
    pub(crate) samples: Vec<Sample>,
}

/// How one readiness check stands.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CheckState {
    pub(crate) ready: bool,
    #[serde(default)]
    pub(crate) detail: String,
}

/// One series of `/metrics.json`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Sample {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// A gauge may be negative; a count never is.
    pub(crate) value: i128,
}

#[derive(Deserialize)]
struct Readiness {
    checks: BTreeMap<String, CheckState>,
}

impl Service {
    /// Asks a service how it is.
    pub(crate) async fn ask(url: &str) -> Self {
        let answer = tokio::try_join!(
            get::<Readiness>(url, "/readyz", &[StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE]),
            get::<Vec<Sample>>(url, "/metrics.json", &[StatusCode::OK]),
        );
        let answer = answer
            .map(|(readiness, samples)| Answer { checks: readiness.checks, samples })
            .map_err(|error| format!("{error:#}"));
        Self { url: url.to_owned(), answer }
    }
}

impl Answer {
    /// The sum of a counter or gauge over its labels; `None` where the service has none of this name.
    pub(crate) fn value(&self, name: &str) -> Option<u64> {
        let mut of = self.samples.iter().filter(|sample| sample.name == name).peekable();
        of.peek()?;
        let sum = of.fold(0_i128, |sum, sample| sum.saturating_add(sample.value));
        Some(u64::try_from(sum.max(0)).unwrap_or(u64::MAX))
    }

    /// The same; 0 where there is none.
    pub(crate) fn total(&self, name: &str) -> u64 {
        self.value(name).unwrap_or(0)
    }

    /// A counter by the values of one label.
    pub(crate) fn by(&self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| sample.name == name) {
            let value = sample.labels.get(label).cloned().unwrap_or_default();
            let count: &mut u64 = counts.entry(value).or_default();
            *count = count.saturating_add(u64::try_from(sample.value).unwrap_or(0));
        }
        counts
    }
}

/// What a path answers, as JSON.
pub(crate) async fn get<T: DeserializeOwned>(
    url: &str,
    path: &str,
    accepted: &[StatusCode],
) -> anyhow::Result<T> {
    let asked = async {
        let whole = format!("{}{path}", url.trim_end_matches('/'));
        let uri: Uri = whole.parse().with_context(|| format!("{whole} is no URL"))?;
        let client: Client<HttpConnector, Empty<Bytes>> =
            Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let response = client.get(uri).await.with_context(|| format!("{whole} cannot be reached"))?;
        ensure!(accepted.contains(&response.status()), "{whole} answers {}", response.status());
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{whole} cannot be read to the end: {error}"))?;
        serde_json::from_slice(&body.to_bytes())
            .with_context(|| format!("{whole} gave something else than expected"))
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .with_context(|| format!("{url} did not answer within {PATIENCE:?}"))?
}

#[cfg(test)]
impl Answer {
    /// For tests: an answer with these counters, each a name, a label's value or nothing, and a count.
    pub(crate) fn with(counts: &[(&str, &str, u64)]) -> Self {
        let sample = |(name, value, count): &(&str, &str, u64)| Sample {
            name: (*name).to_owned(),
            labels: (!value.is_empty())
                .then(|| ("reason".to_owned(), (*value).to_owned()))
                .into_iter()
                .collect(),
            value: i128::from(*count),
        };
        Self { checks: BTreeMap::new(), samples: counts.iter().map(sample).collect() }
    }
}
