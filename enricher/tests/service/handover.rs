//! Partitions that change hands while something of them is half written.

use wardwatch_proto::log;

use crate::rig::{PARTITIONS, Rig, batch};

/// What a former owner left: a claim, and the plan of a range that it may have written in part.
async fn former_owner(rig: &Rig, partition: u32, first: u64, last: u64) {
    rig.store.claim("enricher", partition).await.expect("claimed");
    let version = (1_u64 << 40) | first;
    rig.store
        .execute(&format!(
            "INSERT INTO plans (service, partition, incarnation, offset_first, offset_last, epoch, owner, version) \
             VALUES ('enricher', {partition}, 1, {first}, {last}, 1, '', {version})"
        ))
        .await
        .expect("planned");
}

/// The ends of the ranges that were committed, in their order.
async fn ends(rig: &Rig) -> Vec<String> {
    rig.lines("SELECT DISTINCT toString(offset_end) AS line FROM enricher_state ORDER BY offset_end").await
}

#[tokio::test]
async fn a_recorded_range_is_repeated_as_it_was_cut() {
    let Some(mut rig) = Rig::new("a_recorded_range_is_repeated_as_it_was_cut").await else { return };
    let partition = log::partition_of("north", PARTITIONS);
    for sequence in 1..=9 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    former_owner(&rig, partition, 0, 6).await;
    // By its own limits it would end a range with each message.
    rig.config.commit.rows = 1;
    rig.run_to_the_end().await;
    assert_eq!(ends(&rig).await, ["7", "8", "9"]);
    assert_eq!(rig.number("count()", "flows").await, 9);
}

#[tokio::test]
async fn a_token_without_its_rows_loses_nothing() {
    let Some(rig) = Rig::new("a_token_without_its_rows_loses_nothing").await else { return };
    let partition = log::partition_of("north", PARTITIONS);
    for sequence in 1..=4 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    former_owner(&rig, partition, 0, 3).await;
    // A server that was killed between writing the token down and putting the part in its place.
    for table in ["flows", "changes"] {
        let token = format!("wardwatch.facts:{partition}:1:0:3");
        let taken = format!(
            "INSERT INTO {table} (site, source_partition) SETTINGS insert_deduplication_token = '{token}' \
             VALUES ('elsewhere', 63)"
        );
        rig.store.execute(&taken).await.expect("the token is taken");
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows WHERE site = 'north'").await, 4);
}

#[tokio::test]
async fn a_recorded_range_waits_for_its_end_and_not_for_the_clock() {
    let test = "a_recorded_range_waits_for_its_end_and_not_for_the_clock";
    let Some(mut rig) = Rig::new(test).await else { return };
    let partition = log::partition_of("north", PARTITIONS);
    for sequence in 1..=4 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    former_owner(&rig, partition, 0, 3).await;
    rig.config.commit.age = std::time::Duration::ZERO;
    rig.run_to_the_end().await;
    assert_eq!(ends(&rig).await.first().map(String::as_str), Some("4"));
    assert_eq!(rig.number("count()", "flows").await, 4);
}

#[tokio::test]
async fn a_plan_that_was_committed_is_over() {
    let Some(rig) = Rig::new("a_plan_that_was_committed_is_over").await else { return };
    for sequence in 1..=3 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    for sequence in 4..=6 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows").await, 6);
    assert_eq!(rig.number("max(offset_last)", "plans").await, 5, "each range is recorded");
}

#[tokio::test]
async fn a_plan_beyond_the_log_is_told() {
    let Some(rig) = Rig::new("a_plan_beyond_the_log_is_told").await else { return };
    let partition = log::partition_of("north", PARTITIONS);
    rig.send(batch("north", 7, 1, 1)).await;
    former_owner(&rig, partition, 0, 5).await;
    let running = rig.start();
    let reason = running.said(|said| said.contains("has lost messages")).await;
    assert!(reason.contains("offset 6 and now holds 0..1"), "{reason}");
    running.stop().await;
    assert_eq!(rig.number("count()", "flows").await, 0);
}

#[tokio::test]
async fn who_was_replaced_writes_nothing_more_and_says_so() {
    let test = "who_was_replaced_writes_nothing_more_and_says_so";
    let Some(rig) = Rig::new(test).await else { return };
    let partition = log::partition_of("north", PARTITIONS);
    let running = rig.start();
    rig.send(batch("north", 7, 1, 1)).await;
    running.reached(partition, 1).await;
    rig.store.claim("enricher", partition).await.expect("claimed by another");
    rig.send(batch("north", 7, 2, 2)).await;
    let reason = running.said(|said| said.contains("someone else has claimed the partition")).await;
    assert!(reason.contains("plans"), "nothing comes before the plan, and that is refused: {reason}");
    assert_eq!(rig.number("count()", "flows").await, 1);
    assert_eq!(running.context.counters.total("enricher_partitions_fenced"), 1);
    // Nobody else works on it, so that it takes it up again.
    running.caught_up().await;
    running.stop().await;
    assert_eq!(rig.number("count()", "flows").await, 2);
}
