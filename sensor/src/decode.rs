//! `wardwatch-sensor decode`: the facts in capture files or on an interface, without any pipeline.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
use wardwatch_proto::v1::Fact;

use crate::jsonl;
use crate::worker::{Limits, Totals, Worker};

mod live;

/// Decode capture files, or an interface until it is told to stop, and print the facts: flows and observations, each
/// with whom it describes.
///
/// Every file is a world of its own: its flows end with it. Nothing is sent anywhere.
#[derive(Args, Debug)]
pub struct Decode {
    /// Capture files (pcap, pcapng; gzip and zstd are recognised).
    #[arg(required_unless_present = "interface", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The interface to watch instead, until SIGINT or SIGTERM; then what is still open is stated, too.
    #[arg(long, conflicts_with = "files")]
    interface: Option<String>,
    /// By which means the interface is captured: see `input.capture` of `wardwatch-sensor run`.
    #[arg(long, value_enum, default_value_t = Means::PacketSocket, requires = "interface")]
    capture: Means,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Every fact as a JSON object on a line of its own, to standard output; totals to standard error.
    Jsonl,
    /// Nothing but the totals, as one JSON object.
    None,
}

/// By which means an interface is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Means {
    /// A packet socket with a `TPACKET_V3` ring: a copy of what passes.
    PacketSocket,
    /// AF_XDP: it takes the frames away from this host.
    AfXdp,
    /// AF_XDP where this host does not use the interface and the kernel allows it, else the packet socket.
    Auto,
}

/// What was decoded, and how long it took.
#[derive(Debug, Serialize)]
struct Summary {
    files: usize,
    failed_files: usize,
    packets: u64,
    bytes: u64,
    flows: u64,
    facts: u64,
    seconds: f64,
    #[serde(flatten)]
    totals: Details,
}

#[derive(Debug, Serialize)]
struct Details {
    flow_records: u64,
    observations: u64,
    repeats: u64,
    refused: u64,
    malformed: std::collections::BTreeMap<&'static str, u64>,
    conversations: std::collections::BTreeMap<&'static str, u64>,
    packets_in_tunnels: u64,
    duplicates: u64,
    incomplete_datagrams: u64,
    missing_bytes: u64,
    malformed_records: u64,
    truncated_files: u64,
    dropped_by_kernel: u64,
}

/// Runs the command. A file that cannot be read is named, the others are decoded all the same, and the command fails.
/// Of an interface, everything that was learned is printed however the watching ended.
pub fn decode(arguments: &Decode) -> anyhow::Result<()> {
    let begun = Instant::now();
    let progress = progress(arguments.files.len());
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut whole = Whole::default();
    let mut watched = Ok(());
    if let Some(interface) = &arguments.interface {
        watched = live::interface(interface, arguments.capture, arguments.format, &mut out, &mut whole);
        if watched.as_ref().is_err_and(is_closed_pipe) {
            return Ok(());
        }
    }
    for path in &arguments.files {
        progress.set_message(path.display().to_string());
        if let Err(error) = file(path, arguments.format, &mut out, &mut whole) {
            if is_closed_pipe(&error) {
                return Ok(());
            }
            progress.suspend(|| tell(&format!("{error:#}")));
            whole.failed += 1;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let summary = whole.summary(arguments.files.len(), begun.elapsed());
    let line = serde_json::to_string(&summary).context("cannot write the totals as JSON")?;
    match arguments.format {
        Format::None => writeln!(out, "{line}").context("cannot write to standard output")?,
        Format::Jsonl => tell(&line),
    }
    out.flush().context("cannot write to standard output")?;
    watched?;
    anyhow::ensure!(
        whole.failed == 0,
        "{} of {} files could not be read to the end",
        whole.failed,
        arguments.files.len()
    );
    Ok(())
}

/// What all files amounted to.
#[derive(Default)]
struct Whole {
    totals: Totals,
    failed: usize,
    malformed_records: u64,
    truncated_files: u64,
    dropped_by_kernel: u64,
}

impl Whole {
    fn summary(&self, files: usize, took: Duration) -> Summary {
        let Totals { packets, bytes, flows, flow_records, observations, repeats, refused, .. } = self.totals;
        Summary {
            files,
            failed_files: self.failed,
            packets,
            bytes,
            flows,
            facts: flow_records + observations,
            seconds: took.as_secs_f64(),
            totals: Details {
                flow_records,
                observations,
                repeats,
                refused,
                packets_in_tunnels: self.totals.packets_in_tunnels,
                duplicates: self.totals.duplicates,
                incomplete_datagrams: self.totals.incomplete_datagrams,
                missing_bytes: self.totals.missing_bytes,
                malformed: self.totals.malformed.clone(),
                conversations: self.totals.conversations.clone(),
                malformed_records: self.malformed_records,
                truncated_files: self.truncated_files,
                dropped_by_kernel: self.dropped_by_kernel,
            },
        }
    }
}

fn file(path: &Path, format: Format, out: &mut impl Write, whole: &mut Whole) -> anyhow::Result<()> {
    let mut source = CaptureFile::open(path, Pace::Full)?;
    let mut worker = Worker::new(&Limits::default());
    let mut facts = Vec::new();
    let ended = loop {
        match source.next() {
            Ok(Step::Frames(frames)) => worker.frames(&frames, &mut facts),
            Ok(Step::Idle) => {}
            Ok(Step::End) => break Ok(()),
            Err(error) => break Err(error),
        }
        print(&mut facts, format, out)?;
    };
    // What was read before the damage counts.
    worker.finish(&mut facts);
    print(&mut facts, format, out)?;
    whole.totals.add(&worker.totals());
    let statistics = source.statistics();
    whole.malformed_records += statistics.malformed;
    whole.truncated_files += statistics.truncated;
    if statistics.truncated > 0 {
        tell(&format!("{} ends in the middle of a record; what came before was decoded", path.display()));
    }
    Ok(ended?)
}

fn print(facts: &mut Vec<Fact>, format: Format, out: &mut impl Write) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        for fact in facts.iter() {
            jsonl::write(out, fact)?;
        }
    }
    facts.clear();
    Ok(())
}

fn progress(files: usize) -> ProgressBar {
    if files < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files, {elapsed} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(files as u64).with_style(style)
}

/// A reader such as `head` that has seen enough is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
            || cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind)
                == Some(io::ErrorKind::BrokenPipe)
    })
}

/// To standard error, whether or not it is still there.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
