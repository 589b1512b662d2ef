//! The enricher's writer next to bare inserts of the same rows: the same blocks, once through the processor (plan, fence,
//! token, mark, state, offset) and once by the client library's own `Insert`, in turns.
//!
//! The processor is the real one, on Kafka and with tables of its own; what it works on is made before, so that the clock sees
//! nothing but the way from rows to ClickHouse.

use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use wardwatch_bus::{Bus, Message, Publication, TopicPartition, TopicSpec};
use wardwatch_processor::{
    CommitConfig, Entry, Error, IntakeConfig, Moment, Parts, Processor, Progress, Reason, Sink, Tally, serve,
};
use wardwatch_service::{Context, Counters, ServiceInfo};
use wardwatch_store::{Settings, Store};

use crate::cluster::{Cluster, bus_config};
use crate::cpu::{self, Cost};
use crate::report::{Figure, say};

/// Rows in a block: a range of a busy moment, and the largest.
const BLOCKS: [usize; 3] = [5_000, 25_000, 100_000];

/// What the writer's own CPU may cost next to that of bare inserts.
const LIMIT: f64 = 1.4;

const TOPIC: &str = "bench.rows";

/// A row of `flows`, as the enricher writes it.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
struct FlowRow {
    site: String,
    sensor: String,
    epoch: u64,
    sequence: u64,
    flow_id: u64,
    segment: u32,
    community_id: String,
    initiator: String,
    initiator_device: String,
    initiator_mac: String,
    initiator_ip: Ipv6Addr,
    initiator_port: u16,
    responder: String,
    responder_device: String,
    responder_mac: String,
    responder_ip: Ipv6Addr,
    responder_port: u16,
    ip_protocol: u8,
    protocol: String,
    vlans: Vec<u16>,
    start: i64,
    end: i64,
    initiator_packets: u64,
    initiator_frame_bytes: u64,
    initiator_ip_bytes: u64,
    initiator_payload_bytes: u64,
    responder_packets: u64,
    responder_frame_bytes: u64,
    responder_ip_bytes: u64,
    responder_payload_bytes: u64,
    end_reason: String,
    initiator_guessed: bool,
    initiator_tcp_flags: u16,
    responder_tcp_flags: u16,
    received: i64,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    source_index: u32,
}

/// Every round writes the rows that the enricher has written.
pub(super) async fn measure(cluster: &Cluster, rounds: u8, records: u64) -> Result<Vec<Figure>> {
    let rows: Vec<FlowRow> = cluster
        .store
        .fetch(&format!(
            "SELECT * FROM flows ORDER BY source_partition, source_offset, source_index LIMIT {records}"
        ))
        .await?;
    let bare = Bare::open(cluster).await?;
    let writer = Writer::open(cluster).await?;
    let mut figures = Vec::new();
    for size in BLOCKS {
        say(&format!("blocks of {size} rows"));
        let mut spent: [Vec<f64>; 4] = Default::default();
        let (mut ratios, mut server_ratios) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let ours = measured(cluster, rows.len(), writer.write(blocks(&rows, size))).await?;
            let theirs = measured(cluster, rows.len(), bare.write(blocks(&rows, size))).await?;
            ratios.push(ours.client / theirs.client);
            server_ratios.push(ours.server / theirs.server);
            for (all, one) in spent.iter_mut().zip([ours.client, theirs.client, ours.server, theirs.server]) {
                all.push(one);
            }
        }
        let name = |what: &str| format!("{size} rows a block: {what}");
        let [ours, theirs, ours_server, theirs_server] = spent;
        let unit = "s per million rows";
        figures.extend([
            Figure::of(name("CPU of the writer"), unit, ours),
            Figure::of(name("CPU of bare inserts"), unit, theirs),
            Figure::of(name("writer / bare"), "times", ratios).at_most(LIMIT),
            Figure::of(name("CPU of ClickHouse for the writer"), unit, ours_server),
            Figure::of(name("CPU of ClickHouse for bare inserts"), unit, theirs_server),
            Figure::of(name("ClickHouse, writer / bare"), "times", server_ratios)
                .noting("three inserts next to one: plan, rows, memory"),
        ]);
    }
    writer.close().await?;
    Ok(figures)
}

/// The rows in blocks of this size, each with its place in the log.
fn blocks(rows: &[FlowRow], size: usize) -> Vec<Vec<FlowRow>> {
    rows.chunks(size).map(<[FlowRow]>::to_vec).collect()
}

/// CPU seconds per million rows, of this process and of ClickHouse.
struct Spent {
    client: f64,
    server: f64,
}

/// What the work costs, once it is under way; ClickHouse merges afterwards what belongs to it, which is waited for.
async fn measured(
    cluster: &Cluster,
    rows: usize,
    work: impl Future<Output = Result<Duration>>,
) -> Result<Spent> {
    let pid = cluster.server.pid().context("ClickHouse does not run")?;
    let before = Cost::of(pid)?.cpu;
    let client = work.await?;
    settled(cluster).await?;
    let server = Cost::of(pid)?.cpu.saturating_sub(before);
    let million = rows as f64 / 1e6;
    Ok(Spent { client: client.as_secs_f64() / million, server: server.as_secs_f64() / million })
}

