//! The sums over flows are those that ClickHouse makes of the flows themselves, whatever happened on the way.

use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Batch, Fact};

use crate::rig::{Rig, batch};

/// What stands in `conversations`, and what it has to be.
const CONVERSATIONS: [&str; 2] = [
    "SELECT site, endpoint, hour, peer, role, port, ip_protocol, protocol, observer, sum(records), sum(flows),
        sum(sent_packets), sum(sent_frame_bytes), sum(sent_ip_bytes), sum(sent_payload_bytes), sum(received_packets),
        sum(received_frame_bytes), sum(received_ip_bytes), sum(received_payload_bytes), min(first_seen),
        max(last_seen), max(source_partition), max(source_incarnation)
    FROM conversations GROUP BY ALL",
    "SELECT site, end.2, toStartOfHour(start), end.3, end.1, responder_port, ip_protocol, protocol, sensor, count(),
        countIf(segment = 0), sum(end.4), sum(end.5), sum(end.6), sum(end.7), sum(end.8), sum(end.9), sum(end.10),
        sum(end.11), min(start), max(flows.end), max(source_partition), max(source_incarnation)
    FROM flows ARRAY JOIN [
        ('initiator', initiator, responder, initiator_packets, initiator_frame_bytes, initiator_ip_bytes,
            initiator_payload_bytes, responder_packets, responder_frame_bytes, responder_ip_bytes,
            responder_payload_bytes),
        ('responder', responder, initiator, responder_packets, responder_frame_bytes, responder_ip_bytes,
            responder_payload_bytes, initiator_packets, initiator_frame_bytes, initiator_ip_bytes,
            initiator_payload_bytes)] AS end
    GROUP BY ALL",
];
/// The same for `site_minute`.
const SITE_MINUTE: [&str; 2] = [
    "SELECT site, minute, protocol, observer, sum(records), sum(flows), sum(initiator_packets),
        sum(initiator_frame_bytes), sum(initiator_ip_bytes), sum(initiator_payload_bytes), sum(responder_packets),
        sum(responder_frame_bytes), sum(responder_ip_bytes), sum(responder_payload_bytes)
    FROM site_minute GROUP BY ALL",
    "SELECT site, toStartOfMinute(start), protocol, sensor, count(), countIf(segment = 0), sum(initiator_packets),
        sum(initiator_frame_bytes), sum(initiator_ip_bytes), sum(initiator_payload_bytes), sum(responder_packets),
        sum(responder_frame_bytes), sum(responder_ip_bytes), sum(responder_payload_bytes)
    FROM flows GROUP BY ALL",
];

/// Asserts that the sums are those of the flows; gives how many conversations there are.
async fn assert_sums(rig: &Rig) -> usize {
    let mut counts = Vec::new();
    for pair in [CONVERSATIONS, SITE_MINUTE] {
        let [summed, expected] =
            pair.map(|query| format!("SELECT toString(tuple(*)) AS line FROM ({query}) ORDER BY line"));
        let (summed, expected) = (rig.lines(&summed).await, rig.lines(&expected).await);
        assert_eq!(summed, expected);
        counts.push(summed.len());
    }
    counts[0]
}

/// A batch whose flows lie hours apart, some of them not the first interval of theirs.
fn spread(sensor: &str, sequence: u64) -> Batch {
    let mut batch = batch("north", 7, sequence, (sequence % 5) as u8);
    sensor.clone_into(&mut batch.sensor);
    for fact in &mut batch.facts {
        if let Some(Stated::Flow(flow)) = &mut fact.fact {
            flow.segment = (sequence % 3) as u32;
            flow.start += (sequence % 4) * 1_800_000_000_000;
            flow.end = flow.start + 70_000_000_000;
        }
    }
    batch
}

