//! What a member of a group holds now, shared by the thread that polls and those who consume.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::bus::Delivery;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::topic::TopicPartition;

/// One member's partitions and what has been fetched for them.
#[derive(Debug)]
pub(super) struct Member {
    state: Mutex<State>,
    /// Tells the consumer that there is something to deliver.
    news: Notify,
    /// Tells the polling thread that there is room, or that a revocation has been dealt with.
    progress: Condvar,
    /// How many bytes may wait for the consumer.
    limit: usize,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What the group decided, and errors: delivered before any message.
    events: VecDeque<Result<Delivery>>,
    messages: VecDeque<Message>,
    bytes: usize,
    pub(super) partitions: BTreeMap<TopicPartition, Partition>,
    revocation: Revocation,
    pub(super) closing: bool,
}

/// One partition of ours.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Partition {
    /// The next offset to deliver; `None` until the first seek.
    pub(super) position: Option<u64>,
    /// The next offset to take from the client library.
    pub(super) fetch: Option<u64>,
    pub(super) paused: bool,
    /// Whether the client library fetches it, which it does from the first seek on.
    pub(super) fetching: bool,
}

/// How far a revocation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Revocation {
    #[default]
    None,
    /// It waits for the consumer, or in its hands.
    Announced,
    Delivered,
}

impl Member {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), news: Notify::new(), progress: Condvar::new(), limit }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The consumer's side.

    /// The next event or message. Being asked again means that a revocation has been dealt with.
    pub(super) async fn next(&self) -> Result<Delivery> {
        {
            let mut state = self.state();
            if state.revocation == Revocation::Delivered {
                state.revocation = Revocation::None;
                self.progress.notify_all();
            }
        }
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if let Some(delivery) = self.take() {
                return delivery;
            }
            news.await;
        }
    }

    /// Waits until the polling thread waits for a revocation to be dealt with.
    pub(super) async fn until_revoking(&self) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if self.state().revocation != Revocation::None {
                return;
            }
            news.await;
        }
    }

    fn take(&self) -> Option<Result<Delivery>> {
        let mut state = self.state();
        if let Some(event) = state.events.pop_front() {
            if matches!(event, Ok(Delivery::Revoked { .. })) && state.revocation == Revocation::Announced {
                state.revocation = Revocation::Delivered;
            }
            return Some(event);
        }
        if state.closing {
            return Some(Err(Error::Closed));
        }
        let message = state.messages.pop_front()?;
        state.bytes -= message.payload.len();
        if let Some(partition) = state.partitions.get_mut(&message.from) {
            partition.position = Some(message.offset + 1);
        }
        self.progress.notify_all();
        Some(Ok(Delivery::Message(message)))
    }

    /// Ends everything: nobody waits for anybody any more.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.news.notify_waiters();
        self.progress.notify_all();
    }

    // The polling thread's side.

    /// Hands a message to the consumer, if its partition is ours and it is the one to come.
    pub(super) fn push(&self, message: Message) {
        let mut state = self.state();
        let Some(partition) = state.partitions.get_mut(&message.from) else { return };
        // Fetched before a seek, or while it was being assigned.
        if partition.paused || partition.fetch.is_none_or(|next| message.offset < next) {
            return;
        }
        partition.fetch = Some(message.offset + 1);
        state.bytes += message.payload.len();
        state.messages.push_back(message);
        drop(state);
        self.news.notify_waiters();
    }

    pub(super) fn push_event(&self, event: Result<Delivery>) {
        self.state().events.push_back(event);
        self.news.notify_waiters();
    }

    /// Waits until there is room for messages, at most so long; gives whether there is.
    pub(super) fn wait_for_room(&self, patience: Duration) -> bool {
        let full = |state: &mut State| state.bytes >= self.limit && !state.closing;
        let waited = self.progress.wait_timeout_while(self.state(), patience, full);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.bytes < self.limit || state.closing
    }

    /// Those of these partitions that the client library fetches.
    pub(super) fn fetching(&self, of: &[TopicPartition]) -> Vec<TopicPartition> {
        let state = self.state();
        let fetches =
            |of: &&TopicPartition| state.partitions.get(of).is_some_and(|partition| partition.fetching);
        of.iter().filter(fetches).cloned().collect()
    }

    pub(super) fn assign(&self, partitions: Vec<TopicPartition>) {
        // A cooperative rebalance also tells those for whom nothing changes.
        if partitions.is_empty() {
            return;
        }
        let mut state = self.state();
        for partition in &partitions {
            state.partitions.insert(partition.clone(), Partition::default());
        }
        drop(state);
        self.push_event(Ok(Delivery::Assigned(partitions)));
    }

    /// Takes partitions away, and waits until the consumer has dealt with it, at most so long. What has been lost is not waited
    /// for: it is someone else's already.
    pub(super) fn revoke(&self, partitions: Vec<TopicPartition>, lost: bool, patience: Duration) {
        let mut state = self.state();
        for partition in &partitions {
            state.partitions.remove(partition);
        }
        state.drop_messages(|of| partitions.contains(of));
        if state.closing || partitions.is_empty() {
            return;
        }
        state.events.push_back(Ok(Delivery::Revoked { partitions, lost }));
        if lost {
            drop(state);
            self.news.notify_waiters();
            return;
        }
        state.revocation = Revocation::Announced;
        drop(state);
        self.news.notify_waiters();
        let pending = |state: &mut State| state.revocation != Revocation::None && !state.closing;
        let waited = self.progress.wait_timeout_while(self.state(), patience, pending);
        let (mut state, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            tracing::warn!(?patience, "revoked partitions were given up although work on them may go on");
        }
        state.revocation = Revocation::None;
    }
}

impl State {
    /// What has been fetched for these partitions is not delivered any more.
    pub(super) fn drop_messages(&mut self, of: impl Fn(&TopicPartition) -> bool) {
        self.messages.retain(|message| !of(&message.from));
        self.bytes = self.messages.iter().map(|message| message.payload.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_the_polling_thread_hears_that_it_waits_for_them() {
        let member = Arc::new(Member::new(1 << 20));
        let partition = TopicPartition::new("wardwatch.facts", 3);
        member.assign(vec![partition.clone()]);
        assert!(matches!(member.next().await, Ok(Delivery::Assigned(_))));
        let (polling, revoked) = (Arc::clone(&member), partition.clone());
        let thread = thread::spawn(move || polling.revoke(vec![revoked], false, Duration::from_mins(10)));
        member.until_revoking().await;
        let Ok(Delivery::Revoked { partitions, lost: false }) = member.next().await else {
            panic!("a revocation is what comes next");
        };
        assert_eq!(partitions, [partition]);
        // Still: it is in our hands.
        member.until_revoking().await;
        member.close();
        assert!(matches!(member.next().await, Err(Error::Closed)));
        thread.join().expect("the polling thread goes on");
    }
}
