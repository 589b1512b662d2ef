//! `soak`: `wardwatch up`, the product in one process on its embedded log, for minutes, as fast as it goes; next to what its
//! ClickHouse alone takes of the same rows in the same run.
//!
//! The program is the one that is installed. It plays a capture that never ends: a pipe that this process writes frames
//! into, [made up](crate::traffic::frames) as it goes.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use wardwatch_engine::{Engine, Runner};
use wardwatch_store::{Settings, Store};
use wardwatch_tests::pipeline::program::Running;

use crate::cpu::{self, Cost, Machine};
use crate::load::now;
use crate::report::{Figure, Format, Report, median, say};
use crate::stretch::OTHERS;
use crate::traffic::Network;
use crate::traffic::frames::Mirror;

/// What is measured, and how long.
#[derive(Args, Debug)]
pub(crate) struct Soak {
    /// How long
    #[arg(long, default_value_t = 5)]
    minutes: u64,
    /// Devices of the site
    #[arg(long, default_value_t = 5_000)]
    devices: usize,
    /// Conversations that begin in a second of the packets' time; the packets' clock runs as much faster than ours as more
    /// than that are stored in a second
    #[arg(long, default_value_t = 2_000)]
    pace: u64,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Flow records that are due to come and are not stored, at most. Some minutes of the packets' time are in the flow table.
const WINDOW: u64 = 500_000;

/// How long the flow table, the caches and the first merges are given.
const WARM_UP: Duration = Duration::from_secs(20);

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// Rows in an insert of the comparison: the enricher's largest range.
const BLOCK: u64 = 100_000;

/// Inserts in a round of the comparison.
const BLOCKS: u64 = 10;

/// Runs the command.
pub(crate) async fn run(arguments: &Soak) -> Result<()> {
    let Soak { minutes, devices, pace, format } = arguments;
    let command = format!("cargo xtask bench soak --minutes {minutes} --devices {devices} --pace {pace}");
    let mut report = Report::new(command);
    let folder = tempfile::tempdir().context("make a folder")?;
    let pipe = folder.path().join("mirror.pcap");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).context("make a pipe")?;
    let mirror = Frames::start(&pipe, *devices, *pace);
    let data = folder.path().join("data");
    let product = Product::start(&pipe, &data)?;
    say("warming up");
    product.watch(&mirror, WARM_UP).await?;
    let looks = product.measure(&mirror, Duration::from_mins(*minutes)).await?;
    let alone = product.alone().await?;
    report.add("wardwatch up, all services in one process", figures(&looks, alone));
    mirror.stop();
    product.stop()?;
    report.print(*format)
}

