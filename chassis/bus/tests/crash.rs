//! What the embedded bus acknowledged is there after `kill -9`. The test program runs itself as the one that is killed.

#![allow(missing_docs, reason = "a test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wardwatch_bus::config::EmbeddedConfig;
use wardwatch_bus::{Bus as _, EmbeddedBus, Publication, TopicPartition, TopicSpec};
use wardwatch_service::Counters;

const PARTITIONS: u32 = 4;
/// How many acknowledgements to wait for before each kill.
const ENOUGH: usize = 300;

fn open(directory: &Path) -> EmbeddedBus {
    let config = EmbeddedConfig { directory: directory.to_owned(), ..EmbeddedConfig::default() };
    EmbeddedBus::open(&config, &Counters::default()).expect("the bus opens")
}

fn facts(partition: u32) -> TopicPartition {
    TopicPartition::new("facts", partition)
}

/// Not a test of its own: publishes for ever, and says what has been acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn the_publisher() {
    let Some(directory) = std::env::var_os("PUBLISHER_DIRECTORY") else { return };
    let bus = open(Path::new(&directory));
    bus.ensure_topics(&[TopicSpec::new("facts", PARTITIONS)]).await.expect("made");
    let publishers = (0..PARTITIONS).map(|partition| {
        let bus = bus.clone();
        async move {
            loop {
                let next = bus.watermarks(&facts(partition)).await.expect("watermarks").end;
                let payload = format!("{partition}/{next}/{}", "x".repeat(5000));
                let offset =
                    bus.publish(Publication::new(facts(partition), payload)).await.expect("published");
                let mut stdout = std::io::stdout().lock();
                writeln!(stdout, "acknowledged {partition} {offset}").expect("said");
            }
        }
    });
    futures::future::join_all(publishers).await;
}

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut acknowledged = [0_u64; PARTITIONS as usize];
    for _ in 0..3 {
        let publisher = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_publisher", "--nocapture", "--quiet"])
            .env("PUBLISHER_DIRECTORY", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut publisher = Killed(publisher);
        let lines = BufReader::new(publisher.0.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let words = lines.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned));
        for said in words.take(ENOUGH) {
            let (partition, offset) = said.split_once(' ').expect("two numbers");
            let partition: usize = partition.parse().expect("a number");
            acknowledged[partition] =
                acknowledged[partition].max(offset.parse::<u64>().expect("a number") + 1);
        }
        drop(publisher);

        let bus = open(directory.path());
        for (partition, acknowledged) in (0..).zip(acknowledged) {
            let of = facts(partition);
            let end = bus.watermarks(&of).await.expect("watermarks").end;
            assert!(end >= acknowledged, "{of} ends at {end}, and {acknowledged} were acknowledged");
        }
        let ends: Vec<_> =
            bus.topic_watermarks("facts").await.expect("watermarks").iter().map(|mark| mark.end).collect();
        let consumer = bus.subscribe("reader", &["facts"]).await.expect("subscribed");
        let mut read = vec![0_u64; PARTITIONS as usize];
        while read != ends {
            match consumer.next().await.expect("a delivery") {
                wardwatch_bus::Delivery::Assigned(partitions) => {
                    for of in partitions {
                        consumer.seek(&of, 0).await.expect("sought");
                    }
                }
                wardwatch_bus::Delivery::Message(message) => {
                    let next = &mut read[message.from.partition as usize];
                    assert_eq!(message.offset, *next, "no gap and no repetition");
                    let expected = format!("{}/{}/", message.from.partition, message.offset);
                    assert!(
                        message.payload.starts_with(expected.as_bytes()),
                        "what lies at {expected} is another's"
                    );
                    *next += 1;
                }
                revoked @ wardwatch_bus::Delivery::Revoked { .. } => panic!("{revoked:?}"),
            }
        }
    }
}
