//! The commit of a range, which goes on beside the work on the next.
//!
//! One range is written at a time, each after the one before it is durable: what goes over the network goes in the same order
//! as if nothing else were done meanwhile. What goes on beside it changes the memory alone, and that is loaded again after
//! a failure.

use std::future::pending;
use std::panic::resume_unwind;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::commit::{Committer, Cut};
use crate::error::Error;
use crate::processor::Processor;
use crate::turn::Turn;

/// A committer, and what it has come to: the first offset that is not committed.
type Done<P> = (Committer<P>, Result<u64, Error>);

/// The commits of one partition.
#[derive(Debug)]
pub(crate) struct Committing<P: Processor> {
    idle: Option<Committer<P>>,
    /// Ended with the partition's task, if that does not wait for it.
    running: Option<AbortOnDropHandle<Done<P>>>,
    /// When the last one was done.
    rested: Option<Instant>,
}

impl<P: Processor> Committing<P> {
    pub(crate) fn new(committer: Committer<P>) -> Self {
        Self { idle: Some(committer), running: None, rested: None }
    }

    /// Whether a range is being written.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// When the range before this one was durable.
    pub(crate) fn rested(&self) -> Option<Instant> {
        self.rested
    }

    /// Begins to write a range, which must not be while another is written. The turn is held until it is written.
    pub(crate) fn begin(&mut self, cut: Cut<P::Outputs>, turn: Turn) {
        // None is idle after a failure only, and then the partition is taken up again.
        let Some(mut committer) = self.idle.take() else { return };
        self.running = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let outcome = committer.commit(cut).await;
            drop(turn);
            (committer, outcome)
        })));
    }

    /// Waits until the range that is written is durable; for ever, where there is none. Dropping the future loses nothing.
    pub(crate) async fn done(&mut self) -> Result<u64, Error> {
        let Some(running) = &mut self.running else { return pending().await };
        let ended = running.await;
        self.running = None;
        self.rested = Some(Instant::now());
        match ended {
            Ok((committer, outcome)) => {
                self.idle = Some(committer);
                outcome
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is going down.
                Err(_) => Err(Error::Stopping),
            },
        }
    }
}
