//! Nothing lost, nothing twice: repeats, restarts, crashes.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use wardwatch_bus::{Bus, Consumer, Publication, Receipt, Result, TopicPartition, TopicSpec, Watermarks};
use wardwatch_proto::log;

use crate::rig::{PARTITIONS, Rig, appeared, credentials};

/// Everything that is known and was ever told of, without where it came from.
const KNOWN: &str = "SELECT line FROM (
        SELECT toString(tuple(site, alert, status, evidence, first_seen, last_seen)) AS line FROM v_alerts
        UNION ALL
        SELECT toString(tuple(site, alert, at, action, status)) AS line FROM alert_events
    ) ORDER BY line";
const DISTINCT: &str = "uniqExact(source_incarnation, source_partition, source_offset, source_index)";

/// Tells what came of some offsets of the facts: a few devices that log in again and again.
async fn tell(rig: &Rig, facts: impl Iterator<Item = u64>) {
    for fact in facts {
        let device = format!("d{}", fact % 5);
        let event =
            if fact < 5 { appeared("north", &device, fact) } else { credentials("north", &device, fact) };
        rig.tell(&event, fact).await;
    }
}

async fn uids(rig: &Rig) -> BTreeSet<String> {
    let findings = rig.findings().await;
    findings.iter().filter_map(|finding| Some(finding["metadata"]["uid"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn events_that_are_told_again_add_nothing() {
    let Some(rig) = Rig::new("events_that_are_told_again_add_nothing").await else { return };
    tell(&rig, 0..20).await;
    rig.run_to_the_end().await;
    let (known, findings) = (rig.lines(KNOWN).await, rig.findings().await);
    assert_eq!(findings.len(), 20, "five devices, their five alerts, ten repeats");
    let devices = async || rig.messages(wardwatch_proto::topic::SIEM_INVENTORY).await.len();
    assert_eq!(devices().await, 5);

    // As an enricher does that crashed before it had committed what it told.
    tell(&rig, 0..20).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("alerter_events_repeated"), 20);
    assert_eq!(devices().await, 5, "a device that is told again is not passed on");
    assert_eq!(rig.lines(KNOWN).await, known);
    assert_eq!(rig.findings().await, findings);

    tell(&rig, 20..21).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("alerter_events_judged"), 1, "and the next is judged");
    assert_eq!(rig.lines(KNOWN).await.len(), known.len() + 1);
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let test = "a_restart_in_the_middle_changes_nothing";
    let (Some(whole), Some(halves)) = (Rig::new(test).await, Rig::new(test).await) else { return };
    tell(&whole, 0..20).await;
    whole.run_to_the_end().await;
    tell(&halves, 0..9).await;
    halves.run_to_the_end().await;
    tell(&halves, 9..20).await;
    halves.run_to_the_end().await;
    assert_eq!(halves.lines(KNOWN).await, whole.lines(KNOWN).await);
    assert_eq!(halves.findings().await, whole.findings().await);
}

#[tokio::test]
async fn crashes_at_any_point_change_nothing() {
    let test = "crashes_at_any_point_change_nothing";
    let (Some(calm), Some(mut rough)) = (Rig::new(test).await, Rig::new(test).await) else { return };
    rough.config.commit.rows = 2;
    tell(&calm, 0..40).await;
    tell(&rough, 0..40).await;
    calm.run_to_the_end().await;
    for crash_after in (0..40).step_by(3) {
        let running = rough.start();
        running.reached(log::partition_of("north", PARTITIONS), crash_after).await;
        running.crash().await;
    }
    rough.run_to_the_end().await;
    assert_eq!(rough.number("count()", "alert_events").await, 40);
    assert_eq!(rough.number(DISTINCT, "alert_events").await, 40);
    assert_eq!(rough.lines(KNOWN).await, calm.lines(KNOWN).await);
    assert_eq!(uids(&rough).await, uids(&calm).await, "a SIEM knows what comes twice by its uid");
}

#[tokio::test]
async fn history_that_was_written_before_a_crash_is_not_written_again() {
    let test = "history_that_was_written_before_a_crash_is_not_written_again";
    let Some(rig) = Rig::new(test).await else { return };
    tell(&rig, 0..3).await;
    // Outputs can be written, the memory cannot: what a crash between the two leaves behind.
    rig.store.execute("RENAME TABLE alerter_state TO hidden").await.expect("hidden");
    rig.store.execute("CREATE TABLE alerter_state AS hidden").await.expect("a table");
    rig.store
        .execute("ALTER TABLE alerter_state ADD CONSTRAINT never CHECK 0")
        .await
        .expect("that takes nothing");
    let running = rig.start();
    running.said("alerter_state").await;
    assert_eq!(rig.number("count()", "alert_events").await, 3);
    running.crash().await;
    rig.store.execute("DROP TABLE alerter_state").await.expect("dropped");
    rig.store.execute("RENAME TABLE hidden TO alerter_state").await.expect("back");
    // Another cut than before, so that no token helps: only the mark does.
    tell(&rig, 3..4).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "alert_events").await, 4);
    assert_eq!(rig.number(DISTINCT, "alert_events").await, 4);
    assert_eq!(rig.number("count()", "v_alerts").await, 4);
    assert!(context.counters.total("alerter_rows_skipped") >= 3);
}

