//! How often each topic was made.
//!
//! Offsets restart with a new topic; what was written under the old one must stay below what comes under the new one.
//! So every position carries the topic's incarnation, and the database, which outlives topics, counts it.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::{Result, Store, quote};

#[derive(Debug, Row, Serialize, Deserialize)]
struct TopicRow {
    topic: String,
    incarnation: u32,
    identity: String,
}

impl Store {
    /// The incarnation of a topic that the bus knows by this identity, beginning one where there is none yet or where the
    /// newest has another identity. The first is 1.
    ///
    /// A bus without identities (Kafka's client cannot ask for a topic's id) gives the empty text; whoever makes the topic
    /// anew then calls [`Store::begin_incarnation`].
    pub async fn incarnation(&self, topic: &str, identity: &str) -> Result<u32> {
        let newest = self.newest_incarnation(topic).await?;
        match newest {
            Some(newest) if newest.identity == identity => Ok(newest.incarnation),
            // From what was read here, not read anew: of several services that start at once all begin the same one.
            newest => self.begin_after(newest, topic, identity).await,
        }
    }

    /// Says that a topic was made (again): positions from now on are above all that were written before.
    pub async fn begin_incarnation(&self, topic: &str, identity: &str) -> Result<u32> {
        let newest = self.newest_incarnation(topic).await?;
        self.begin_after(newest, topic, identity).await
    }

    async fn begin_after(&self, newest: Option<TopicRow>, topic: &str, identity: &str) -> Result<u32> {
        let before = newest.map_or(0, |newest| newest.incarnation);
        let row = TopicRow {
            topic: topic.to_owned(),
            incarnation: before.saturating_add(1),
            identity: identity.to_owned(),
        };
        let incarnation = row.incarnation;
        self.insert("topic_incarnations", &[row], None).await?;
        Ok(incarnation)
    }

    async fn newest_incarnation(&self, topic: &str) -> Result<Option<TopicRow>> {
        let query = format!(
            "SELECT topic, incarnation, identity FROM topic_incarnations WHERE topic = {} \
             ORDER BY incarnation DESC LIMIT 1",
            quote(topic)
        );
        Ok(self.fetch::<TopicRow>(&query).await?.pop())
    }
}
