//! `cargo xtask test`: every test, with the engines it needs, counted honestly.
//!
//! A test that cannot run here (no root, no Java, no recorded traffic) returns early and says so: a line on standard
//! error and one, `<crate>::<test>: <reason>`, in the file that `WARDWATCH_SKIPPED` names. The test harness counts
//! it as passed; this command does not.
//!
//! Tests of packages that cannot start engines find a server and a broker through `WARDWATCH_TEST_CLICKHOUSE` and
//! `WARDWATCH_TEST_KAFKA`, which this command sets.

mod engines;
mod faults;
mod outcome;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::{env, fs, io, process, thread};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::{cargo, fetch, packages};
use engines::Engines;
use outcome::Outcome;

/// Which tests to run.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Selection {
    #[command(subcommand)]
    series: Option<Series>,
    /// Only the tests of this package; may be repeated
    #[arg(short, long = "package", value_name = "NAME")]
    packages: Vec<String>,
    /// Passed to the test programs, such as a part of a test's name
    #[arg(last = true, value_name = "FILTER")]
    arguments: Vec<String>,
}

/// A test that is run by itself and as long as one likes.
#[derive(Subcommand)]
enum Series {
    /// Run the fault suite: services and engines are killed, and everything must end as if they were not; see its --help
    #[command(disable_help_flag = true)]
    Faults {
        /// Passed to the suite, such as --seed 7 or --seeds 0..100
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Runs the tests and prints the count as the last line.
pub(crate) fn run(selection: &Selection) -> Result<ExitCode> {
    packages::ensure(packages::BUILD)?;
    if let Some(Series::Faults { arguments }) = &selection.series {
        return faults::run(arguments);
    }
    // Tests skip by name when something of these is not there.
    for prepared in [
        packages::ensure(packages::TESTS),
        fetch::run(fetch::What::Clickhouse),
        fetch::run(fetch::What::Kafka),
        fetch::run(fetch::What::Suricata),
    ] {
        if let Err(error) = prepared {
            eprintln!("warning: {error:#}; tests that need it are skipped");
        }
    }
    let mut outcome = Outcome::default();
    let skipped = SkippedFile::new();
    let succeeded = build(selection)? && {
        let engines = Engines::start();
        if let Err(error) = &engines {
            eprintln!("warning: {error:#}; tests that need the engines are skipped");
        }
        let mut command = test(selection);
        command.arg("--").args(&selection.arguments).env("WARDWATCH_SKIPPED", skipped.path());
        command.envs(engines.iter().flat_map(Engines::variables));
        command.envs(faults::variable()?);
        let mut succeeded = stream(command, &mut outcome)?.success();
        if selection.has(faults::POINTS) {
            succeeded &= stream(faults::armed_tests(&selection.arguments), &mut outcome)?.success();
        }
        succeeded
    };
    outcome.skip(&skipped.read()?);
    if !succeeded {
        outcome.require_failure();
    }

    println!();
    for skipped in outcome.skipped() {
        println!("skipped {skipped}");
    }
    for crashed in outcome.crashed() {
        println!("crashed {crashed}");
    }
    println!("{outcome}");
    Ok(if succeeded && !outcome.has_failed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the tests and the programs that they start; false when something does not build.
fn build(selection: &Selection) -> Result<bool> {
    let programs = ["build", "--package", "wardwatch-engine", "--package", "wardwatch-tests"];
    // With the whole workspace they are built anyway, since their packages have integration tests.
    if !selection.packages.is_empty() && !cargo::run(&programs)? {
        return Ok(false);
    }
    // It is started by tests, and no other build has its fail points.
    if selection.has(faults::SUITE) && !cargo::run(&faults::SUBJECT)? {
        return Ok(false);
    }
    Ok(test(selection).arg("--no-run").status().context("run cargo test")?.success())
}

impl Selection {
    /// Whether a package is among those that are tested.
    fn has(&self, package: &str) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|named| named == package)
    }
}

fn test(selection: &Selection) -> Command {
    let mut command = cargo::command();
    command.args(["test", "--no-fail-fast"]);
    if selection.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &selection.packages {
        command.args(["--package", package]);
    }
    command.stdin(Stdio::null());
    command
}

/// The file that skipped tests write to, removed afterwards.
struct SkippedFile(PathBuf);

impl SkippedFile {
    fn new() -> Self {
        Self(env::temp_dir().join(format!("wardwatch-skipped-{}", process::id())))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// Its content; nothing when nobody skipped.
    fn read(&self) -> Result<String> {
        match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.with_context(|| format!("read {}", self.0.display())),
        }
    }
}

impl Drop for SkippedFile {
    fn drop(&mut self) {
        // Mostly it is not there.
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a command, passes on what it prints line by line as it comes, and reads along.
fn stream(mut command: Command, outcome: &mut Outcome) -> Result<ExitStatus> {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("run cargo test")?;
    let (lines, printed) = mpsc::sync_channel(1024);
    let readers = [
        child.stdout.take().map(|pipe| reader(pipe, Pipe::Out, lines.clone())),
        child.stderr.take().map(|pipe| reader(pipe, Pipe::Errors, lines)),
    ];
    for (pipe, line) in printed {
        match pipe {
            Pipe::Out => io::stdout().write_all(&line),
            Pipe::Errors => io::stderr().write_all(&line),
        }
        .context("pass on what cargo test prints")?;
        outcome.read(&String::from_utf8_lossy(&line));
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its pipe and panics nowhere.
        let _ = reader.join();
    }
    child.wait().context("wait for cargo test")
}

#[derive(Clone, Copy)]
enum Pipe {
    Out,
    Errors,
}

fn reader(
    pipe: impl Read + Send + 'static,
    which: Pipe,
    lines: mpsc::SyncSender<(Pipe, Vec<u8>)>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            match pipe.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if lines.send((which, line)).is_err() => return,
                Ok(_) => {}
            }
        }
    })
}
