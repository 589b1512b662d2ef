//! `inventory`: what an observation costs with a thousand to a million devices on one core, and what a device takes of memory.
//!
//! Beside it stands what a table costs that does nothing but count what is said, on the same machine in the same minutes.
//! Sites are measured in processes of their own, so that their memory is nothing else's. Every device says as many things
//! as are asked for, of five protocols, and has a flow with it. A sensor states what is said again once in ten minutes, and
//! so is each device's turn: a random one each time, so that nothing of it was used lately. Making facts is not counted;
//! concluding from them is, and so is dropping the conclusions.
//!
//! A device about which something is new is described anew, which takes as long as hearing hundreds of things again. So what
//! an observation costs is told for several shares of news. Who says 30 things in ten minutes says a new one every five and
//! a half hours where one in a thousand is new, and every 17 minutes where 20 are: 86 a day, of which the 64 values that are
//! kept of an attribute are full within days.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::report::{Figure, Format, Report, listed, median, say};
use site::{Asked, Found};

mod site;
mod table;
pub(crate) mod ward;

/// The least observations a second, where no more than so many of a thousand are new.
const AIM: f64 = 500_000.0;
const USUAL_NEWS: u64 = 1;
/// The most memory of a device beyond its evidence, in bytes.
const MEMORY: f64 = 2048.0;
/// What is measured, and how often.
#[derive(Args, Clone, Debug)]
pub(crate) struct Inventory {
    /// Devices of the site
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    devices: Vec<u32>,
    /// Things that each device says, up to 30
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=30))]
    statements: u8,
    /// Observations in a round
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    observations: u64,
    /// Observations of a thousand that say something new, each share in turn
    #[arg(long, value_delimiter = ',', default_value = "0,1,20",
          value_parser = clap::value_parser!(u64).range(0..=1000))]
    news: Vec<u64>,
    /// Rounds of each size
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Measures one site in this process, and prints what was found for the one that started it
    #[arg(long, hide = true)]
    here: bool,
}

impl Inventory {
    fn asked(&self, devices: u32) -> Asked {
        let Self { statements, observations, rounds, .. } = *self;
        let statements = usize::from(statements).min(ward::MOST);
        Asked { devices, statements, observations, rounds, news: self.news.clone() }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Inventory) -> Result<()> {
    if arguments.here {
        return here(arguments);
    }
    let Inventory { devices, statements, observations, news, rounds, format, .. } = arguments;
    let mut report = Report::new(format!(
        "cargo xtask bench inventory --devices {} --statements {statements} --observations {observations} \
         --news {} --rounds {rounds}",
        listed(devices),
        listed(news)
    ));
    for devices in devices {
        say(&format!("{devices} devices"));
        let statements = arguments.asked(*devices).statements;
        let title = format!("one core: {devices} devices of {statements} statements");
        report.add(title, figures(news, elsewhere(arguments, *devices)?, weigh(*devices, statements)?));
    }
    report.print(*format)
}

fn here(arguments: &Inventory) -> Result<()> {
    let devices = *arguments.devices.first().context("no number of devices")?;
    let asked = arguments.asked(devices);
    let mut found = site::measure(&asked)?;
    found.counting = table::measure(&asked);
    serde_json::to_writer(std::io::stdout(), &found).context("print what was found")
}

/// What a process finds that does nothing else.
fn elsewhere(arguments: &Inventory, devices: u32) -> Result<Found> {
    let program = std::env::current_exe().context("find this program")?;
    let Inventory { statements, observations, news, rounds, .. } = arguments;
    let child = Command::new(program)
        .args(["inventory", "--here", "--devices", &devices.to_string()])
        .args(["--statements", &statements.to_string(), "--observations", &observations.to_string()])
        .args(["--news", &listed(news), "--rounds", &rounds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("start a process that keeps an inventory")?;
    ensure!(child.status.success(), "a process that keeps an inventory failed: {}", child.status);
    serde_json::from_slice(&child.stdout).context("read what it found")
}

/// What each device takes of memory, in bytes: all of it, and of that its evidence. A program of its own counts what is
/// allocated, which would cost time here.
fn weigh(devices: u32, statements: usize) -> Result<(f64, f64)> {
    let program = std::env::current_exe().context("find this program")?.with_file_name("weigh");
    let child = Command::new(&program)
        .args([devices.to_string(), statements.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    ensure!(child.status.success(), "the process that counts what is allocated failed: {}", child.status);
    serde_json::from_slice(&child.stdout).context("read what it counted")
}

fn figures(news: &[u64], found: Found, (memory, evidence): (f64, f64)) -> Vec<Figure> {
    let rate = |nanos: &f64| 1e9 / nanos;
    let Found { learning, steady, counting, storing, seen, resident } = found;
    let each = "observations a CPU second";
    let mut figures = vec![Figure::once("heard of for the first time", each, rate(&learning))];
    for (news, steady) in news.iter().zip(&steady) {
        let title = match news {
            0 => "said again, nothing new".to_owned(),
            _ => format!("said again, {news} of a thousand new"),
        };
        let figure = Figure::of(title, each, steady.iter().map(rate).collect());
        figures.push(if *news <= USUAL_NEWS { figure.at_least(AIM) } else { figure });
    }
    let counted = counting.iter().map(rate).collect();
    figures.push(Figure::of("a table that only counts what is said", each, counted));
    for (news, steady) in news.iter().zip(&steady) {
        let title = format!("with {news} of a thousand new the inventory takes");
        figures.push(Figure::once(title, "times as long", median(steady) / median(&counting)));
    }
    figures.extend([
        Figure::of("what is to be stored of it", "ns an observation", storing)
            .noting("after every 20 messages, whatever is new"),
        Figure::of("seen in another minute, and nothing said", "ns a flow", seen),
        Figure::once("memory that is allocated", "bytes a device", memory),
        Figure::once("of that, its evidence", "bytes a device", evidence),
        Figure::once("the rest", "bytes a device", memory - evidence).at_most(MEMORY),
        Figure::once("resident, with the allocator's own", "bytes a device", resident)
            .noting("and all that a process has, which is much of the first thousand's"),
    ]);
    figures
}