/// Waits until no merge is under way.
pub(super) async fn settled(cluster: &Cluster) -> Result<()> {
    crate::cluster::until("an end of all merges", async || {
        Ok(cluster.number("SELECT count() FROM system.merges").await? == 0)
    })
    .await
}

/// Tables of its own.
async fn own_tables(cluster: &Cluster, database: &str) -> Result<Store> {
    let store = Store::connect(&Settings { database: database.into(), ..cluster.store.settings().clone() })?;
    store.migrate().await.context("make tables")?;
    Ok(store)
}

/// Inserts by the client library alone.
struct Bare(Client);

impl Bare {
    async fn open(cluster: &Cluster) -> Result<Self> {
        let store = own_tables(cluster, "bench_bare").await?;
        // As the writer does on one machine.
        let client = Client::default()
            .with_url(&store.settings().url)
            .with_database(store.database())
            .with_compression(clickhouse::Compression::None);
        Ok(Self(client.with_setting("async_insert", "0")))
    }

    async fn write(&self, blocks: Vec<Vec<FlowRow>>) -> Result<Duration> {
        let spent = cpu::own();
        for block in blocks {
            let mut insert = self.0.insert::<FlowRow>("flows").await?;
            for row in &block {
                insert.write(row).await?;
            }
            insert.end().await?;
        }
        Ok(cpu::own_since(spent))
    }
}

/// A processor whose outputs are given to it.
struct Writer {
    waiting: Arc<Mutex<Vec<Vec<FlowRow>>>>,
    bus: Arc<dyn Bus>,
    partition: TopicPartition,
    progress: Progress,
    context: Context,
    task: JoinHandle<Result<()>>,
}

impl Writer {
    async fn open(cluster: &Cluster) -> Result<Self> {
        let store = own_tables(cluster, "bench_writer").await?;
        let bus = wardwatch_bus::open(&bus_config(&cluster.broker), &Counters::default()).await?;
        bus.ensure_topics(&[TopicSpec::new(TOPIC, 1)]).await?;
        let waiting = Arc::new(Mutex::new(Vec::new()));
        let processor = Given { waiting: Arc::clone(&waiting) };
        let progress = Progress::default();
        let context = Context::new(ServiceInfo { name: "writer", version: env!("CARGO_PKG_VERSION") });
        let parts = Parts { bus: Arc::clone(&bus), store, progress: progress.clone() };
        // A message is a range.
        let commit = CommitConfig { rows: 1, ..CommitConfig::default() };
        let serving =
            serve(async move { Ok(processor) }, IntakeConfig::default(), commit, context.clone(), parts);
        let partition = TopicPartition::new(TOPIC, 0);
        let writer = Self { waiting, bus, partition, progress, context, task: tokio::spawn(serving) };
        writer.progress.reached(0, 0).await;
        Ok(writer)
    }

    async fn write(&self, mut blocks: Vec<Vec<FlowRow>>) -> Result<Duration> {
        let first = self.progress.committed(0).context("the writer has lost its partition")?;
        let count = blocks.len() as u64;
        for (offset, block) in (first..).zip(&mut blocks) {
            for row in block {
                (row.source_partition, row.source_offset) = (0, offset);
            }
        }
        // The next one is taken from the end.
        blocks.reverse();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(blocks);
        let spent = cpu::own();
        for _ in 0..count {
            self.bus.enqueue(Publication::new(self.partition.clone(), "next")).await?;
        }
        self.progress.reached(0, first + count).await;
        Ok(cpu::own_since(spent))
    }

    async fn close(self) -> Result<()> {
        self.context.shutdown.cancel();
        self.task.await.context("the writer panicked")?
    }
}

#[derive(Debug)]
struct Given {
    waiting: Arc<Mutex<Vec<Vec<FlowRow>>>>,
}

/// How many messages there were, as the only memory.
#[derive(Debug, Default)]
struct Count(u64);

impl Processor for Given {
    type Memory = Count;
    type Outputs = Vec<FlowRow>;

    const NAME: &'static str = "writer";
    const INPUT: &'static str = TOPIC;
    const STATE_TABLE: &'static str = "enricher_state";
    const APPEND_ONLY: &'static [&'static str] = &["flows"];

    fn empty(&self, _partition: u32) -> Count {
        Count::default()
    }

    fn restore(
        &self,
        memory: &mut Count,
        entry: &Entry,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        memory.0 = String::from_utf8(entry.value.clone())?.parse()?;
        Ok(())
    }

    fn apply(
        &self,
        _message: &Message,
        _at: Moment,
        memory: &mut Count,
        outputs: &mut Vec<FlowRow>,
        _tally: &mut Tally,
    ) -> Result<(), Reason> {
        memory.0 += 1;
        let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        *outputs = next.ok_or(Reason("nothing-waits"))?;
        Ok(())
    }

    fn rows(outputs: &Vec<FlowRow>) -> usize {
        outputs.len()
    }

    fn take_changed(&self, memory: &mut Count) -> Vec<Entry> {
        vec![Entry { key: "count".into(), value: memory.0.to_string().into_bytes() }]
    }

    async fn write(&self, outputs: Vec<FlowRow>, sink: &Sink<'_>, tally: &mut Tally) -> Result<(), Error> {
        sink.append("flows", outputs, |row| row.source_offset, tally).insert().await
    }
}
