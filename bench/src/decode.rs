//! `decode`: frames of all captures through the whole sensor on one core, next to what other programs need for the same file.
//!
//! All of them read it from the page cache and are given one core; what is compared is CPU time, start-up included.

mod mix;
mod peer;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
use wardwatch_sensor::batch::{BatchLimits, Batcher, CutBatch};
use wardwatch_sensor::worker::{Limits, Totals, Worker};

use crate::cpu;
use crate::report::{Figure, Format, Report, say};
use mix::Mix;
use peer::Peer;

/// Packets per CPU second that we need, in those of nDPI.
const TIMES_NDPI: f64 = 1.5;

/// The level at which the uplink compresses.
const ZSTD_LEVEL: i32 = 3;

/// What is measured, and how often.
#[derive(Args, Debug)]
pub(crate) struct Decode {
    /// Folder with captures, which is searched with its subfolders
    #[arg(long, default_value = "../shared/captures")]
    captures: PathBuf,
    /// How often each capture is in the mix, every time between other addresses
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..))]
    copies: u8,
    /// Rounds of everything but tshark, which is run once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Decode) -> Result<()> {
    let Decode { captures, copies, rounds, format } = arguments;
    let folder = tempfile::tempdir().context("make a folder")?;
    let path = folder.path().join("mix.pcap");
    let mix = Mix::write(captures, *copies, &path)?;
    say(&format!("{} frames of {} captures, {copies} times", mix.frames, mix.captures));
    let mut ours = Vec::new();
    let mut peers = Peer::all().map(|peer| (peer, Vec::new()));
    let mut last = None;
    for round in 1..=*rounds {
        say(&format!("round {round} of {rounds}: the sensor"));
        let played = play(&path, |_| ())?;
        ours.push(mix.frames as f64 / played.cpu);
        last = Some(played);
        for (peer, rates) in &mut peers {
            if peer.is_slow() && round > 1 {
                continue;
            }
            say(&format!("round {round} of {rounds}: {}", peer.name()));
            match peer.read(&path)? {
                Some(cpu) => rates.push(mix.frames as f64 / cpu.as_secs_f64()),
                None => say(&format!("{} is not installed: apt-get install {}", peer.name(), peer.package())),
            }
        }
    }
    let played = last.context("there was no round")?;
    let mut report = Report::new(format!(
        "cargo xtask bench decode --captures {} --copies {copies} --rounds {rounds}",
        captures.display()
    ));
    report.add("one core: frames to batches", figures(&mix, &played, &ours, &peers));
    report.add("bytes", sizes(&path, &played)?);
    report.print(*format)
}

fn figures(mix: &Mix, played: &Played, ours: &[f64], peers: &[(Peer, Vec<f64>)]) -> Vec<Figure> {
    let unit = "packets a CPU second";
    let mut figures = vec![
        Figure::once("the mix", "packets", mix.frames as f64).noting(format!(
            "of {} captures, {} octets each in the mean; {} more are of another link",
            mix.captures,
            mix.octets / mix.frames.max(1),
            mix.other_links
        )),
        Figure::of("the sensor, everything on", unit, ours.to_vec()).noting(format!(
            "{} flow records and {} observations",
            played.totals.flow_records, played.totals.observations
        )),
    ];
    for (peer, theirs) in peers.iter().filter(|(_, rates)| !rates.is_empty()) {
        figures.push(Figure::of(peer.name(), unit, theirs.clone()));
        // A peer that was run once is held against each round.
        let of_round = |round: usize| theirs.get(round).or(theirs.first()).copied().unwrap_or(f64::NAN);
        let ratios = ours.iter().enumerate().map(|(round, ours)| ours / of_round(round)).collect();
        let ratio = Figure::of(format!("the sensor to {}", peer.name()), "times", ratios);
        figures.push(if *peer == Peer::Ndpi { ratio.at_least(TIMES_NDPI) } else { ratio });
    }
    figures
}

/// What leaves the sensor, compressed as the uplink does.
fn sizes(path: &Path, played: &Played) -> Result<Vec<Figure>> {
    let mut compressed = 0;
    let mut failed = None;
    play(path, |batch| match zstd::bulk::compress(&batch.encoded, ZSTD_LEVEL) {
        Ok(bytes) => compressed += bytes.len(),
        Err(error) => failed = Some(error),
    })?;
    if let Some(error) = failed {
        return Err(error).context("compress a batch");
    }
    let records = played.totals.flow_records.max(1) as f64;
    Ok(vec![
        Figure::once("flow and fact records, zstd", "bytes a flow record", compressed as f64 / records)
            .noting("batches as they leave the sensor, each compressed by itself"),
        Figure::once(
            "flow and fact records, not compressed",
            "bytes a flow record",
            played.bytes as f64 / records,
        ),
    ])
}

/// What became of a capture.
pub(crate) struct Played {
    pub(crate) totals: Totals,
    /// Of encoded batches.
    pub(crate) bytes: usize,
    /// By the clock on the wall.
    pub(crate) seconds: f64,
    /// Seconds of CPU.
    pub(crate) cpu: f64,
}

/// Frames of a capture through the sensor's worker into batches: one thread, as a sensor has it for a source.
pub(crate) fn play(path: &Path, mut leave: impl FnMut(CutBatch)) -> Result<Played> {
    let (begun, spent) = (std::time::Instant::now(), cpu::own());
    let mut source = CaptureFile::open(path, Pace::Full)?;
    let mut worker = Worker::new(&Limits::default());
    let mut batcher = Batcher::new("site-1", "site-1", 1, BatchLimits::default());
    let (mut facts, mut bytes) = (Vec::new(), 0);
    let mut take = |batch: CutBatch| {
        bytes += batch.encoded.len();
        leave(batch);
    };
    while let Step::Frames(frames) = source.next()? {
        worker.frames(&frames, &mut facts);
        facts.drain(..).filter_map(|fact| batcher.add(fact)).for_each(&mut take);
    }
    worker.finish(&mut facts);
    facts.drain(..).filter_map(|fact| batcher.add(fact)).for_each(&mut take);
    batcher.cut().into_iter().for_each(&mut take);
    ensure!(bytes > 0, "nothing was read of {}", path.display());
    Ok(Played {
        totals: worker.totals(),
        bytes,
        seconds: begun.elapsed().as_secs_f64(),
        cpu: cpu::own_since(spent).as_secs_f64(),
    })
}