#[tokio::test]
async fn compaction_keeps_what_is_known() {
    let Some(mut rig) = Rig::new("compaction_keeps_what_is_known").await else { return };
    rig.config.commit.rows = 1;
    rig.config.commit.compact_after = 20;
    tell(&rig, 0..60).await;
    rig.run_to_the_end().await;
    let rows = rig.number("count()", "alerter_state").await;
    assert!(rows <= 60, "{rows} rows for ten alerts and a position");
    let known = rig.lines(KNOWN).await;
    tell(&rig, 50..60).await;
    let context = rig.run_to_the_end().await;
    assert_eq!(context.counters.total("alerter_events_repeated"), 10);
    assert_eq!(rig.lines(KNOWN).await, known);
}

#[tokio::test]
async fn a_small_inbox_makes_it_slower_and_loses_nothing() {
    let Some(mut rig) = Rig::new("a_small_inbox_makes_it_slower_and_loses_nothing").await else { return };
    rig.config.intake.waiting_bytes = 1;
    tell(&rig, 0..40).await;
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "alert_events").await, 40);
}

#[tokio::test]
async fn what_retention_removed_before_it_was_judged_is_counted_as_lost() {
    let test = "what_retention_removed_before_it_was_judged_is_counted_as_lost";
    let Some(rig) = Rig::new(test).await else { return };
    tell(&rig, 0..3).await;
    rig.run_to_the_end().await;
    tell(&rig, 3..10).await;
    let running = rig.start_on(Arc::new(Trimmed { inner: Arc::clone(&rig.bus), earliest: 5 }));
    running.caught_up().await;
    let lost = running.context.counters.total("alerter_messages_lost");
    running.stop().await;
    assert_eq!(lost, 2, "the offsets 3 and 4");
    let kept = "service = 'alerter' AND offset_first = 3 AND offset_last = 4 AND reason = 'retention'";
    assert_eq!(rig.number("count()", &format!("losses FINAL WHERE {kept}")).await, 1);
    assert_eq!(rig.number("count()", "alert_events").await, 8);
}

/// A log that has removed everything below an offset wherever there is more.
#[derive(Debug)]
struct Trimmed {
    inner: Arc<dyn Bus>,
    earliest: u64,
}

#[async_trait]
impl Bus for Trimmed {
    async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<()> {
        self.inner.ensure_topics(specs).await
    }

    async fn partitions(&self, topic: &str) -> Result<u32> {
        self.inner.partitions(topic).await
    }

    async fn enqueue(&self, publication: Publication) -> Result<Receipt> {
        self.inner.enqueue(publication).await
    }

    async fn flush(&self) -> Result<()> {
        self.inner.flush().await
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Arc<dyn Consumer>> {
        self.inner.subscribe(group, topics).await
    }

    async fn watermarks(&self, of: &TopicPartition) -> Result<Watermarks> {
        let found = self.inner.watermarks(of).await?;
        Ok(Watermarks { earliest: found.earliest.max(self.earliest.min(found.end)), ..found })
    }

    async fn committed(&self, group: &str, of: &TopicPartition) -> Result<Option<u64>> {
        self.inner.committed(group, of).await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }

    fn largest_message(&self) -> usize {
        self.inner.largest_message()
    }
}
