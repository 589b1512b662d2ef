//! Whose range is written next.
//!
//! What a range costs the server depends more on the number of inserts than on their rows. So not all partitions write at a
//! time: those that wait for their turn go on gathering, and under load their ranges become larger by themselves. Each
//! that is written has the server nearly to itself and is done sooner than if all were written at once.
//!
//! A turn is waited for no longer than a range may be old: a partition whose inserts hang, or whose dead letters cannot be
//! published, holds the others up that long and no longer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

/// Held while a range is written; nothing, where it has been waited for long enough.
pub(crate) type Turn = Option<OwnedSemaphorePermit>;

/// The turns of one service.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    patience: Duration,
}

impl Turns {
    /// So many at a time.
    pub(crate) fn new(at_once: usize, patience: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(at_once.max(1))), patience }
    }

    /// From `due` on, waits in line.
    async fn after(self, due: Instant) -> Turn {
        sleep_until(due).await;
        timeout(self.patience, self.free.acquire_owned()).await.ok().and_then(Result::ok)
    }
}

/// A partition's place in line, which it keeps while it takes more messages: of the range that is due then.
#[derive(Default)]
pub(crate) struct Place(Option<(Instant, Waiting)>);

type Waiting = Pin<Box<dyn Future<Output = Turn> + Send>>;

impl Place {
    /// When it is the turn of the range that is due then; never, where there is none.
    pub(crate) async fn turn(&mut self, due: Option<Instant>, turns: &Turns) -> Turn {
        let Some(due) = due else {
            self.0 = None;
            return std::future::pending().await;
        };
        // Another range's is given up: that was written without.
        let place = self.0.take().filter(|(of, _)| *of == due);
        let (_, waiting) = self.0.insert(place.unwrap_or_else(|| (due, Box::pin(turns.clone().after(due)))));
        let turn = waiting.await;
        self.0 = None;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn one_after_the_other_and_nobody_waits_for_ever() {
        let (turns, begun) = (Turns::new(1, AGE), Instant::now());
        let (mut first, mut second, mut third) = (Place::default(), Place::default(), Place::default());
        let held = first.turn(Some(begun + AGE), &turns).await;
        assert_eq!((held.is_some(), begun.elapsed()), (true, AGE));
        // It hangs: the next goes without.
        assert!(second.turn(Some(begun), &turns).await.is_none());
        assert_eq!(begun.elapsed(), 2 * AGE);
        drop(held);
        assert!(third.turn(Some(begun), &turns).await.is_some());
        assert_eq!(begun.elapsed(), 2 * AGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_kept_while_messages_come() {
        let (turns, due) = (Turns::new(1, 10 * AGE), Instant::now());
        let (mut holding, mut patient, mut late) = (Place::default(), Place::default(), Place::default());
        let held = holding.turn(Some(due), &turns).await;
        // Asked for again and again, as messages interrupt it; the other comes later.
        for _ in 0..3 {
            assert!(timeout(AGE, patient.turn(Some(due), &turns)).await.is_err());
        }
        assert!(timeout(AGE, late.turn(Some(due), &turns)).await.is_err());
        drop(held);
        assert!(timeout(AGE, late.turn(Some(due), &turns)).await.is_err(), "it is the other's turn");
        assert!(patient.turn(Some(due), &turns).await.is_some());
        assert!(late.turn(Some(due), &turns).await.is_some());
    }
}
