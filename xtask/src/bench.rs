//! `cargo xtask bench`: the benchmarks, from a fresh checkout, in one command.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{cargo, fetch, packages};

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Each hop of the data path and the whole, on Kafka and ClickHouse
    Pipeline,
    /// The product in one process, for minutes, next to ClickHouse alone
    Soak,
    /// All captures through the sensor on one core, next to nDPI and tshark
    Decode,
    /// A packet's cost with a thousand to a million flows, headers and flow table, and their memory
    Table,
    /// What is concluded of a thousand to a million devices: observations a second, and memory
    Inventory,
    /// Taking up the stored memory of a site of a hundred thousand devices, on Kafka and ClickHouse
    TakeUp,
    /// Telling devices by their behaviour, on labelled captures; writes the model for a knowledge pack
    Behaviour,
    /// Frames from an interface without loss, by each means of capturing; needs root
    Capture,
}

/// Fetches the engines, builds for release, and becomes the benchmark.
pub(crate) fn run(what: What, arguments: &[String]) -> Result<ExitCode> {
    packages::ensure(packages::BUILD)?;
    packages::ensure(packages::TESTS)?;
    if what == What::Decode {
        packages::ensure(packages::PEERS)?;
    }
    if matches!(what, What::Pipeline | What::Soak | What::TakeUp) {
        fetch::engines()?;
    }
    let mut build = vec!["build", "--release", "--package", "wardwatch-bench"];
    if what == What::Soak {
        build.extend(["--package", "wardwatch"]);
    }
    cargo::require(&build)?;
    if what == What::Capture {
        // The program that sends.
        cargo::require(&["build", "--release", "--package", "wardwatch-capture", "--example", "flood"])?;
    }
    let program = cargo::target_folder()?.join("release/wardwatch-bench");
    let name = what.to_possible_value().context("a name")?;
    let error = Command::new(&program).arg(name.get_name()).args(arguments).exec();
    Err(error).with_context(|| format!("run {}", program.display()))
}
