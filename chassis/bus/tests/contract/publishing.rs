//! Publishing: durable, in order, bounded.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Barrier;
use wardwatch_bus::{Error, Headers, Publication};

use super::log::{Log, message, messages, numbered, partition, publish, started, texts, unique, within};

pub(crate) async fn order_is_kept_in_a_partition_with_many_in_flight(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let first = publish(&bus, &partition(&topic, 0), numbered(0..2000)).await;
    let second = publish(&bus, &partition(&topic, 1), numbered(0..10)).await;
    assert_eq!(first, (0..2000).collect::<Vec<_>>());
    assert_eq!(second, (0..10).collect::<Vec<_>>(), "partitions count on their own");

    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let mut read = messages(&consumer, 2010).await;
    read.retain(|message| message.from.partition == 0);
    assert_eq!(texts(&read), numbered(0..2000).collect::<Vec<_>>());
    assert_eq!(read.iter().map(|message| message.offset).collect::<Vec<_>>(), first);
}

pub(crate) async fn what_has_been_published_is_there_for_a_new_client(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    publish(&bus, &partition(&topic, 0), numbered(0..50)).await;
    drop(bus);

    let bus = log.reopened().await;
    assert_eq!(bus.partitions(&topic).await.expect("known"), 1);
    publish(&bus, &partition(&topic, 0), numbered(50..60)).await;
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    assert_eq!(texts(&messages(&consumer, 60).await), numbered(0..60).collect::<Vec<_>>());
}

pub(crate) async fn keys_headers_and_payloads_come_back_as_they_were(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let full = Publication::new(partition(&topic, 0), vec![0_u8, 255, 1])
        .key(&b"site-\xff"[..])
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("twice", "1")
        .header("twice", vec![0_u8])
        .header("empty", "");
    let bare = Publication::new(partition(&topic, 0), "");
    bus.publish(full.clone()).await.expect("published");
    bus.publish(bare).await.expect("published");

    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let read = messages(&consumer, 2).await;
    assert_eq!(read[0].from, full.to);
    assert_eq!(read[0].key, full.key);
    assert_eq!(read[0].payload, full.payload);
    assert_eq!(read[0].headers, full.headers);
    assert_eq!(read[0].headers.get("twice"), Some(&b"1"[..]));
    assert!(read[1].key.is_empty() && read[1].payload.is_empty());
    assert_eq!(read[1].headers, Headers::new());
}

pub(crate) async fn a_message_of_the_largest_size_passes_and_a_larger_one_is_refused(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let to = partition(&topic, 0);
    assert_eq!(bus.largest_message(), 1 << 20);
    // Text that a compressor cannot shrink much.
    let largest: Vec<u8> =
        (0..1_u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    within("publish", bus.publish(Publication::new(to.clone(), largest.clone()))).await.expect("it fits");

    let larger = Publication::new(to.clone(), largest.clone()).key("k");
    let error = bus.publish(larger).await.expect_err("one byte too many");
    let expected =
        format!("a message of 1048577 bytes for {to} is larger than the 1048576 bytes that the log takes");
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_retriable());

    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    assert!(message(&consumer).await.payload == largest);
}

pub(crate) async fn what_waits_is_bounded_and_everything_arrives(log: &mut Log) {
    // Room for ten of these at a time.
    log.config.kafka.queue_bytes = 10 * 1000;
    log.config.embedded.queue_bytes = 10 * 1000;
    let topic = log.topic(4).await;
    let bus = log.bus().await;
    let go = Arc::new(Barrier::new(8));
    let mut publishers = Vec::new();
    for publisher in 0..8_u32 {
        let (bus, go, to) = (Arc::clone(&bus), Arc::clone(&go), partition(&topic, publisher % 4));
        publishers.push(tokio::spawn(async move {
            go.wait().await;
            for _ in 0..50 {
                bus.enqueue(Publication::new(to.clone(), vec![7; 1000])).await?;
            }
            Ok::<_, Error>(())
        }));
    }
    for publisher in publishers {
        within("a publisher", publisher).await.expect("no panic").expect("taken");
    }
    within("flush", bus.flush()).await.expect("flushed");
    let marks = bus.topic_watermarks(&topic).await.expect("watermarks");
    assert_eq!(marks.iter().map(|mark| mark.end).collect::<Vec<_>>(), [100; 4]);
}

pub(crate) async fn the_log_stamps_messages_by_a_clock_that_does_not_run_backwards(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64;
    let before = now();
    publish(&bus, &partition(&topic, 0), numbered(0..100)).await;
    let after = now();
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let stamps: Vec<_> = messages(&consumer, 100).await.iter().map(|message| message.timestamp).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
    // Kafka counts in milliseconds, and its clock is this machine's.
    let tolerance = Duration::from_millis(2).as_nanos() as i64;
    assert!(
        stamps.iter().all(|stamp| (before - tolerance..=after + tolerance).contains(stamp)),
        "{before} {stamps:?}"
    );
}
