//! The messages that wait for one partition's task: bounded in bytes by pausing the partition.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use wardwatch_bus::{Consumer, Message, TopicPartition};

/// The end that messages are put into.
#[derive(Debug)]
pub(crate) struct Feed {
    partition: TopicPartition,
    consumer: Arc<dyn Consumer>,
    messages: mpsc::UnboundedSender<Message>,
    level: Arc<Level>,
}

/// The end that they are taken from.
#[derive(Debug)]
pub(crate) struct Inbox {
    partition: TopicPartition,
    consumer: Arc<dyn Consumer>,
    messages: mpsc::UnboundedReceiver<Message>,
    level: Arc<Level>,
}

#[derive(Debug)]
struct Level {
    most: usize,
    now: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: usize,
    paused: bool,
}

/// Both ends, for a partition that has just been sought to its first offset. More than `most` bytes pause it, less than
/// half of that resume it.
pub(crate) fn pair(partition: &TopicPartition, consumer: &Arc<dyn Consumer>, most: usize) -> (Feed, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let level = Arc::new(Level { most, now: Mutex::default() });
    let feed = Feed {
        partition: partition.clone(),
        consumer: Arc::clone(consumer),
        messages: sender,
        level: Arc::clone(&level),
    };
    (feed, Inbox { partition: partition.clone(), consumer: Arc::clone(consumer), messages: receiver, level })
}

impl Feed {
    /// Puts a message in. Nothing happens to one that nobody waits for: its offset is not committed.
    pub(crate) async fn push(&self, message: Message) -> Result<(), wardwatch_bus::Error> {
        let bytes = cost(&message);
        let over = {
            let mut now = self.level.waiting();
            now.bytes += bytes;
            now.bytes > self.level.most && !now.paused
        };
        if self.messages.send(message).is_err() || !over {
            return Ok(());
        }
        let partition = std::slice::from_ref(&self.partition);
        if_assigned(self.consumer.pause(partition).await)?;
        // The task may have emptied the inbox while the pause was on its way, and did not know that it had to resume.
        let emptied = {
            let mut now = self.level.waiting();
            now.paused = now.bytes > self.level.most / 2;
            !now.paused
        };
        if emptied {
            if_assigned(self.consumer.resume(partition).await)?;
        }
        Ok(())
    }

    /// Whether the partition is paused for this inbox.
    pub(crate) fn is_paused(&self) -> bool {
        self.level.waiting().paused
    }
}

impl Inbox {
    /// The next message; `None` when no more will come. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// Says that a message has been worked on, which makes room for others.
    pub(crate) async fn done(&self, message_cost: usize) -> Result<(), wardwatch_bus::Error> {
        let resume = {
            let mut now = self.level.waiting();
            now.bytes = now.bytes.saturating_sub(message_cost);
            let resume = now.paused && now.bytes <= self.level.most / 2;
            now.paused &= !resume;
            resume
        };
        if resume {
            if_assigned(self.consumer.resume(std::slice::from_ref(&self.partition)).await)?;
        }
        Ok(())
    }
}

/// A partition may have been taken away while it was asked for; whoever reads the consumer hears of it in time.
fn if_assigned(outcome: Result<(), wardwatch_bus::Error>) -> Result<(), wardwatch_bus::Error> {
    match outcome {
        Err(wardwatch_bus::Error::NotAssigned(_)) => Ok(()),
        outcome => outcome,
    }
}

/// What a message counts while it waits, in bytes.
pub(crate) fn cost(message: &Message) -> usize {
    message.key.len() + message.payload.len() + message.headers.bytes() + size_of::<Message>()
}

impl Level {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
