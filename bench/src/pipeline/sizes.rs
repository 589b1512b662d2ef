//! How many bytes a flow record takes on the wire, in Kafka and in ClickHouse, with its share of all that comes with it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use prost::Message;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use wardwatch_proto::topic;
use wardwatch_sensor::batch::BatchLimits;

use super::writer::settled;
use crate::cluster::{COLLECTOR, Cluster, ENRICHER, until};
use crate::load;
use crate::report::Figure;

/// Flow records of each site in the measurement of one size of batches.
const RECORDS: u64 = 50_000;

/// Batches: as a busy site cuts them, full; and as a small one does, with what half a second brings.
const BATCHES: [(&str, usize); 2] = [("full batches", 4096), ("batches of 100 facts", 100)];

pub(super) async fn measure(cluster: &mut Cluster, sites: &[String]) -> Result<Vec<Figure>> {
    // Rows of this are like those before; that they are there matters for the last figures only.
    for name in [COLLECTOR, ENRICHER] {
        if !cluster.runs(name) {
            cluster.launch(name)?;
        }
    }
    let counted = Counted::start(cluster.collector).await?;
    let stored = cluster.rows().await?;
    let mut all = 0;
    let mut figures = Vec::new();
    for (name, facts) in BATCHES {
        let limits = BatchLimits { facts, ..BatchLimits::default() };
        let (wire, log) = (counted.bytes(), log_bytes(cluster)?);
        let flows = RECORDS * sites.len() as u64;
        let facts: Vec<_> =
            (1..).zip(sites).map(|(number, site)| (site.clone(), load::facts(number, RECORDS))).collect();
        let raw: usize = facts.iter().flat_map(|(_, facts)| facts).map(Message::encoded_len).sum();
        load::send(facts, &limits, counted.address).await?;
        // The last octets are counted when the connections have been closed at both ends.
        until("an end of all connections", async || Ok(counted.open() == 0)).await?;
        all += flows;
        let each = |bytes: u64| bytes as f64 / flows as f64;
        figures.extend([
            Figure::once(format!("{name}: facts as they are encoded"), "bytes", each(raw as u64)),
            Figure::once(format!("{name}: on the wire"), "bytes", each(counted.bytes() - wire))
                .noting("TCP payload both ways: gRPC, zstd, acknowledgements"),
            Figure::once(format!("{name}: in Kafka"), "bytes", each(log_bytes(cluster)? - log))
                .noting("zstd by the producer"),
        ]);
    }
    cluster.until_rows(stored + all).await?;
    cluster.stop(COLLECTOR)?;
    cluster.stop(ENRICHER)?;
    for table in ["flows", "conversations", "site_minute"] {
        cluster.store.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await?;
    }
    settled(cluster).await?;
    let rows = cluster.rows().await?;
    for (name, tables) in [
        ("flows", "'flows'"),
        ("conversations, site_minute", "'conversations', 'site_minute'"),
        (
            "devices, attributes, changes, state, plans",
            "'devices', 'attributes', 'changes', 'enricher_state', 'plans'",
        ),
    ] {
        let bytes = format!(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ({tables})"
        );
        let bytes = cluster.number(&bytes).await?;
        figures.push(
            Figure::once(format!("in ClickHouse: {name}"), "bytes", bytes as f64 / rows as f64)
                .noting(format!("of {rows} records, merged")),
        );
    }
    Ok(figures)
}

/// Octets of the log segments of `wardwatch.facts`.
fn log_bytes(cluster: &Cluster) -> Result<u64> {
    let mut bytes = 0;
    for partition in fs::read_dir(cluster.broker.logs()).context("read Kafka's logs")? {
        let partition = partition?;
        if !partition.file_name().to_string_lossy().starts_with(topic::FACTS) {
            continue;
        }
        for segment in fs::read_dir(partition.path())? {
            let segment = segment?;
            if segment.path().extension().is_some_and(|kind| kind == "log") {
                bytes += segment.metadata()?.len();
            }
        }
    }
    Ok(bytes)
}

/// A way to the collector that counts what passes.
struct Counted {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    open: Arc<AtomicU64>,
}

impl Counted {
    async fn start(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen on 127.0.0.1")?;
        let (address, bytes) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let open = Arc::new(AtomicU64::new(0));
        let (counted, under_way) = (Arc::clone(&bytes), Arc::clone(&open));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (counted, under_way) = (Arc::clone(&counted), Arc::clone(&under_way));
                under_way.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let carried = async {
                        let mut far = TcpStream::connect(to).await?;
                        copy_bidirectional(&mut near, &mut far).await
                    };
                    // Whoever needed more than a broken connection has carried says so.
                    let (there, back) = carried.await.unwrap_or_default();
                    counted.fetch_add(there + back, Ordering::Relaxed);
                    under_way.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Self { address, bytes, open })
    }

    /// How many connections have not ended.
    fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Of connections that have ended.
    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
