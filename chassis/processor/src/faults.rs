//! Which partitions stand still, and why, as one readiness check.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wardwatch_service::Context;
use wardwatch_service::health::Check;

/// Which partitions stand still, and why. Cheap to clone; all clones are one list.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    check: Check,
    standing: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl Faults {
    /// Of a service that starts: it is not ready yet.
    pub(crate) fn new(context: &Context, service: &str) -> Self {
        let check = context.health.check(&format!("{service} partitions"));
        Self { check, standing: Arc::default() }
    }

    /// The service has started.
    pub(crate) fn started(&self) {
        self.check.ready();
    }

    /// A partition stands still.
    pub(crate) fn raise(&self, partition: u32, reason: String) {
        self.change(|standing| {
            standing.insert(partition, reason);
        });
    }

    /// It goes on, or is no longer ours.
    pub(crate) fn clear(&self, partition: u32) {
        self.change(|standing| {
            standing.remove(&partition);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<u32, String>)) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut standing);
        if standing.is_empty() {
            self.check.ready();
        } else {
            let each: Vec<String> = standing
                .iter()
                .map(|(partition, reason)| format!("partition {partition} stands still: {reason}"))
                .collect();
            self.check.not_ready(each.join("; "));
        }
    }
}
