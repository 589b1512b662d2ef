//! The ledger counts every message exactly once, whatever happens to the processes that work on them.

use crate::rig::{Rig, batch};

const LEDGER: &str =
    "SELECT concat(counter, ' ', label, ' ', value, ' ', toString(sum(count))) AS line FROM v_ledger
    WHERE service = 'enricher' AND match(counter, 'messages|batches|facts|flows|observations|events')
    GROUP BY counter, label, value ORDER BY line";

#[tokio::test]
async fn it_counts_over_crashes_what_a_calm_run_counts() {
    let test = "it_counts_over_crashes_what_a_calm_run_counts";
    let Some(calm) = Rig::new(test).await else { return };
    let Some(mut rough) = Rig::new(test).await else { return };
    rough.config.commit.rows = 2;
    let mut last = 0;
    for rig in [&calm, &rough] {
        for sequence in 1..=30 {
            last = rig.send(batch("north", 7, sequence, (sequence % 5) as u8)).await;
            if sequence % 10 == 0 {
                rig.send(batch("north", 7, sequence, (sequence % 5) as u8)).await;
                last = rig.send_bytes("north", b"\x00garbage".to_vec()).await;
            }
        }
    }
    calm.run_to_the_end().await;
    let partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    for crash_after in (0..=last).step_by(7) {
        let running = rough.start();
        running.reached(partition, crash_after).await;
        running.crash().await;
    }
    let context = rough.run_to_the_end().await;
    let counted = rough.lines(LEDGER).await;
    assert_eq!(counted, calm.lines(LEDGER).await);
    for expected in [
        "enricher_messages_received   36",
        "enricher_batches_applied   30",
        "enricher_batches_resent   3",
        "enricher_messages_put_aside reason not-a-record 3",
        "enricher_facts_received   90",
    ] {
        assert!(counted.iter().any(|line| line == expected), "{expected} in {counted:?}");
    }
    assert!(context.counters.total("enricher_messages_received") < 36, "the last process has not seen all");
    // Rows that a replay found written are counted as skipped: with the others, they are what the table holds.
    let rows = "v_ledger WHERE match(counter, 'rows_(written|skipped)') AND value = 'flows'";
    assert_eq!(rough.number("sum(count)", rows).await, rough.number("count()", "flows").await);
    assert_eq!(rough.number("max(offset_end)", "v_ledger").await, last + 1);
}
