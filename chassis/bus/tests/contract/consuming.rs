//! Consuming: from where the service says, all of it, in order.

use std::time::Duration;

use wardwatch_bus::{Delivery, Error, Publication, Watermarks};

use super::log::{
    Log, assigned, message, messages, next, nothing_comes, numbered, partition, publish, started, texts,
    unique, within,
};

pub(crate) async fn an_assigned_partition_delivers_nothing_until_it_is_sought(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    publish(&bus, &partition(&topic, 0), numbered(0..3)).await;
    publish(&bus, &partition(&topic, 1), numbered(3..6)).await;
    let consumer = bus.subscribe(&unique("group"), &[&topic]).await.expect("subscribed");
    let both = [partition(&topic, 0), partition(&topic, 1)];
    let mut partitions = assigned(&consumer).await;
    partitions.sort();
    assert_eq!(partitions, both);
    assert_eq!(consumer.assignment(), both);
    publish(&bus, &partition(&topic, 0), numbered(6..7)).await;
    nothing_comes(&consumer).await;

    consumer.seek(&partition(&topic, 1), 1).await.expect("sought");
    assert_eq!(texts(&messages(&consumer, 2).await), ["m4", "m5"]);
    nothing_comes(&consumer).await;
    consumer.seek(&partition(&topic, 0), 2).await.expect("sought");
    assert_eq!(texts(&messages(&consumer, 2).await), ["m2", "m6"]);
}

pub(crate) async fn seeking_back_replays_and_seeking_on_skips(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    publish(&bus, &of, numbered(0..500)).await;
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let read = messages(&consumer, 20).await;
    assert_eq!(texts(&read), numbered(0..20).collect::<Vec<_>>());

    for from in [10, 400, 3, 0, 499] {
        within("seek", consumer.seek(&of, from)).await.expect("sought");
        let count = 5.min(500 - from as usize);
        let offsets: Vec<_> = messages(&consumer, count).await.iter().map(|message| message.offset).collect();
        assert_eq!(offsets, (from..from + count as u64).collect::<Vec<_>>(), "after a seek to {from}");
    }
    consumer.seek(&of, 500).await.expect("the end can be sought");
    nothing_comes(&consumer).await;
    publish(&bus, &of, numbered(500..501)).await;
    assert_eq!(message(&consumer).await.offset, 500);
}

pub(crate) async fn an_offset_that_is_not_there_is_refused_with_what_is(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    publish(&bus, &of, numbered(0..4)).await;
    let consumer = bus.subscribe(&unique("group"), &[&topic]).await.expect("subscribed");
    assigned(&consumer).await;
    let error = consumer.seek(&of, 5).await.expect_err("beyond the end");
    let holds = Watermarks { earliest: 0, end: 4 };
    assert!(matches!(&error, Error::OffsetOutOfRange { wanted: 5, found, .. } if *found == holds), "{error}");
    assert_eq!(error.to_string(), format!("{of} has no offset 5: it holds 0..4"));
    consumer.seek(&of, 3).await.expect("the consumer goes on");
    assert_eq!(message(&consumer).await.offset, 3);
}

pub(crate) async fn a_paused_partition_waits_and_loses_nothing(log: &mut Log) {
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let (paused, other) = (partition(&topic, 0), partition(&topic, 1));
    publish(&bus, &paused, numbered(0..100)).await;
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    assert_eq!(texts(&messages(&consumer, 10).await), numbered(0..10).collect::<Vec<_>>());

    consumer.pause(std::slice::from_ref(&paused)).await.expect("paused");
    publish(&bus, &other, numbered(100..103)).await;
    let meanwhile = messages(&consumer, 3).await;
    assert!(meanwhile.iter().all(|message| message.from == other), "the other partition goes on");
    nothing_comes(&consumer).await;

    consumer.resume(std::slice::from_ref(&paused)).await.expect("resumed");
    assert_eq!(texts(&messages(&consumer, 90).await), numbered(10..100).collect::<Vec<_>>());

    consumer.pause(std::slice::from_ref(&paused)).await.expect("paused");
    consumer.seek(&paused, 42).await.expect("a paused partition can be sought");
    nothing_comes(&consumer).await;
    consumer.resume(&[paused]).await.expect("resumed");
    assert_eq!(message(&consumer).await.offset, 42);
}

pub(crate) async fn a_slow_consumer_loses_nothing(log: &mut Log) {
    // Two megabytes fetched ahead, eight in the log, and a consumer that does something else for a while.
    log.config.kafka.prefetch_bytes = 2 << 20;
    let topic = log.topic(2).await;
    let bus = log.bus().await;
    let mut receipts = Vec::new();
    for number in 0..800_u32 {
        let mut payload = vec![number as u8; 10_000];
        payload[..4].copy_from_slice(&number.to_le_bytes());
        receipts.push(
            bus.enqueue(Publication::new(partition(&topic, number % 2), payload)).await.expect("taken"),
        );
    }
    within("the receipts", futures::future::try_join_all(receipts)).await.expect("published");
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let mut offsets = [Vec::new(), Vec::new()];
    for count in 0..800 {
        if count == 100 {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        let message = message(&consumer).await;
        offsets[message.from.partition as usize].push(message.offset);
    }
    let all: Vec<_> = (0..400).collect();
    assert_eq!(offsets, [all.clone(), all]);
    nothing_comes(&consumer).await;
}

pub(crate) async fn giving_up_waiting_loses_nothing(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    let publisher = tokio::spawn(async move {
        for number in 0..200 {
            publish(&bus, &of, numbered(number..number + 1)).await;
        }
    });
    let mut read = Vec::new();
    while read.len() < 200 {
        // As a `select!` with a busy other branch would.
        match tokio::time::timeout(Duration::from_micros(300), consumer.next()).await {
            Err(_) => {}
            Ok(Ok(Delivery::Message(message))) => read.push(message),
            Ok(other) => panic!("a message was expected: {other:?}"),
        }
    }
    publisher.await.expect("published");
    assert_eq!(texts(&read), numbered(0..200).collect::<Vec<_>>());
}

pub(crate) async fn what_retention_took_before_it_was_read_is_an_error_and_not_a_jump(log: &mut Log) {
    let topic = log.topic(1).await;
    let bus = log.bus().await;
    let of = partition(&topic, 0);
    publish(&bus, &of, numbered(0..10)).await;
    let consumer = started(&bus, &unique("group"), &[&topic], 0).await;
    consumer.pause(std::slice::from_ref(&of)).await.expect("paused");
    consumer.seek(&of, 2).await.expect("sought");

    // What retention does in its own time.
    let mut native = rdkafka::ClientConfig::new();
    native.set("bootstrap.servers", &log.config.kafka.brokers[0]).set("broker.address.family", "v4");
    let admin: rdkafka::admin::AdminClient<_> = native.create().expect("an admin client");
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, rdkafka::Offset::Offset(6)).expect("an offset");
    admin.delete_records(&list, &rdkafka::admin::AdminOptions::new()).await.expect("deleted");

    consumer.resume(std::slice::from_ref(&of)).await.expect("resumed");
    let error = next(&consumer).await.expect_err("messages 2 to 5 are lost");
    let found = Watermarks { earliest: 6, end: 10 };
    assert!(matches!(&error, Error::OffsetOutOfRange { wanted: 2, found: f, .. } if *f == found), "{error}");
    nothing_comes(&consumer).await;
    consumer.seek(&of, found.earliest).await.expect("the caller decides to go on");
    assert_eq!(message(&consumer).await.offset, 6);
}
