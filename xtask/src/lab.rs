//! `cargo xtask lab`: a hospital of real software, and the sensor at its mirror ports.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{cargo, packages};

/// Installs the software that talks, builds the sensor, and plays the hospital.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    // To read how it is used, nothing need be installed.
    let is_question = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    if !is_question {
        packages::ensure(packages::LAB)?;
        if arguments.iter().any(|argument| argument.starts_with("--hospital")) {
            packages::ensure(packages::OTHER_HOSPITALS)?;
        }
    }
    cargo::require(&["build", "--package", "wardwatch-sensor", "--package", "wardwatch-lab", "--bins"])?;
    let program = cargo::target_folder()?.join("debug/lab");
    let status = Command::new(&program).args(arguments).status();
    let status = status.with_context(|| format!("run {}", program.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
