//! Several enrichers in one consumer group, on Apache Kafka.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;
use wardwatch_proto::log;

use crate::rig::{PARTITIONS, PATIENCE, Rig, batch};

const DISTINCT: &str = "uniqExact(source_incarnation, source_partition, source_offset, source_index)";

/// Sites in every partition.
fn sites() -> BTreeMap<u32, String> {
    let names = (0..1000).map(|number| format!("site-{number}"));
    let sites: BTreeMap<u32, String> =
        names.map(|name| (log::partition_of(&name, PARTITIONS), name)).collect();
    assert_eq!(sites.len(), PARTITIONS as usize);
    sites
}

/// Waits until all of that many flows are stored.
async fn stored(rig: &Rig, flows: u64) {
    let all = async {
        while rig.number("count()", "flows").await < flows {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, all).await.expect("everything is stored in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_change_hands_are_written_once() {
    let Some(mut rig) = Rig::on_kafka("partitions_that_change_hands_are_written_once").await else { return };
    rig.config.commit.rows = 3;
    let sites = sites();
    let mut sequence = 0;
    let mut sent = 0;
    let mut members = vec![rig.start()];
    // Members come and go, in order and by crashes, while batches keep coming.
    for step in 0..6 {
        for _ in 0..10 {
            sequence += 1;
            for site in sites.values() {
                rig.send(batch(site, 7, sequence, (sequence % 9) as u8)).await;
                sent += 1;
            }
        }
        match step {
            0 | 2 | 4 => members.push(rig.start()),
            1 => members.remove(0).stop().await,
            _ => members.remove(0).crash().await,
        }
    }
    stored(&rig, sent).await;
    for member in members {
        member.stop().await;
    }
    assert_eq!(rig.number("count()", "flows").await, sent);
    assert_eq!(rig.number(DISTINCT, "flows").await, sent);
    // Nine scanners and the archive at each site.
    assert_eq!(rig.number("count()", "v_devices").await, 10 * u64::from(PARTITIONS));
    let said = "v_attributes WHERE attribute = 'dicom_ae_title'";
    assert_eq!(rig.number("sum(count)", said).await, sent, "each statement is counted once");
}
