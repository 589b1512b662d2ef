//! The spool with its thread.

use super::*;

#[tokio::test]
async fn a_batch_is_sent_when_it_is_synced_and_gone_when_it_is_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = open(roomy(directory.path()));
    for sequence in 1..=50 {
        bench.keep(sequence, 1000);
    }
    bench.kept(50).await;
    assert_eq!(bench.drain_live(), (1..=50).collect::<Vec<_>>());
    assert!(bench.counters.total("sensor_spool_syncs") <= 50);
    let Bench { spool, intake, .. } = bench;
    drop(intake);
    spool.until_finished().await;
    spool.close(Duration::from_secs(30)).await;

    let next = open(roomy(directory.path()));
    assert_eq!(next.spool.backlog_epoch(), None, "nothing is left");
    assert_eq!(next.counters.total("sensor_spool_batches_found"), 0);
}

#[tokio::test]
async fn what_earlier_boots_have_left_is_backlog_under_its_own_epoch() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut epochs = Vec::new();
    for _ in 0..3 {
        let bench = open(roomy(directory.path()));
        epochs.push(bench.epoch());
        for sequence in 1..=5 {
            bench.keep(sequence, 20_000);
        }
        bench.kept(5).await;
        // Dropped without a word.
    }
    assert_eq!(epochs, [1, 2, 3], "no epoch is used twice, though the clock stands still");
    let bench = open(roomy(directory.path()));
    assert_eq!(bench.counters.total("sensor_spool_batches_found"), 15);
    bench.keep(1, 10);
    bench.kept(1).await;
    for epoch in epochs {
        assert_eq!(bench.spool.backlog_epoch(), Some(epoch), "the oldest first");
        assert_eq!(bench.drain_backlog(epoch).await, [1, 2, 3, 4, 5]);
    }
    assert_eq!(bench.spool.backlog_epoch(), None);
    assert_eq!(bench.drain_live(), [1]);
}

#[tokio::test]
async fn memory_is_bounded_and_what_has_no_room_in_it_is_read_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut plan = roomy(directory.path());
    plan.memory = 200_000;
    let bench = open(plan);
    for sequence in 1..=100 {
        bench.keep(sequence, 20_000);
    }
    bench.kept(100).await;
    let in_memory = bench.counters.gauge("sensor_unacknowledged_bytes", &[]);
    until("memory is back in its bound", || in_memory.value() <= 200_000).await;
    let backlog = bench.drain_backlog(bench.epoch()).await;
    let live = bench.drain_live();
    assert!(live.len() >= 5 && live.last() == Some(&100), "the newest are live: {live:?}");
    assert_eq!([backlog, live].concat(), (1..=100).collect::<Vec<_>>());
    for reason in ["full", "disk", "corrupt"] {
        assert_eq!(bench.dropped(reason), 0, "{reason}");
    }
}

#[tokio::test]
async fn a_full_spool_drops_the_oldest_and_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut plan = roomy(directory.path());
    // 32 batches of a run of 8 pages.
    plan.config.bytes = 1 << 20;
    plan.memory = 100_000;
    let bench = open(plan);
    until("it is ready", || bench.trouble().is_empty()).await;
    for sequence in 1..=100 {
        bench.keep(sequence, 20_000);
    }
    bench.kept(100).await;
    until("the drops are counted", || bench.dropped("full") == 68).await;
    let waiting = bench.counters.gauge("sensor_batches_waiting", &[]);
    until("the sums close", || waiting.value() == 32).await;
    assert_eq!(bench.counters.total("sensor_spool_facts_dropped"), 3 * 68);
    assert_eq!(bench.counters.gauge("sensor_spool_batches", &[]).value(), 32);
    until("the check says so", || bench.trouble().contains("the spool is full")).await;

    let backlog = bench.drain_backlog(bench.epoch()).await;
    let live = bench.drain_live();
    assert_eq!([backlog, live].concat(), (69..=100).collect::<Vec<_>>(), "the newest are left");
    until("there is room again", || bench.trouble().is_empty()).await;
    assert_eq!(bench.dropped("full"), 68);
}

#[tokio::test]
async fn a_file_waits_for_a_full_spool_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let earlier = {
        let mut plan = roomy(directory.path());
        plan.config.bytes = 1 << 20;
        let bench = open(plan);
        for sequence in 1..=32 {
            bench.keep(sequence, 20_000);
        }
        bench.kept(32).await;
        bench.epoch()
    };
    let mut plan = roomy(directory.path());
    plan.config.bytes = 1 << 20;
    plan.overflow = Overflow::Wait;
    let bench = open(plan);
    bench.keep(1, 20_000);
    until("there was no room for it", || bench.counters.total("sensor_spool_syncs") > 0).await;
    assert!(!bench.spool.has_live(), "what is not synced is not sent");
    assert_eq!(bench.drain_backlog(earlier).await.len(), 32);
    bench.kept(1).await;
    assert_eq!(bench.drain_live(), [1]);
    assert_eq!(bench.dropped("full"), 0);
}

#[tokio::test]
async fn batches_that_come_fast_share_a_sync() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = open(roomy(directory.path()));
    for sequence in 1..=500 {
        bench.keep(sequence, 100);
    }
    bench.kept(500).await;
    let syncs = bench.counters.total("sensor_spool_syncs");
    assert!(syncs < 250, "{syncs} syncs for 500 batches");
}

#[tokio::test]
async fn an_uplink_that_is_gone_ends_the_intake() {
    let directory = tempfile::tempdir().expect("a directory");
    let Bench { spool, intake, .. } = open(roomy(directory.path()));
    drop(spool);
    assert!(intake.keep(batch(1, 1, 10)).is_err());
}
