//! Batches from the sensors' uplinks through the collector into Kafka, next to a bare producer that has the same bytes in
//! memory and the same settings.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use wardwatch_bus::TopicSpec;
use wardwatch_bus::config::KafkaConfig;
use wardwatch_proto::log::{DEFAULT_PARTITIONS, partition_of, record_of_encoded_batch};
use wardwatch_proto::v1::Fact;
use wardwatch_sensor::batch::{BatchLimits, Batcher};

use crate::cluster::{COLLECTOR, Cluster};
use crate::cpu;
use crate::load;
use crate::report::Figure;
use crate::stretch::{OTHERS, SENSORS, Stretch};

/// The topic of the bare producer.
const BARE: &str = "bench.bare";

/// What the collector may cost next to a bare producer.
const LIMIT: f64 = 1.4;

/// What the rounds have brought.
#[derive(Default)]
pub(super) struct Rounds {
    rates: Vec<f64>,
    collector: Vec<f64>,
    sensors: Vec<f64>,
    broker: Vec<f64>,
    bare: Vec<f64>,
    ratios: Vec<f64>,
    others: Vec<f64>,
}

impl Rounds {
    pub(super) fn figures(self) -> Vec<Figure> {
        vec![
            Figure::of("flow records", "a second", self.rates),
            Figure::of("CPU of the collector", "s per million records", self.collector),
            Figure::of("CPU of a bare producer of the same bytes", "s per million records", self.bare),
            Figure::of("collector / bare producer", "times", self.ratios).at_most(LIMIT),
            Figure::of(
                "CPU of the sensors, from fact to acknowledgement",
                "s per million records",
                self.sensors,
            ),
            Figure::of("CPU of Kafka", "s per million records", self.broker),
            Figure::of(OTHERS, "cores", self.others),
        ]
    }
}

/// The same batches once by the bare producer and once through the collector.
pub(super) async fn round(
    cluster: &mut Cluster,
    sites: &[String],
    records: u64,
    rounds: &mut Rounds,
) -> Result<()> {
    let share = records.div_ceil(sites.len() as u64);
    let facts: Vec<_> =
        (1..).zip(sites).map(|(number, site)| (site.clone(), load::facts(number, share))).collect();
    let million = (share * sites.len() as u64) as f64 / 1e6;

    cluster.bus.ensure_topics(&[TopicSpec::new(BARE, DEFAULT_PARTITIONS)]).await?;
    let bare = bare(cluster, &facts)?.as_secs_f64() / million;

    cluster.launch(COLLECTOR)?;
    let stretch = Stretch::begin(cluster)?;
    load::send(facts, &BatchLimits::default(), cluster.collector).await?;
    let spent = stretch.end(cluster)?;
    cluster.stop(COLLECTOR)?;

    let collector = spent.cpu(COLLECTOR) / million;
    rounds.rates.push(million * 1e6 / spent.took.as_secs_f64());
    rounds.collector.push(collector);
    rounds.bare.push(bare);
    rounds.ratios.push(collector / bare);
    rounds.sensors.push(spent.cpu(SENSORS) / million);
    rounds.broker.push(spent.cpu("Kafka") / million);
    rounds.others.push(spent.others_cores());
    Ok(())
}

/// CPU time of a producer, in this process, which does nothing else meanwhile.
fn bare(cluster: &Cluster, facts: &[(String, Vec<Fact>)]) -> Result<Duration> {
    let KafkaConfig { linger, largest_message, queue_bytes, .. } = KafkaConfig::default();
    let producer: BaseProducer = cluster
        .broker
        .client_config()
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd")
        .set("linger.ms", linger.as_millis().to_string())
        .set("message.timeout.ms", "0")
        .set("enable.gapless.guarantee", "true")
        .set("message.max.bytes", (largest_message + (64 << 10)).to_string())
        .set("queue.buffering.max.kbytes", (queue_bytes / 512).to_string())
        .create()
        .context("make a producer")?;
    let records: Vec<(i32, &str, Vec<Bytes>)> = facts
        .iter()
        .map(|(site, facts)| {
            (partition_of(site, DEFAULT_PARTITIONS).cast_signed(), site.as_str(), cut(site, facts))
        })
        .collect();
    let most = records.iter().map(|(.., records)| records.len()).max().unwrap_or(0);
    let spent = cpu::own();
    for index in 0..most {
        for (partition, site, records) in &records {
            let Some(record) = records.get(index) else { continue };
            let mut message = BaseRecord::to(BARE).partition(*partition).key(*site).payload(record.as_ref());
            while let Err((_, back)) = producer.send(message) {
                producer.poll(Duration::from_millis(10));
                message = back;
            }
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_mins(2)).context("flush the bare producer")?;
    Ok(cpu::own_since(spent))
}

/// The records of these facts as the collector lays them into the log.
fn cut(site: &str, facts: &[Fact]) -> Vec<Bytes> {
    let mut batcher = Batcher::new(site, site, load::now() / 1_000_000, BatchLimits::default());
    let mut batches: Vec<_> = facts.iter().filter_map(|fact| batcher.add(fact.clone())).collect();
    batches.extend(batcher.cut());
    batches.iter().map(|batch| record_of_encoded_batch(&batch.encoded)).collect()
}
