//! `capture`: how many frames a second the sensor takes from an interface without losing any, decoding included, next to a
//! receiver that only counts.
//!
//! The interface is one end of a virtual cable between two network namespaces; at the other end a program floods it. On two
//! cores, one is the sender's and one the receiver's, so what limits may be either: the sender's own rate stands beside.
//! Needs root.

mod cable;
mod receiver;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use wardwatch_capture::CaptureMode;

use crate::load::{DEVICES, now};
use crate::pipeline::PACE;
use crate::report::{Figure, Format, Report, say};
use crate::traffic::Network;
use crate::traffic::frames::Mirror;
use cable::{Cable, Sender};
use receiver::{Seen, Work, receive};

/// Halvings of the range in which the highest rate without loss lies.
const HALVINGS: u32 = 5;

/// What is measured, and how long.
#[derive(Args, Debug)]
pub(crate) struct Capture {
    /// Seconds that each rate is tried
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Rounds of everything
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Conversations in the capture that is sent again and again
    #[arg(long, default_value_t = 20_000)]
    conversations: u64,
    /// Memory of the ring, in MiB
    #[arg(long, default_value_t = 64)]
    ring: u32,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A sender, a means of capturing, and what is done with the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setting {
    sender: Sender,
    mode: CaptureMode,
    work: Work,
}

/// What a setting came to in each round, in frames a second.
#[derive(Default)]
struct Came {
    without_loss: Vec<f64>,
    flooded: Vec<f64>,
    offered: Vec<f64>,
    /// Frames that were lost in all of it, by the difference of what was sent and taken.
    lost: Vec<f64>,
    /// Those of them that neither the sensor nor the cable has counted.
    uncounted: Vec<f64>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Capture) -> Result<()> {
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "network namespaces and AF_XDP need root: run this as root"
    );
    let folder = tempfile::tempdir().context("make a folder")?;
    let capture = folder.path().join("mirror.pcap");
    record(&capture, arguments.conversations)?;
    let bench = Bench { cable: Cable::new()?, flood: flood()?, capture, arguments };
    let mut came: Vec<(Setting, Came)> =
        settings().into_iter().map(|setting| (setting, Came::default())).collect();
    for round in 1..=arguments.rounds {
        for (setting, came) in &mut came {
            say(&format!("round {round} of {}: {}", arguments.rounds, setting.name()));
            bench.measure(*setting, came)?;
        }
    }
    let Capture { seconds, rounds, conversations, ring, .. } = *arguments;
    let mut report = Report::new(format!(
        "cargo xtask bench capture --seconds {seconds} --rounds {rounds} --conversations {conversations} --ring {ring}"
    ));
    let ratios: Vec<Figure> =
        came.iter().filter_map(|(setting, decoding)| ratio(*setting, decoding, &came)).collect();
    report.add("decoding / counting only, without loss", ratios);
    for (setting, came) in came {
        report.add(
            setting.name(),
            vec![
                Figure::of("without loss", "frames a second", came.without_loss),
                Figure::of("taken of a flood", "frames a second", came.flooded),
                Figure::of("sent in a flood", "frames a second", came.offered),
                Figure::of("lost at all rates", "frames", came.lost),
                Figure::of("lost and not counted", "frames", came.uncounted),
            ],
        );
    }
    report.print(arguments.format)
}

/// Each means with both kinds of work. What the kernel makes reaches a peer with an XDP program only.
fn settings() -> Vec<Setting> {
    let by = |sender, mode, work| Setting { sender, mode, work };
    vec![
        by(Sender::Sendmmsg, CaptureMode::PacketSocket, Work::Count),
        by(Sender::Sendmmsg, CaptureMode::PacketSocket, Work::Decode),
        by(Sender::Sendmmsg, CaptureMode::AfXdp, Work::Count),
        by(Sender::Sendmmsg, CaptureMode::AfXdp, Work::Decode),
        by(Sender::Kernel, CaptureMode::AfXdp, Work::Count),
        by(Sender::Kernel, CaptureMode::AfXdp, Work::Decode),
    ]
}

/// How a setting that decodes compares with the same that only counts, round by round.
fn ratio(setting: Setting, decoding: &Came, all: &[(Setting, Came)]) -> Option<Figure> {
    let counts = Setting { work: Work::Count, ..setting };
    let (_, counting) = all.iter().find(|(other, _)| *other == counts && setting.work == Work::Decode)?;
    let rounds = decoding.without_loss.iter().zip(&counting.without_loss);
    let name = format!("{}, sent by {}", setting.mode.name(), setting.sender.name());
    let aim = match setting.sender {
        Sender::Sendmmsg => 0.95,
        Sender::Kernel => 0.5,
    };
    Some(Figure::of(name, "times", rounds.map(|(ours, bare)| ours / bare).collect()).at_least(aim))
}

impl Setting {
    fn name(self) -> String {
        let Self { sender, mode, work } = self;
        format!("{}, {}, sent by {}", mode.name(), work.name(), sender.name())
    }
}

struct Bench<'a> {
    cable: Cable,
    /// The program that sends.
    flood: PathBuf,
    capture: PathBuf,
    arguments: &'a Capture,
}

impl Bench<'_> {
    /// As much as can be sent first; then, if frames were lost, the highest rate at which none are.
    fn measure(&self, setting: Setting, came: &mut Came) -> Result<()> {
        let flooded = self.once(setting, 0.0)?;
        came.flooded.push(flooded.taken_a_second());
        came.offered.push(flooded.sent_a_second());
        let (mut lost, mut uncounted) = (flooded.lost(), flooded.uncounted());
        let (mut low, mut high) = (0.0, flooded.sent_a_second());
        if flooded.lost() == 0 {
            low = high;
        }
        for _ in 0..HALVINGS {
            if high - low < 0.02 * high {
                break;
            }
            let rate = f64::midpoint(low, high);
            let seen = self.once(setting, rate)?;
            lost += seen.lost();
            uncounted += seen.uncounted();
            if seen.lost() == 0 {
                low = seen.sent_a_second();
            } else {
                high = rate;
            }
        }
        came.without_loss.push(low);
        came.lost.push(lost as f64);
        came.uncounted.push(uncounted as f64);
        Ok(())
    }

    fn once(&self, setting: Setting, rate: f64) -> Result<Seen> {
        let Setting { sender, mode, work } = setting;
        let Capture { seconds, ring, .. } = *self.arguments;
        let send = || self.cable.send(&self.flood, &self.capture, seconds, rate, sender);
        let seconds = Duration::from_secs(seconds.into());
        let before = self.cable.refused()?;
        let mut seen =
            self.cable.at_receiver(|| receive(cable::RECEIVER, mode, ring, work, seconds, send))??;
        seen.refused = self.cable.refused()? - before;
        Ok(seen)
    }
}

/// Writes the conversations of a made-up hospital to a file.
fn record(path: &Path, conversations: u64) -> Result<()> {
    let out = BufWriter::with_capacity(1 << 20, File::create(path).context("make a capture")?);
    let mut mirror = Mirror::new(Network::new(1, DEVICES), now(), PACE, out)?;
    for _ in 0..conversations {
        mirror.talk()?;
    }
    mirror.finish().context("write a capture")
}

/// The program that sends, which is built beside this one.
fn flood() -> Result<PathBuf> {
    let this = std::env::current_exe().context("find the target folder")?;
    let flood = this.with_file_name("examples").join("flood");
    anyhow::ensure!(flood.exists(), "{} is missing: run `cargo xtask bench capture`", flood.display());
    Ok(flood)
}
