//! Consumer groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use wardwatch_bus::{Bus, Consumer, Delivery, Error, TopicPartition};

use super::log::{
    Log, assigned, message, messages, next, nothing_comes, numbered, partition, publish, started, texts,
    unique, within,
};

pub(crate) async fn groups_read_independently(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    publish(&bus, &of, numbered(0..10)).await;
    let first = started(&bus, &unique("group"), &[&topic], 0).await;
    let second = started(&bus, &unique("group"), &[&topic], 5).await;
    assert_eq!(texts(&messages(&first, 10).await), numbered(0..10).collect::<Vec<_>>());
    first.commit(&of, 10).await.expect("committed");
    assert_eq!(texts(&messages(&second, 5).await), numbered(5..10).collect::<Vec<_>>());
    publish(&bus, &of, numbered(10..11)).await;
    assert_eq!(message(&first).await.offset, 10);
    assert_eq!(message(&second).await.offset, 10);
}

pub(crate) async fn a_commit_is_kept_for_operators_and_moves_nothing(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let (of, other) = (partition(&topic, 0), partition(&topic, 1));
    let group = unique("group");
    publish(&bus, &of, numbered(0..10)).await;
    assert_eq!(bus.committed(&group, &of).await.expect("asked"), None);
    let consumer = started(&bus, &group, &[&topic], 0).await;
    messages(&consumer, 10).await;
    within("commit", consumer.commit(&of, 7)).await.expect("committed");
    assert_eq!(bus.committed(&group, &of).await.expect("asked"), Some(7));
    assert_eq!(bus.committed(&group, &other).await.expect("asked"), None);
    assert_eq!(bus.committed(&unique("group"), &of).await.expect("asked"), None);
    assert_eq!(bus.topic_committed(&group, &topic).await.expect("asked"), [Some(7), None]);
    within("leave", consumer.leave()).await.expect("left");
    drop((consumer, bus));

    let bus = log.reopened().await;
    assert_eq!(bus.committed(&group, &of).await.expect("asked"), Some(7), "it is kept");
    let consumer = started(&bus, &group, &[&topic], 0).await;
    assert_eq!(message(&consumer).await.offset, 0, "the next one starts where it says, not at the commit");
}