#[tokio::test]
async fn sums_are_those_of_the_flows() {
    let Some(mut rig) = Rig::new("sums_are_those_of_the_flows").await else { return };
    rig.config.commit.rows = 3;
    for sequence in 1..=60 {
        rig.send(spread(if sequence % 7 == 0 { "s2" } else { "s1" }, sequence)).await;
        rig.send(batch("south", 7, sequence, (sequence % 3) as u8)).await;
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows").await, 120);
    let rows = rig.number("count()", "conversations").await;
    let conversations = assert_sums(&rig).await;
    assert!(conversations > 20, "{conversations}");
    // Ranges end within hours, so a conversation has rows of several; a merge adds them up.
    assert!(rows > conversations as u64, "{rows}");
    rig.store.execute("OPTIMIZE TABLE conversations FINAL").await.expect("merged");
    assert_eq!(rig.number("count()", "conversations").await, conversations as u64);
    assert_sums(&rig).await;
}

#[tokio::test]
async fn a_range_that_is_replayed_is_not_summed_up_twice() {
    let test = "a_range_that_is_replayed_is_not_summed_up_twice";
    for merge_before in [false, true] {
        let Some(rig) = Rig::new(test).await else { return };
        for sequence in 1..=5 {
            rig.send(spread("s1", sequence)).await;
        }
        rig.run_to_the_end().await;
        // Outputs can be written, the memory cannot: what a crash between the two leaves behind.
        rig.store.execute("RENAME TABLE enricher_state TO hidden").await.expect("hidden");
        rig.store.execute("CREATE TABLE enricher_state AS hidden").await.expect("a table");
        rig.store.execute("INSERT INTO enricher_state SELECT * FROM hidden").await.expect("a copy");
        rig.store
            .execute("ALTER TABLE enricher_state ADD CONSTRAINT never CHECK 0")
            .await
            .expect("that takes nothing");
        for sequence in 6..=9 {
            rig.send(spread("s1", sequence)).await;
        }
        let running = rig.start();
        running.said(|said| said.contains("enricher_state")).await;
        running.crash().await;
        assert_eq!(rig.number("count()", "flows").await, 9);
        assert_sums(&rig).await;
        if merge_before {
            for table in ["conversations", "site_minute"] {
                rig.store.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await.expect("merged");
            }
        }
        rig.store.execute("DROP TABLE enricher_state").await.expect("dropped");
        rig.store.execute("RENAME TABLE hidden TO enricher_state").await.expect("back");
        let context = rig.run_to_the_end().await;
        assert_eq!(rig.number("count()", "flows").await, 9);
        assert_sums(&rig).await;
        assert!(context.counters.total("enricher_rows_skipped") >= 3 * 4);
    }
}

#[tokio::test]
async fn crashes_at_any_point_leave_the_sums_right() {
    let Some(mut rig) = Rig::new("crashes_at_any_point_leave_the_sums_right").await else { return };
    rig.config.commit.rows = 1;
    let mut last = 0;
    for sequence in 1..=40 {
        last = rig.send(spread("s1", sequence)).await;
    }
    let partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    for crash_after in (0..=last).step_by(3) {
        let running = rig.start();
        running.reached(partition, crash_after).await;
        running.crash().await;
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.number("count()", "flows").await, 40);
    assert_sums(&rig).await;
}

#[tokio::test]
async fn what_two_sensors_saw_counts_once_in_the_views() {
    let Some(rig) = Rig::new("what_two_sensors_saw_counts_once_in_the_views").await else { return };
    let flow = |batch: &mut Batch, change: &dyn Fn(&mut wardwatch_proto::v1::Flow)| {
        for fact in &mut batch.facts {
            if let Fact { fact: Some(Stated::Flow(flow)) } = fact {
                change(flow);
            }
        }
    };
    // Both see host 1; the second saw half of it and did not recognise the protocol. Only the second sees host 2.
    let (mut first, mut second) = (batch("north", 7, 1, 1), batch("north", 8, 1, 1));
    second.sensor = "s2".into();
    flow(&mut second, &|flow| {
        flow.protocol = 0;
        for counted in [&mut flow.from_initiator, &mut flow.from_responder].into_iter().flatten() {
            counted.packets /= 2;
            counted.frame_bytes /= 2;
            counted.ip_bytes /= 2;
            counted.payload_bytes /= 2;
        }
    });
    first.facts.truncate(1);
    second.facts.truncate(1);
    let mut alone = batch("north", 8, 2, 2);
    alone.sensor = "s2".into();
    for batch in [first, second, alone] {
        rig.send(batch).await;
    }
    rig.run_to_the_end().await;

    assert_eq!(rig.number("count()", "flows").await, 3, "the rows are all there");
    assert_eq!(
        rig.number("sum(sent_frame_bytes)", "conversations WHERE role = 'initiator'").await,
        500 + 250 + 500
    );
    let of_initiators = "v_conversations WHERE role = 'initiator'";
    assert_eq!(rig.number("sum(sent_frame_bytes)", of_initiators).await, 500 + 500);
    assert_eq!(rig.number("sum(received_ip_bytes)", of_initiators).await, 344 + 344);
    let seen = "SELECT concat(observer, ' ', protocol, ' ', toString(sum(records))) AS line
        FROM v_conversations WHERE role = 'responder' GROUP BY observer, protocol ORDER BY line";
    assert_eq!(rig.lines(seen).await, ["s1 dicom 1", "s2 dicom 1"]);

    // A minute has no conversations: of what was dicom there one sensor's part counts, and the sum stands beside it.
    let minutes = "SELECT concat(protocol, ' ', toString(initiator_frame_bytes), ' ', toString(all_frame_bytes)) AS line
        FROM v_site_minute ORDER BY line";
    assert_eq!(rig.lines(minutes).await, [" 250 450", "dicom 500 1800"]);
}
