//! `cargo xtask fuzz`: every dissector, the header parser, the reassembly and the whole decoder under libFuzzer, with the
//! pinned toolchain.
//!
//! The compiler's coverage counters need no nightly: cargo-fuzz asks for them by flags that any toolchain takes, as
//! long as no sanitizer is wanted. A seed of every kind comes from the captures, and what is found interesting stays in
//! the corpus for the next time: `fuzz/corpus` in the target folder. Overflows and debug assertions are findings as
//! well as panics, inputs that take longer than [`TIMEOUT`] and those that take too much memory.

mod folder;
mod measured;
mod run;
mod seeds;
mod target;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, bail};
use clap::Args;

use crate::packages;
use folder::Folder;
use measured::Measured;
use target::Target;

/// What all targets together are to pass when nobody says how much: ten million executions, and some more.
const EXECUTIONS: u64 = 10_500_000;

/// An input that takes longer is a finding.
const TIMEOUT: &str = "-timeout=10";

/// What to fuzz, and how long.
#[derive(Args)]
pub(crate) struct Request {
    /// A target's name, such as tcp/dicom, or a part of it between slashes, such as tcp or dns; all when none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Executions of each target; by default as many as bring all of them together past ten million
    #[arg(long, value_name = "N")]
    executions: Option<u64>,
    /// Stop each target after so many seconds, whatever it has executed
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// How many targets run at the same time
    #[arg(long, value_name = "J", default_value_t = 1)]
    jobs: usize,
}

/// How long a target runs.
#[derive(Clone, Copy)]
struct Limits {
    executions: u64,
    seconds: Option<u64>,
}

/// Builds, makes seeds, runs every target, and ends with a table.
pub(crate) fn run(request: &Request) -> Result<ExitCode> {
    packages::ensure(packages::BUILD)?;
    let folder = Folder::find()?;
    let all = target::all(&seeds::make(&folder)?);
    let share = EXECUTIONS.div_ceil(all.len().max(1) as u64);
    let limits = Limits { executions: request.executions.unwrap_or(share), seconds: request.seconds };
    let chosen = choose(all, &request.targets)?;
    target::build(&folder, &chosen)?;
    println!("{} targets, {} executions each", chosen.len(), limits.executions);
    let measured = run_all(&folder, &chosen, limits, request.jobs.max(1))?;
    println!();
    measured::print(&chosen, &measured);
    let is_sound = measured.iter().all(|measured| measured.finding.is_none());
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those that are named, in their own order.
fn choose(mut all: Vec<Target>, names: &[String]) -> Result<Vec<Target>> {
    for name in names {
        if !all.iter().any(|target| target.is_called(name)) {
            let there: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
            bail!("no target is called {name}; there are {}", there.join(", "));
        }
    }
    all.retain(|target| names.is_empty() || names.iter().any(|name| target.is_called(name)));
    Ok(all)
}

/// Runs the targets, so many at a time, and says of each how it went when it has ended.
fn run_all(folder: &Folder, targets: &[Target], limits: Limits, jobs: usize) -> Result<Vec<Measured>> {
    let waiting = Mutex::new(targets.iter().enumerate().collect::<VecDeque<_>>());
    let next = || waiting.lock().ok()?.pop_front();
    let work = || {
        let mut ended = Vec::new();
        while let Some((number, target)) = next() {
            let measured = run::run(folder, target, limits)?;
            println!("[{}/{}] {}: {measured}", number + 1, targets.len(), target.name);
            ended.push((number, measured));
        }
        anyhow::Ok(ended)
    };
    let mut all = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|_| bail!("a worker panicked"))?);
        }
        anyhow::Ok(all)
    })?;
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, measured)| measured).collect())
}