pub(crate) async fn lag_is_counted(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    let group = unique("group");
    publish(&bus, &of, numbered(0..10)).await;
    let consumer = started(&bus, &group, &[&topic], 0).await;
    messages(&consumer, 4).await;
    consumer.commit(&of, 4).await.expect("committed");
    let lag = log.counters.gauge("bus_lag", &[("group", &group), ("topic", &topic), ("partition", "0")]);
    within("the lag", async {
        while lag.value() != 6 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

pub(crate) async fn one_who_left_is_told_so_and_another_takes_over(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    publish(&bus, &partition(&topic, 0), numbered(0..3)).await;
    let group = unique("group");
    let first = started(&bus, &group, &[&topic], 0).await;
    within("leave", first.leave()).await.expect("left");
    assert!(matches!(next(&first).await, Err(Error::Closed)));
    let error = first.seek(&partition(&topic, 0), 0).await.expect_err("left");
    assert!(matches!(error, Error::Closed | Error::NotAssigned(_)), "{error}");

    let second = started(&bus, &group, &[&topic], 0).await;
    assert_eq!(texts(&messages(&second, 3).await), numbered(0..3).collect::<Vec<_>>());
    drop(second);
}

pub(crate) async fn what_is_not_assigned_is_refused(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let consumer = bus.subscribe(&unique("group"), &[&topic]).await.expect("subscribed");
    assigned(&consumer).await;
    let strange = partition(&topic, 9);
    for error in [
        consumer.seek(&strange, 0).await.expect_err("not ours"),
        consumer.commit(&strange, 0).await.expect_err("not ours"),
        consumer.pause(std::slice::from_ref(&strange)).await.expect_err("not ours"),
        consumer.resume(std::slice::from_ref(&strange)).await.expect_err("not ours"),
    ] {
        assert_eq!(error.to_string(), format!("{strange} is not assigned to this consumer"));
    }
}

pub(crate) async fn a_group_has_one_member(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let first = bus.subscribe("alone", &[&topic]).await.expect("subscribed");
    let error = bus.subscribe("alone", &[&topic]).await.expect_err("it has its member");
    assert!(matches!(error, Error::GroupInUse { .. }), "{error}");
    drop(first);
    bus.subscribe("alone", &[&topic]).await.expect("the place is free again");
}

/// Consumes as a service does: starts what it is assigned from what is known of it, and says what it read.
async fn consume(
    bus: Arc<dyn Bus>,
    consumer: Arc<dyn Consumer>,
    read: mpsc::UnboundedSender<(TopicPartition, u64)>,
) {
    loop {
        match consumer.next().await {
            Ok(Delivery::Assigned(partitions)) => {
                for of in partitions {
                    // Another member may take it, or another partition, away at any time.
                    match consumer
                        .seek(&of, bus.committed("none", &of).await.ok().flatten().unwrap_or(0))
                        .await
                    {
                        Ok(()) | Err(Error::NotAssigned(_) | Error::Revoking | Error::Closed) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Ok(Delivery::Revoked { .. }) => {}
            Ok(Delivery::Message(message)) => {
                let _ = read.send((message.from, message.offset));
            }
            Err(Error::Closed) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) async fn two_members_share_the_partitions_and_lose_nothing_when_one_leaves(log: &mut Log) {
    assert!(log.is_kafka());
    let topic = log.topic(6).await;
    let bus = log.bus().await;
    let group = unique("group");
    for number in 0..6 {
        publish(&bus, &partition(&topic, number), numbered(0..50)).await;
    }
    let (told, mut read) = mpsc::unbounded_channel();
    let first = bus.subscribe(&group, &[&topic]).await.expect("subscribed");
    let first_runs = tokio::spawn(consume(Arc::clone(&bus), Arc::clone(&first), told.clone()));
    let second = bus.subscribe(&group, &[&topic]).await.expect("subscribed");
    let second_runs = tokio::spawn(consume(Arc::clone(&bus), Arc::clone(&second), told));

    within("an even share", async {
        while (first.assignment().len(), second.assignment().len()) != (3, 3) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let all = |consumers: [&Arc<dyn Consumer>; 2]| {
        consumers.iter().flat_map(|consumer| consumer.assignment()).collect::<BTreeSet<_>>()
    };
    assert_eq!(all([&first, &second]).len(), 6, "no partition has two owners");

    within("leave", first.leave()).await.expect("left");
    within("the whole share", async {
        while second.assignment().len() != 6 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    for number in 0..6 {
        publish(&bus, &partition(&topic, number), numbered(50..60)).await;
    }
    let mut seen = BTreeSet::new();
    while seen.len() < 6 * 60 {
        seen.insert(within("everything", read.recv()).await.expect("a consumer runs"));
    }
    within("leave", second.leave()).await.expect("left");
    for run in [first_runs, second_runs] {
        within("the end", run).await.expect("no panic");
    }
}

pub(crate) async fn a_revocation_waits_until_its_work_has_ended(log: &mut Log) {
    assert!(log.is_kafka());
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let group = unique("group");
    for number in 0..2 {
        publish(&bus, &partition(&topic, number), numbered(0..3)).await;
    }
    let first = started(&bus, &group, &[&topic], 0).await;
    messages(&first, 6).await;

    let second = bus.subscribe(&group, &[&topic]).await.expect("subscribed");
    let Ok(Delivery::Revoked { partitions, lost: false }) = next(&first).await else {
        panic!("a revocation was expected")
    };
    assert_eq!(partitions.len(), 1, "only what moves is taken away");
    let kept = first.assignment();
    assert_eq!(kept.len(), 1);
    assert_ne!(kept, partitions);

    // The first has not asked again: its work on the partition may go on, so nobody else has it.
    let early = tokio::time::timeout(std::time::Duration::from_secs(3), async { second.next().await }).await;
    assert!(early.is_err(), "{early:?} was given away too early");

    let asks_again = tokio::spawn(async move {
        nothing_comes(&first).await;
        first
    });
    let moved = assigned(&second).await;
    assert_eq!(moved, partitions);
    second.seek(&moved[0], 1).await.expect("sought");
    assert_eq!(message(&second).await.offset, 1);
    drop(asks_again.await.expect("nothing came"));
}
