//! Topics, partitions and how far they reach.

use wardwatch_bus::{Error, Publication, TopicSpec, Watermarks};

use super::log::{Log, numbered, partition, publish, unique};

pub(crate) async fn a_topic_or_partition_that_is_not_there_is_named(log: &mut Log) {
    let topic = log.topic(3).await;
    let bus = log.bus().await;
    let missing = unique("missing");
    let nowhere = partition(&missing, 0);
    for error in [
        bus.publish(Publication::new(nowhere.clone(), "x")).await.expect_err("no topic"),
        bus.watermarks(&nowhere).await.expect_err("no topic"),
        bus.partitions(&missing).await.expect_err("no topic"),
        bus.subscribe("g", &[&missing]).await.expect_err("no topic"),
    ] {
        assert_eq!(error.to_string(), format!("there is no topic {missing}"));
        assert!(!error.is_retriable());
    }
    let beyond = partition(&topic, 3);
    for error in [
        bus.publish(Publication::new(beyond.clone(), "x")).await.expect_err("no partition"),
        bus.watermarks(&beyond).await.expect_err("no partition"),
    ] {
        assert_eq!(error.to_string(), format!("there is no partition {topic}/3: the topic has 3"));
    }
}

pub(crate) async fn a_topic_is_made_once_and_another_partition_count_is_refused(log: &mut Log) {
    let topic = log.topic(3).await;
    let bus = log.bus().await;
    publish(&bus, &partition(&topic, 2), numbered(0..1)).await;
    bus.ensure_topics(&[TopicSpec::new(&topic, 3)]).await.expect("it is there");
    assert_eq!(bus.watermarks(&partition(&topic, 2)).await.expect("there").end, 1, "what is there stays");

    let error = bus.ensure_topics(&[TopicSpec::new(&topic, 4)]).await.expect_err("another count");
    assert!(matches!(error, Error::PartitionCount { found: 3, wanted: 4, .. }), "{error}");
    assert!(error.to_string().contains(&topic), "{error}");
    assert_eq!(bus.partitions(&topic).await.expect("there"), 3);

    for (name, partitions) in [("a/b", 1), ("", 1), ("fine", 0)] {
        let error = bus.ensure_topics(&[TopicSpec::new(name, partitions)]).await.expect_err("not a topic");
        assert!(matches!(error, Error::BadTopic { .. }), "{error}");
    }
}

pub(crate) async fn watermarks_tell_what_a_partition_holds(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let empty = Watermarks { earliest: 0, end: 0 };
    assert_eq!(bus.topic_watermarks(&topic).await.expect("watermarks"), [empty, empty]);
    publish(&bus, &partition(&topic, 1), numbered(0..7)).await;
    let seven = Watermarks { earliest: 0, end: 7 };
    assert_eq!(bus.topic_watermarks(&topic).await.expect("watermarks"), [empty, seven]);
    assert_eq!(bus.watermarks(&partition(&topic, 1)).await.expect("watermarks"), seven);
}

pub(crate) async fn a_bus_that_works_answers_a_ping(log: &mut Log) {
    let bus = log.bus().await;
    bus.ping().await.expect("before any topic");
    log.topic(1).await;
    bus.ping().await.expect("with a topic");
}
