//! Nothing lost, nothing twice: resends, restarts, crashes, topics that were made anew.

use wardwatch_proto::v1::Batch;

use crate::rig::{Rig, batch, facts};

/// Everything that is known, without where it came from.
const KNOWN: &str = "SELECT line FROM (
        SELECT toString(tuple(site, device, name, manufacturer, macs, ips, first_seen, last_seen, score)) AS line
        FROM v_devices
        UNION ALL
        SELECT toString(tuple(site, device, attribute, value, protocol, sensor, role, first_seen, last_seen, count,
            chosen)) AS line
        FROM v_attributes
    ) ORDER BY line";
const DISTINCT: &str = "uniqExact(source_incarnation, source_partition, source_offset, source_index)";

#[tokio::test]
async fn a_resent_batch_adds_nothing() {
    let Some(rig) = Rig::new("a_resent_batch_adds_nothing").await else { return };
    for sequence in [1, 2, 3, 4, 6] {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    let known = rig.lines(KNOWN).await;
    assert_eq!(rig.number("count()", "flows").await, 5);

    rig.send(batch("north", 7, 4, 4)).await;
    rig.send(batch("north", 7, 5, 1)).await;
    rig.send(batch("north", 7, 6, 6)).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("enricher_batches_resent"), 2);
    assert_eq!(context.counters.total("enricher_batches_applied"), 1, "5 had never come");
    assert_eq!(rig.number("count()", "flows").await, 6);
    assert_eq!(rig.lines(KNOWN).await.len(), known.len());
}

