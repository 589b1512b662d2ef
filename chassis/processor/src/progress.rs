//! How far each partition has been worked on and stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// How far each partition has been worked on and stored. Cheap to clone; all clones see the same.
///
/// An offset counts when everything that came of the messages below it is in ClickHouse and in the topics it goes to.
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<BTreeMap<u32, u64>>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Progress {
    /// The first offset of a partition that is not stored yet; `None` while the partition is not worked on here.
    pub fn committed(&self, partition: u32) -> Option<u64> {
        self.0.borrow().get(&partition).copied()
    }

    /// Waits until everything below an offset of a partition is stored.
    pub async fn reached(&self, partition: u32, offset: u64) {
        let mut seen = self.0.subscribe();
        // The sender lives in self, so waiting cannot fail.
        let _ = seen.wait_for(|stored| stored.get(&partition).is_some_and(|end| *end >= offset)).await;
    }

    pub(crate) fn set(&self, partition: u32, offset: u64) {
        self.0.send_modify(|stored| {
            stored.insert(partition, offset);
        });
    }

    pub(crate) fn forget(&self, partition: u32) {
        self.0.send_modify(|stored| {
            stored.remove(&partition);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_can_wait_for_an_offset() {
        let progress = Progress::default();
        let waiting = tokio::spawn({
            let progress = progress.clone();
            async move { progress.reached(3, 10).await }
        });
        progress.set(3, 9);
        progress.set(4, 100);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        progress.set(3, 10);
        waiting.await.expect("reached");
        assert_eq!(progress.committed(3), Some(10));
        progress.forget(3);
        assert_eq!(progress.committed(3), None);
    }
}
