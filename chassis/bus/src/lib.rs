//! The log between the services: topics of ordered partitions, on Kafka or in a journal on the local disk.
//!
//! Both sides of the data path see one trait, [`Bus`], and cannot tell which implementation is behind it; one suite of
//! contract tests runs on both. [`open`] makes the one that the configuration names. A program that runs several
//! services on the embedded bus opens it once and hands the same `Arc<dyn Bus>` to each: one process owns the directory.
//!
//! - **Publishing** has two steps, so that many messages can be in flight while their order is kept: [`Bus::enqueue`]
//!   takes a message, waiting while the queue is full, and gives a [`Receipt`]; the receipt resolves to the message's offset
//!   when the broker holds it durably. Messages lie in a partition in the order in which `enqueue` returned.
//! - **Consuming** starts where the service's own state ends, not where a broker remembers: an assigned partition delivers
//!   nothing until [`Consumer::seek`] names its first offset. [`Consumer::commit`] shows progress to operators (and frees room
//!   on the embedded bus), and no service reads it back.
//! - **Errors** name topic and partition and say whether trying again can help ([`Error::is_retriable`]).

#![forbid(unsafe_code)]

mod bus;
pub mod config;
mod embedded;
mod error;
mod kafka;
mod message;
mod topic;

pub use bus::{Bus, Consumer, Delivery, Receipt};
pub use config::BusConfig;
pub use embedded::EmbeddedBus;
pub use error::{Error, Result};
pub use kafka::KafkaBus;
pub use message::{Headers, Message, Publication};
pub use topic::{TopicPartition, TopicSpec, Watermarks};

use std::sync::Arc;

use config::BusKind;
use wardwatch_service::Counters;

/// Opens the log that the configuration names. Kafka is not asked yet whether it is there: [`Bus::ping`] does.
pub async fn open(config: &BusConfig, counters: &Counters) -> Result<Arc<dyn Bus>> {
    Ok(match config.kind {
        BusKind::Kafka => Arc::new(KafkaBus::open(&config.kafka, counters)?),
        BusKind::Embedded => {
            let (config, counters) = (config.embedded.clone(), counters.clone());
            // Opening touches the disk.
            let opened = tokio::task::spawn_blocking(move || EmbeddedBus::open(&config, &counters)).await;
            Arc::new(opened.map_err(|_| Error::Closed)??)
        }
    })
}