/// Frames that are written into a pipe in a thread of their own.
struct Frames {
    begun: Arc<AtomicU64>,
    stored: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Frames {
    fn start(pipe: &Path, devices: usize, pace: u64) -> Self {
        let frames = Self { begun: Arc::default(), stored: Arc::default(), stop: Arc::default() };
        let (begun, stored, stop) =
            (Arc::clone(&frames.begun), Arc::clone(&frames.stored), Arc::clone(&frames.stop));
        let pipe = pipe.to_owned();
        thread::spawn(move || {
            let written = write(&pipe, devices, pace, &begun, &stored, &stop);
            // A reader that has gone away is told of elsewhere.
            written.unwrap_or_else(|error| say(&format!("no more frames: {error:#}")));
        });
        frames
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn write(
    pipe: &Path,
    devices: usize,
    pace: u64,
    begun: &AtomicU64,
    stored: &AtomicU64,
    stop: &AtomicBool,
) -> Result<()> {
    // Waits for the reader.
    let out = BufWriter::with_capacity(1 << 16, File::options().write(true).open(pipe)?);
    let mut mirror = Mirror::new(Network::new(1, devices), now(), pace, out)?;
    while !stop.load(Ordering::Relaxed) {
        if begun.load(Ordering::Relaxed) >= stored.load(Ordering::Relaxed) + WINDOW {
            thread::sleep(Duration::from_millis(5));
            continue;
        }
        for _ in 0..256 {
            begun.store(mirror.talk()?, Ordering::Relaxed);
        }
    }
    Ok(mirror.finish()?)
}

/// The product as a process, and its ClickHouse.
struct Product {
    process: Running,
    store: Store,
    engine: u32,
}

/// What a stretch of time has brought.
struct Look {
    rows: u64,
    took: Duration,
    product: Cost,
    engine: Cost,
    frames: Duration,
    others: Duration,
}

impl Product {
    fn start(pipe: &Path, data: &Path) -> Result<Self> {
        let beside = std::env::current_exe().context("find this program")?.with_file_name("wardwatch");
        anyhow::ensure!(beside.is_file(), "{} is not there: run `cargo xtask bench soak`", beside.display());
        let [pipe, folder] = [pipe, data].map(|path| path.to_string_lossy().into_owned());
        let arguments = ["up", "--once", "--pcap", &pipe, "--data", &folder];
        let none: [(&str, &str); 0] = [];
        let mut process =
            Running::launch("wardwatch up", Runner::find(None)?.exec(beside), &arguments, none)?;
        let data = data.join("clickhouse");
        let engine = process.until("started its ClickHouse", |_| Engine::find_running(&data))?;
        let store = Store::connect(&Settings { url: engine.url, ..Settings::default() })?;
        Ok(Self { process, store, engine: engine.pid })
    }

    async fn rows(&self) -> Result<u64> {
        // Before the tables are made there are none.
        let parts = "SELECT sum(rows) FROM system.parts WHERE active AND table = 'flows' AND database = currentDatabase()";
        Ok(self.store.text(parts, "TSV").await?.trim().parse()?)
    }

    /// Lets it work for a while.
    async fn watch(&self, mirror: &Frames, long: Duration) -> Result<Look> {
        let (begun, machine, frames) = (Instant::now(), Machine::now()?, cpu::own());
        let (rows, product, engine) =
            (self.rows().await?, Cost::of(self.process.id())?, Cost::of(self.engine)?);
        while begun.elapsed() < long {
            mirror.stored.store(self.rows().await?, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let (took, frames) = (begun.elapsed(), cpu::own_since(frames));
        let since = |before: Cost, now: Cost| Cost { cpu: now.cpu.saturating_sub(before.cpu), ..now };
        let product = since(product, Cost::of(self.process.id())?);
        let engine = since(engine, Cost::of(self.engine)?);
        let others = Machine::now()?.others_since(&machine, frames + product.cpu + engine.cpu);
        Ok(Look { rows: self.rows().await? - rows, took, product, engine, frames, others })
    }

    async fn measure(&self, mirror: &Frames, long: Duration) -> Result<Vec<Look>> {
        let mut looks = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < long {
            let look = self.watch(mirror, LOOK).await?;
            say(&format!(
                "{:4} s: {:7.0} rows a second; memory: wardwatch {} MiB, ClickHouse {} MiB; cores: wardwatch {:.2}, \
                 ClickHouse {:.2}, frames {:.2}, others {:.2}",
                begun.elapsed().as_secs(),
                look.rate(),
                look.product.resident >> 20,
                look.engine.resident >> 20,
                look.cores(look.product.cpu),
                look.cores(look.engine.cpu),
                look.cores(look.frames),
                look.cores(look.others),
            ));
            looks.push(look);
        }
        Ok(looks)
    }

    /// Rows a second that ClickHouse takes of the same rows when nothing else happens: blocks that are in memory, one after
    /// the other, into a table with the same columns and settings.
    async fn alone(&self) -> Result<Vec<f64>> {
        say("ClickHouse alone");
        let mut rounds = Vec::new();
        for round in 0..3 {
            let table = format!("flows_alone_{round}");
            self.store.execute(&format!("CREATE TABLE {table} AS flows")).await?;
            let mut took = Duration::ZERO;
            for block in 0..BLOCKS {
                // Neighbours in the log, as the enricher had them.
                let rows = format!(
                    "SELECT * FROM flows WHERE source_offset >= \
                     (SELECT max(source_offset) FROM flows) * {} / {} LIMIT {BLOCK}",
                    round * BLOCKS + block,
                    3 * BLOCKS
                );
                let rows = self.store.bytes(&rows, "RowBinary").await?;
                let begun = Instant::now();
                self.store.insert_bytes(&table, "RowBinary", rows).await?;
                took += begun.elapsed();
            }
            let rows: u64 =
                self.store.text(&format!("SELECT count() FROM {table}"), "TSV").await?.trim().parse()?;
            rounds.push(rows as f64 / took.as_secs_f64());
            self.store.execute(&format!("DROP TABLE {table} SYNC")).await?;
        }
        Ok(rounds)
    }

    /// Lets it store what it has seen, and end by itself.
    fn stop(self) -> Result<()> {
        say("storing the rest");
        let (status, log) = self.process.ended()?;
        anyhow::ensure!(status.success(), "wardwatch ended with {status}: {log}");
        Ok(())
    }
}

impl Look {
    fn rate(&self) -> f64 {
        self.rows as f64 / self.took.as_secs_f64()
    }

    fn cores(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() / self.took.as_secs_f64()
    }
}

fn figures(looks: &[Look], alone: Vec<f64>) -> Vec<Figure> {
    let rates: Vec<f64> = looks.iter().map(Look::rate).collect();
    let all = looks.iter().map(|look| look.rows).sum::<u64>();
    let took: f64 = looks.iter().map(|look| look.took.as_secs_f64()).sum();
    let share = median(&rates) / median(&alone);
    let cost = |name: &str, of: &dyn Fn(&Look) -> Duration| {
        let spent: f64 = looks.iter().map(|look| of(look).as_secs_f64()).sum();
        Figure::once(name, "s per million rows", spent / all as f64 * 1e6)
    };
    let memory = |name: &str, of: &dyn Fn(&Look) -> u64| {
        let mebibytes: Vec<f64> = looks.iter().map(|look| of(look) as f64 / f64::from(1 << 20)).collect();
        let third = mebibytes.len().div_ceil(3);
        let first = median(mebibytes.get(..third).unwrap_or_default());
        let last = median(mebibytes.get(mebibytes.len().saturating_sub(third)..).unwrap_or_default());
        Figure::of(name, "MiB", mebibytes).noting(format!("first third {first:.0}, last third {last:.0}"))
    };
    let others: Vec<f64> = looks.iter().map(|look| look.cores(look.others)).collect();
    vec![
        Figure::of("rows of flows, roll-ups on", "a second", rates)
            .noting(format!("{all} rows in {took:.0} s")),
        Figure::of("ClickHouse alone, the same rows", "a second", alone),
        Figure::once("of what ClickHouse alone takes", "times", share),
        memory("memory of wardwatch", &|look| look.product.resident),
        memory("memory of ClickHouse", &|look| look.engine.resident),
        cost("CPU of wardwatch", &|look| look.product.cpu),
        cost("CPU of ClickHouse", &|look| look.engine.cpu),
        cost("CPU of the made-up frames", &|look| look.frames),
        Figure::of(OTHERS, "cores", others),
    ]
}
