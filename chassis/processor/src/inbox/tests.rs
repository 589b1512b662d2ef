//! A full inbox pauses its partition, an emptied one resumes it, and nothing is lost in between.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use wardwatch_bus::{Delivery, Error, Headers, Result};

use super::*;

/// A consumer that writes down what it is asked for.
#[derive(Debug, Default)]
struct Asked {
    asked: Mutex<Vec<&'static str>>,
    is_taken_away: bool,
}

impl Asked {
    fn note(&self, what: &'static str, partitions: &[TopicPartition]) -> Result<()> {
        self.asked.lock().expect("no panic").push(what);
        if self.is_taken_away { Err(Error::NotAssigned(partitions[0].clone())) } else { Ok(()) }
    }

    fn so_far(&self) -> Vec<&'static str> {
        self.asked.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl Consumer for Asked {
    async fn next(&self) -> Result<Delivery> {
        std::future::pending().await
    }

    async fn seek(&self, _of: &TopicPartition, _offset: u64) -> Result<()> {
        Ok(())
    }

    async fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.note("pause", partitions)
    }

    async fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.note("resume", partitions)
    }

    async fn commit(&self, _of: &TopicPartition, _next_offset: u64) -> Result<()> {
        Ok(())
    }

    async fn leave(&self) -> Result<()> {
        Ok(())
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        Vec::new()
    }
}

fn message(offset: u64) -> Message {
    Message {
        from: TopicPartition::new("facts", 0),
        offset,
        timestamp: 0,
        key: Bytes::new(),
        payload: Bytes::from(vec![0; 1000]),
        headers: Headers::new(),
    }
}

/// An inbox with room for that many of the messages.
fn inbox_for(messages: usize, consumer: &Arc<Asked>) -> (Feed, Inbox) {
    let consumer: Arc<dyn Consumer> = Arc::clone(consumer) as _;
    pair(&TopicPartition::new("facts", 0), &consumer, messages * cost(&message(0)))
}

#[tokio::test]
async fn a_full_inbox_pauses_its_partition_and_a_half_empty_one_resumes_it() {
    let asked = Arc::new(Asked::default());
    let (feed, mut inbox) = inbox_for(4, &asked);
    for offset in 0..4 {
        feed.push(message(offset)).await.expect("taken");
    }
    assert_eq!(asked.so_far(), [""; 0], "there is room for four");
    for offset in 4..6 {
        feed.push(message(offset)).await.expect("taken, since it was on its way");
    }
    assert_eq!(asked.so_far(), ["pause"], "once, however many come after");
    assert!(feed.is_paused());
    for expected in 0..6 {
        let next = inbox.next().await.expect("none is lost");
        assert_eq!(next.offset, expected);
        inbox.done(cost(&next)).await.expect("told");
        assert_eq!(feed.is_paused(), expected < 3, "until no more than half is left");
    }
    assert_eq!(asked.so_far(), ["pause", "resume"]);
}

#[tokio::test]
async fn a_partition_that_was_taken_away_meanwhile_is_no_error() {
    let asked = Arc::new(Asked { is_taken_away: true, ..Asked::default() });
    let (feed, mut inbox) = inbox_for(1, &asked);
    for offset in 0..2 {
        feed.push(message(offset)).await.expect("nobody is to blame");
    }
    for _ in 0..2 {
        let next = inbox.next().await.expect("a message");
        inbox.done(cost(&next)).await.expect("nobody is to blame");
    }
    assert_eq!(asked.so_far(), ["pause", "resume"]);
}

#[tokio::test]
async fn messages_for_a_task_that_has_ended_are_let_go() {
    let asked = Arc::new(Asked::default());
    let (feed, inbox) = inbox_for(1, &asked);
    drop(inbox);
    for offset in 0..3 {
        feed.push(message(offset)).await.expect("let go");
    }
    assert_eq!(asked.so_far(), [""; 0], "nobody could resume it");
}
