//! Frames of a capture through the sensor's worker into batches: one thread, as a sensor has it for a source.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result};
use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
use wardwatch_sensor::batch::{BatchLimits, Batcher};
use wardwatch_sensor::worker::{Limits, Worker};

use crate::cpu;
use crate::load::{DEVICES, now};
use crate::report::Figure;
use crate::traffic::Network;
use crate::traffic::frames::Mirror;

/// Conversations that begin in a second of the packets' time: a large hospital's.
pub(crate) const PACE: u64 = 2_000;

/// Plays the same capture in each round.
pub(super) fn measure(rounds: u8, conversations: u64) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let path = folder.path().join("mirror.pcap");
    let out = BufWriter::with_capacity(1 << 20, File::create(&path).context("make a capture")?);
    let mut mirror = Mirror::new(Network::new(1, DEVICES), now(), PACE, out)?;
    for _ in 0..conversations {
        mirror.talk()?;
    }
    mirror.finish()?;
    let (mut rates, mut costs, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let played = play(&path)?;
        rates.push(played.records as f64 / played.seconds);
        packets.push(played.packets as f64 / played.seconds);
        costs.push(played.cpu / played.records as f64 * 1e6);
    }
    Ok(vec![
        Figure::of("flow records", "a second", rates),
        Figure::of("frames", "a second", packets),
        Figure::of("CPU", "s per million records", costs),
    ])
}

struct Played {
    records: u64,
    packets: u64,
    seconds: f64,
    cpu: f64,
}

fn play(path: &Path) -> Result<Played> {
    let mut source = CaptureFile::open(path, Pace::Full)?;
    let mut worker = Worker::new(&Limits::default());
    let mut batcher = Batcher::new("site-1", "site-1", 1, BatchLimits::default());
    let mut facts = Vec::new();
    let (begun, spent) = (std::time::Instant::now(), cpu::own());
    let mut cut = 0;
    let mut batch = |facts: &mut Vec<_>| {
        for fact in facts.drain(..) {
            cut += batcher.add(fact).map_or(0, |batch| batch.facts);
        }
    };
    while let Step::Frame(frame) = source.next()? {
        worker.frame(&frame, &mut facts);
        batch(&mut facts);
    }
    worker.finish(&mut facts);
    batch(&mut facts);
    let totals = worker.totals();
    anyhow::ensure!(cut > 0 && totals.malformed.is_empty(), "the capture was not read: {totals:?}");
    Ok(Played {
        records: totals.flow_records,
        packets: totals.packets,
        seconds: begun.elapsed().as_secs_f64(),
        cpu: cpu::own_since(spent).as_secs_f64(),
    })
}
