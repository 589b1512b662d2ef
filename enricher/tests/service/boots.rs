//! What has come of each sensor stands in `sensor_boots`, and agrees with what stands in `flows`.

use wardwatch_proto::v1::{Attribute, Fact, Observation, fact};

use crate::rig::{Rig, batch};

/// What is told of the boots, by sensor and epoch.
const BOOTS: &str = "SELECT concat(sensor, ' ', toString(epoch), ': ', toString(batches), ' of ', toString(highest),
        ', missing ', toString(missing), ' ', toString(arrayZip(holes.first, holes.last)), ', resent ', toString(resent),
        ', facts ', toString(facts), ' = ', toString(flows), ' + ', toString(observations)) AS line
    FROM sensor_boots FINAL ORDER BY sensor, epoch";
/// Boots whose flows are not those that stand in the table.
const OPEN: &str = "(SELECT site, sensor, epoch, flows FROM sensor_boots FINAL
        EXCEPT SELECT site, sensor, epoch, count() FROM flows GROUP BY site, sensor, epoch)";

#[tokio::test]
async fn what_was_lost_before_the_log_has_a_name() {
    let Some(rig) = Rig::new("what_was_lost_before_the_log_has_a_name").await else { return };
    for sequence in [1, 2, 5, 3, 5, 9] {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    let mut other = batch("north", 8, 1, 1);
    // A fact of no known kind and one outside its grammar are in the sum, and are neither flow nor observation.
    other.facts.push(Fact { fact: None });
    other.facts.push(Fact {
        fact: Some(fact::Fact::Observation(Observation {
            attribute: Attribute::DicomModality.into(),
            value: "Doe^John 1970".into(),
            ..Observation::default()
        })),
    });
    rig.send(other).await;
    rig.run_to_the_end().await;
    assert_eq!(
        rig.lines(BOOTS).await,
        [
            "s1 7: 5 of 9, missing 4 [(4,4),(6,8)], resent 1, facts 15 = 5 + 10",
            "s1 8: 1 of 1, missing 0 [], resent 0, facts 5 = 1 + 2",
        ]
    );
    assert_eq!(rig.number("count()", OPEN).await, 0);
    let sensors = "SELECT toString(tuple(boots, batches, missing, flows, last_epoch, last_highest)) AS line FROM v_sensors";
    assert_eq!(rig.lines(sensors).await, ["(2,6,4,6,8,1)"]);

    // What was late comes after all, and a restart in between forgets nothing.
    for sequence in [4, 6, 7, 8, 8] {
        rig.send(batch("north", 7, sequence, sequence as u8)).await;
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(BOOTS).await[0], "s1 7: 9 of 9, missing 0 [], resent 2, facts 27 = 9 + 18");
    assert_eq!(rig.number("count()", OPEN).await, 0);
}

#[tokio::test]
async fn crashes_leave_the_counts_as_they_are_without() {
    let Some(mut rig) = Rig::new("crashes_leave_the_counts_as_they_are_without").await else { return };
    rig.config.commit.rows = 1;
    let mut last = 0;
    for sequence in 1..=30 {
        last = rig.send(batch("north", 7, sequence, (sequence % 5) as u8)).await;
        if sequence % 10 == 0 {
            last = rig.send(batch("north", 7, sequence, (sequence % 5) as u8)).await;
        }
    }
    let partition = wardwatch_proto::log::partition_of("north", crate::rig::PARTITIONS);
    for crash_after in (0..=last).step_by(7) {
        let running = rig.start();
        running.reached(partition, crash_after).await;
        running.crash().await;
    }
    rig.run_to_the_end().await;
    assert_eq!(rig.lines(BOOTS).await, ["s1 7: 30 of 30, missing 0 [], resent 3, facts 90 = 30 + 60"]);
    assert_eq!(rig.number("count()", OPEN).await, 0);
}
