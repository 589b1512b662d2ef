//! How far the log reaches, and how far its readers say that they have come.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use wardwatch_bus::{Bus, Error};
use wardwatch_proto::topic;

use super::hop::Total as _;

/// How far each topic reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Log {
    /// The partitions of each topic, in the order of their numbers. A topic that is not there has none.
    pub(crate) topics: BTreeMap<String, Vec<Partition>>,
}

/// How far a partition reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Partition {
    /// The lowest offset that retention has left.
    pub(crate) earliest: u64,
    /// The offset that the next message will have.
    pub(crate) end: u64,
    /// What its reader has committed: what the broker's own tools take for its position.
    pub(crate) committed: Option<u64>,
}

/// Who reads what: topic and consumer group.
pub(crate) type Groups = [(&'static str, String); 2];

impl Log {
    /// Asks the log; one that is away is not waited for.
    pub(crate) async fn read(bus: &dyn Bus, groups: &Groups) -> wardwatch_bus::Result<Self> {
        bus.ping().await?;
        let mut topics = BTreeMap::new();
        for name in topic::ALL {
            let marks = match bus.topic_watermarks(name).await {
                Ok(marks) => marks,
                Err(Error::UnknownTopic { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            let mut committed = Vec::new();
            if let Some((_, group)) = groups.iter().find(|(of, _)| *of == name && !marks.is_empty()) {
                committed = bus.topic_committed(group, name).await?;
            }
            let committed = committed.into_iter().chain(std::iter::repeat(None));
            let partitions = marks.into_iter().zip(committed).map(|(marks, committed)| Partition {
                earliest: marks.earliest,
                end: marks.end,
                committed,
            });
            topics.insert(name.to_owned(), partitions.collect());
        }
        Ok(Self { topics })
    }

    /// The partitions of a topic by number.
    pub(crate) fn partitions(&self, topic: &str) -> impl Iterator<Item = (u32, &Partition)> {
        (0..).zip(self.topics.get(topic).into_iter().flatten())
    }

    /// Messages that were ever laid into a topic since it was made.
    pub(crate) fn laid(&self, topic: &str) -> u64 {
        self.partitions(topic).map(|(_, partition)| partition.end).total()
    }

    /// Messages that a topic holds now.
    pub(crate) fn kept(&self, topic: &str) -> u64 {
        self.partitions(topic).map(|(_, partition)| partition.end.saturating_sub(partition.earliest)).total()
    }
}

/// `/log.json`, for a process that has its log to itself: nobody else can ask it.
pub(crate) fn served(bus: Arc<dyn Bus>, groups: Groups) -> Router {
    Router::new().route("/log.json", get(answer)).with_state((bus, Arc::new(groups)))
}

async fn answer(
    State((bus, groups)): State<(Arc<dyn Bus>, Arc<Groups>)>,
) -> Result<Json<Log>, (StatusCode, String)> {
    let log = Log::read(bus.as_ref(), &groups).await;
    log.map(Json).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}