#[tokio::test]
async fn another_boot_with_the_same_facts_finds_the_same_devices() {
    let Some(rig) = Rig::new("another_boot_with_the_same_facts_finds_the_same_devices").await else { return };
    let devices = "SELECT device AS line FROM v_devices ORDER BY line";
    let attributes =
        "SELECT toString(tuple(device, attribute, value)) AS line FROM v_attributes ORDER BY line";
    for sequence in 1..=4 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    let before = (rig.lines(devices).await, rig.lines(attributes).await);
    assert_eq!(before.0.len(), 5, "four scanners and the archive");
    for sequence in 1..=4 {
        rig.send(batch("north", 8, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    assert_eq!((rig.lines(devices).await, rig.lines(attributes).await), before);
    assert_eq!(rig.number("count()", "flows").await, 8);
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let Some(whole) = Rig::new("a_restart_in_the_middle_changes_nothing").await else { return };
    let Some(halves) = Rig::new("a_restart_in_the_middle_changes_nothing").await else { return };
    for sequence in 1..=20 {
        whole.send(batch("north", 7, sequence, (sequence % 6) as u8)).await;
    }
    whole.run_to_the_end().await;
    for half in [1..=9, 10..=20] {
        for sequence in half {
            halves.send(batch("north", 7, sequence, (sequence % 6) as u8)).await;
        }
        halves.run_to_the_end().await;
    }
    assert_eq!(halves.lines(KNOWN).await, whole.lines(KNOWN).await);
    assert_eq!(halves.number("count()", "flows").await, 20);
    assert_eq!(halves.events().await.len(), whole.events().await.len());
}

#[tokio::test]
async fn crashes_at_any_point_change_nothing() {
    let Some(calm) = Rig::new("crashes_at_any_point_change_nothing").await else { return };
    let Some(mut rough) = Rig::new("crashes_at_any_point_change_nothing").await else { return };
    rough.config.commit.rows = 1;
    let mut partition = 0;
    let mut last = 0;
    for sequence in 1..=40 {
        let host = (sequence % 7) as u8;
        calm.send(batch("north", 7, sequence, host)).await;
        last = rough.send(batch("north", 7, sequence, host)).await;
        partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    }
    calm.run_to_the_end().await;
    for crash_after in (0..=last).step_by(3) {
        let running = rough.start();
        running.reached(partition, crash_after).await;
        running.crash().await;
    }
    rough.run_to_the_end().await;
    assert_eq!(rough.number("count()", "flows").await, 40);
    assert_eq!(rough.number(DISTINCT, "flows").await, 40);
    assert_eq!(rough.lines(KNOWN).await, calm.lines(KNOWN).await);
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_has_every_row_once() {
    let test = "a_server_that_is_killed_in_the_middle_has_every_row_once";
    let Some((mut rig, mut server)) = Rig::with_a_server(test).await else { return };
    rig.config.commit.rows = 2;
    for sequence in 1..=60 {
        rig.send(batch("north", 7, sequence, (sequence % 7) as u8)).await;
    }
    let partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    let running = rig.start();
    for offset in [5, 25, 45] {
        running.reached(partition, offset).await;
        server.kill().await.expect("killed");
        server.restart().await.expect("back");
    }
    running.caught_up().await;
    running.stop().await;
    assert_eq!(rig.number("count()", "flows").await, 60);
    assert_eq!(rig.number(DISTINCT, "flows").await, 60);
    assert_eq!(rig.number("count()", "v_devices").await, 8);
}

#[tokio::test]
async fn rows_that_were_written_before_a_crash_are_not_written_again() {
    let test = "rows_that_were_written_before_a_crash_are_not_written_again";
    let Some(rig) = Rig::new(test).await else { return };
    for sequence in 1..=3 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    // Outputs can be written, the memory cannot: what a crash between the two leaves behind.
    rig.store.execute("RENAME TABLE enricher_state TO hidden").await.expect("hidden");
    rig.store.execute("CREATE TABLE enricher_state AS hidden").await.expect("a table");
    rig.store
        .execute("ALTER TABLE enricher_state ADD CONSTRAINT never CHECK 0")
        .await
        .expect("that takes nothing");
    let running = rig.start();
    running.said(|said| said.contains("enricher_state")).await;
    assert_eq!(rig.number("count()", "flows").await, 3);
    running.crash().await;
    rig.store.execute("DROP TABLE enricher_state").await.expect("dropped");
    rig.store.execute("RENAME TABLE hidden TO enricher_state").await.expect("back");
    // The server has forgotten the tokens: only the mark helps.
    for table in ["flows", "changes"] {
        for window in [0, 10_000] {
            let setting =
                format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = {window}");
            rig.store.execute(&setting).await.expect("another window");
        }
    }
    rig.send(batch("north", 7, 4, 4)).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows").await, 4);
    assert_eq!(rig.number(DISTINCT, "flows").await, 4);
    assert!(context.counters.total("enricher_rows_skipped") >= 3);
}

#[tokio::test]
async fn a_topic_made_anew_goes_on_with_the_same_memory() {
    let Some(rig) = Rig::new("a_topic_made_anew_goes_on_with_the_same_memory").await else { return };
    rig.send(batch("north", 7, 1, 1)).await;
    rig.send(batch("north", 7, 2, 2)).await;
    rig.run_to_the_end().await;
    let rig = rig.with_new_topics().await;
    rig.store.begin_incarnation("wardwatch.facts", "").await.expect("a new incarnation");
    rig.send(batch("north", 7, 2, 2)).await;
    // A minute later, so that the archive is seen anew.
    rig.send(Batch { facts: facts(3, 63), ..batch("north", 7, 3, 3) }).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("enricher_batches_resent"), 1, "2 had come by the old topic");
    assert_eq!(rig.number("count()", "flows").await, 3);
    assert_eq!(rig.number("count()", "v_devices").await, 4);
    let archive =
        "sightings FINAL WHERE device IN (SELECT device FROM v_devices WHERE has(ips, '10.1.0.200'))";
    assert_eq!(rig.number("max(source_incarnation)", archive).await, 2, "what the new topic says is newer");
    let seen_last = "v_devices WHERE last_seen = (SELECT max(last_seen) FROM sightings)";
    assert_eq!(rig.number("count()", seen_last).await, 1);
}

#[tokio::test]
async fn a_log_that_ends_before_the_memory_is_refused() {
    let Some(rig) = Rig::new("a_log_that_ends_before_the_memory_is_refused").await else { return };
    rig.send(batch("north", 7, 1, 1)).await;
    rig.run_to_the_end().await;
    let rig = rig.with_new_topics().await;
    let running = rig.start();
    let reason = running.said(|said| said.contains("--made-anew wardwatch.facts")).await;
    assert!(reason.contains("offset 1 and now holds 0..0"), "{reason}");
    running.stop().await;
}

#[tokio::test]
async fn a_topic_made_anew_is_recognised_even_when_it_has_grown_past_the_memory() {
    let test = "a_topic_made_anew_is_recognised_even_when_it_has_grown_past_the_memory";
    let Some(rig) = Rig::new(test).await else { return };
    rig.send(batch("north", 7, 1, 1)).await;
    rig.send(batch("north", 7, 2, 2)).await;
    rig.run_to_the_end().await;
    let rig = rig.with_new_topics().await;
    for sequence in 3..=6 {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    let running = rig.start();
    let reason = running.said(|said| said.contains("made anew")).await;
    assert!(reason.contains("another message at offset 1"), "{reason}");
    assert_eq!(rig.number("count()", "flows").await, 2, "nothing is taken for what it is not");
    // What `wardwatch migrate --made-anew` does; the partition takes it up without a restart.
    rig.store.begin_incarnation("wardwatch.facts", "").await.expect("a new incarnation");
    running.caught_up().await;
    running.stop().await;
    assert_eq!(rig.number("count()", "flows").await, 6);
    assert_eq!(rig.number(DISTINCT, "flows").await, 6);
}

#[tokio::test]
async fn compaction_keeps_what_is_known() {
    let Some(mut rig) = Rig::new("compaction_keeps_what_is_known").await else { return };
    rig.config.commit.rows = 1;
    rig.config.commit.compact_after = 50;
    for sequence in 1..=60 {
        rig.send(batch("north", 7, sequence, 1 + (sequence % 3) as u8)).await;
    }
    rig.run_to_the_end().await;
    let known = rig.lines(KNOWN).await;
    let entries = rig.number("uniqExact(key)", "enricher_state WHERE key != ''").await;
    let rows = rig.number("count()", "enricher_state").await;
    assert!(rows <= 2 * entries.max(50) + 20, "{rows} rows for {entries} entries");
    // What a former owner's compaction may still write below the base is not read: this could not be.
    let partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    let stray =
        format!("INSERT INTO enricher_state VALUES ({partition}, 1, 3, 'weather/a/b', 'rain', now())");
    rig.store.execute(&stray).await.expect("a stray row");

    rig.send(batch("north", 7, 60, 1)).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("enricher_batches_resent"), 1);
    assert_eq!(rig.lines(KNOWN).await, known);
}
