//! What a pipeline has written, read by someone who is none of its services.

use anyhow::{Context as _, Result};
use tokio::time::timeout;
use wardwatch_bus::{Bus, Delivery, Message};

use super::{PATIENCE, Pipeline};

/// The inventory without the places in the log that it comes from.
const DEVICES: &str = "SELECT * FROM v_devices ORDER BY site, device";

impl Pipeline {
    /// Every message of a topic, partition by partition in order.
    pub async fn messages(&self, topic: &str) -> Result<Vec<Message>> {
        messages(self.bus.as_ref(), topic).await
    }

    /// The rows of a query, a JSON object each.
    pub async fn rows(&self, query: &str) -> Result<Vec<String>> {
        let text = self.store.text(query, "JSONEachRow").await?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Every device as it is known now.
    pub async fn devices(&self) -> Result<Vec<String>> {
        self.rows(DEVICES).await
    }

    /// The number that an expression gives over a table.
    pub async fn number(&self, expression: &str, table: &str) -> Result<u64> {
        let query = format!("SELECT toUInt64({expression}) FROM {table}");
        let text = self.store.text(&query, "TSV").await?;
        text.trim().parse().with_context(|| format!("{query} gave {text:?}"))
    }
}

/// Every message of a topic, partition by partition in order.
pub async fn messages(bus: &dyn Bus, topic: &str) -> Result<Vec<Message>> {
    let group = format!("reader-{}", uuid::Uuid::new_v4().simple());
    let marks = bus.topic_watermarks(topic).await?;
    let consumer = bus.subscribe(&group, &[topic]).await?;
    let mut missing: u64 = marks.iter().map(|mark| mark.end - mark.earliest).sum();
    let mut messages = Vec::new();
    while missing > 0 {
        let delivery = timeout(PATIENCE, consumer.next())
            .await
            .with_context(|| format!("{missing} messages of {topic} did not come"))??;
        match delivery {
            Delivery::Assigned(partitions) => {
                for partition in partitions {
                    consumer.seek(&partition, 0).await?;
                }
            }
            Delivery::Message(message) => {
                messages.push(message);
                missing -= 1;
            }
            Delivery::Revoked { .. } => {}
        }
    }
    consumer.leave().await?;
    messages.sort_by_key(|message| (message.from.partition, message.offset));
    Ok(messages)
}
