//! Another try where that can help: what was asked of an engine that is away for a moment is asked again.
//!
//! The clock decides for how long, and not the sum of the pauses: one try may itself take as long as a client waits for
//! an answer.

use std::fmt::Display;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::Instant;
use tracing::warn;

/// The pause before the second try; each further one is twice as long, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tries again while what goes wrong passes by itself and less than `patience` has gone by since the first try; with
/// none there is one try. `engine` is who is asked, for the log.
///
/// # Errors
/// That of the last try.
pub async fn retry<T, E, F, Fut>(
    engine: &str,
    patience: Duration,
    passes: impl Fn(&E) -> bool,
    attempt: F,
) -> Result<T, E>
where
    E: Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let pauses = ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times();
    let begun = Instant::now();
    attempt
        .retry(pauses)
        .when(|error| passes(error) && begun.elapsed() < patience)
        .notify(|error, pause| warn!(%error, ?pause, engine, "not answered well; will try again"))
        .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many tries there are of a question that takes `each` and is answered well at the `good`th, if at all.
    async fn tries(patience: u64, each: u64, good: u32, passes: bool) -> (u32, Duration) {
        let (count, begun) = (Cell::new(0), Instant::now());
        let outcome = retry(
            "engine",
            Duration::from_secs(patience),
            |_: &&str| passes,
            || async {
                count.set(count.get() + 1);
                tokio::time::sleep(Duration::from_secs(each)).await;
                if count.get() == good { Ok(()) } else { Err("away") }
            },
        )
        .await;
        assert_eq!(outcome.is_ok(), count.get() == good);
        (count.get(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_until_it_has_passed() {
        assert_eq!(tries(300, 0, 7, true).await.0, 7);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_tried_once() {
        assert_eq!(tries(300, 0, 7, false).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_patience_there_is_one_try() {
        assert_eq!(tries(0, 15, 2, true).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn tries_that_take_long_count_as_long_as_they_take() {
        let (count, took) = tries(60, 15, u32::MAX, true).await;
        assert!((4..=5).contains(&count), "{count}");
        // The last try may begin as late as a pause after the end of patience.
        let most = Duration::from_secs(60 + 15) + LONGEST_PAUSE * 2;
        assert!(took >= Duration::from_mins(1) && took <= most, "{took:?}");
    }
}
