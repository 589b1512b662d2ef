//! The two traits: publishing and administration, and one member of a consumer group.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::error::Result;
use crate::message::{Message, Publication};
use crate::topic::{TopicPartition, TopicSpec, Watermarks};

/// A log of topics with ordered partitions. Share it as `Arc<dyn Bus>`.
#[async_trait]
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// Creates the topics that are missing, with timestamps of the log's own clock (LogAppendTime).
    ///
    /// An existing topic with another number of partitions is [`crate::Error::PartitionCount`]; other differences are left as they
    /// are, since they are the operator's to change.
    async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<()>;

    /// How many partitions a topic has; [`crate::Error::UnknownTopic`] where there is none.
    async fn partitions(&self, topic: &str) -> Result<u32>;

    /// Takes a message, waiting while the queue is full (back-pressure, bounded in bytes).
    ///
    /// Messages lie in a partition in the order in which this returned. The receipt resolves when the broker has the message
    /// durably. A receipt that is dropped does not take the message back.
    async fn enqueue(&self, publication: Publication) -> Result<Receipt>;

    /// Takes a message and waits until the broker has it durably; gives its offset.
    async fn publish(&self, publication: Publication) -> Result<u64> {
        self.enqueue(publication).await?.await
    }

    /// Waits until everything enqueued so far has been delivered or has failed.
    async fn flush(&self) -> Result<()>;

    /// Joins a consumer group on these topics.
    ///
    /// On the embedded bus a group has one member, which is assigned every partition.
    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Arc<dyn Consumer>>;

    /// How far a partition reaches.
    async fn watermarks(&self, of: &TopicPartition) -> Result<Watermarks>;

    /// How far each partition of a topic reaches, in the order of their numbers.
    async fn topic_watermarks(&self, topic: &str) -> Result<Vec<Watermarks>> {
        let count = self.partitions(topic).await?;
        let topic: Arc<str> = topic.into();
        let each = (0..count).map(|partition| TopicPartition { topic: Arc::clone(&topic), partition });
        let mut marks = Vec::new();
        for partition in each {
            marks.push(self.watermarks(&partition).await?);
        }
        Ok(marks)
    }

    /// What a group has committed for a partition: the offset it will read next. For operators and tests.
    async fn committed(&self, group: &str, of: &TopicPartition) -> Result<Option<u64>>;

    /// What a group has committed for each partition of a topic, in the order of their numbers.
    async fn topic_committed(&self, group: &str, topic: &str) -> Result<Vec<Option<u64>>> {
        let count = self.partitions(topic).await?;
        let topic: Arc<str> = topic.into();
        let mut committed = Vec::new();
        for partition in 0..count {
            let of = TopicPartition { topic: Arc::clone(&topic), partition };
            committed.push(self.committed(group, &of).await?);
        }
        Ok(committed)
    }

    /// Whether the log can be reached and written to, for readiness.
    async fn ping(&self) -> Result<()>;

    /// The largest sum of key, payload and headers that [`enqueue`](Self::enqueue) takes, in bytes.
    fn largest_message(&self) -> usize;
}

/// One member of a consumer group. [`leave`](Self::leave) it at the end; dropping it leaves too, but waits for nothing.
///
/// [`next`](Self::next) is called by one task; the other methods may be called from any. All are for partitions that are
/// assigned now; for others they give [`crate::Error::NotAssigned`].
#[async_trait]
pub trait Consumer: fmt::Debug + Send + Sync + 'static {
    /// What happens next. Dropping the future loses nothing.
    async fn next(&self) -> Result<Delivery>;

    /// Names the next offset to deliver, and starts a partition that has just been assigned. What was fetched before is not
    /// delivered any more.
    ///
    /// An offset that retention has removed, or that does not exist yet beyond the end, is
    /// [`crate::Error::OffsetOutOfRange`] with the watermarks: the caller decides what that means. While a revocation waits for
    /// [`next`](Self::next) it is [`crate::Error::Revoking`]: it is done behind that, and whoever wants to know how it ended asks again.
    async fn seek(&self, of: &TopicPartition, offset: u64) -> Result<()>;

    /// Delivers nothing from these until they are resumed. Other partitions go on. While a revocation waits, this and
    /// [`resume`](Self::resume) are taken note of, and done behind it in the order in which they came.
    async fn pause(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// Goes on where these were paused.
    async fn resume(&self, partitions: &[TopicPartition]) -> Result<()>;

    /// Shows operators the next offset that this group will read, which is lag made visible. No service starts from it.
    ///
    /// On the embedded bus it is also what retention goes by: messages below it may be trimmed.
    async fn commit(&self, of: &TopicPartition, next_offset: u64) -> Result<()>;

    /// Leaves the group, so that its partitions go to others at once. What comes after is [`crate::Error::Closed`].
    async fn leave(&self) -> Result<()>;

    /// The partitions assigned now.
    fn assignment(&self) -> Vec<TopicPartition>;
}

/// What [`Consumer::next`] yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// These partitions are now ours. Each delivers nothing until [`Consumer::seek`] names its first offset.
    Assigned(Vec<TopicPartition>),
    /// These partitions are ours no longer. The broker gives them to their next owner when `next` is called again (or after
    /// the configured patience), so end all work on them first, and ask nothing else of the consumer until then.
    Revoked {
        /// Which partitions.
        partitions: Vec<TopicPartition>,
        /// Whether the group has already given them away (we were thought dead): another member may work on them now.
        lost: bool,
    },
    /// A message.
    Message(Message),
}

/// The promise of an offset, which resolves when the broker has the message durably.
pub struct Receipt(BoxFuture<'static, Result<u64>>);

impl Receipt {
    /// Wraps what resolves to the offset.
    pub(crate) fn new(offset: impl Future<Output = Result<u64>> + Send + 'static) -> Self {
        Self(Box::pin(offset))
    }
}

impl Future for Receipt {
    type Output = Result<u64>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}
