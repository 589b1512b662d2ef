//! `cargo xtask test faults`: the fault suite, built with what it kills.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::{cargo, fetch, packages};

/// The package of the suite.
pub(super) const SUITE: &str = "wardwatch-fault-suite";
/// The package of the fail points.
pub(super) const POINTS: &str = "wardwatch-faults";
/// Builds the program that the suite kills.
pub(super) const SUBJECT: [&str; 7] =
    ["build", "--package", SUITE, "--features", "armed", "--bin", "subject"];

/// The tests of the fail points themselves, which only a build that has them can run.
pub(super) fn armed_tests(filter: &[String]) -> Command {
    let mut command = cargo::command();
    command.args(["test", "--no-fail-fast", "--package", POINTS, "--features", "armed", "--"]).args(filter);
    command.stdin(Stdio::null());
    command
}

/// Where the suite finds what it kills, if that has been built: `WARDWATCH_SUBJECT`.
pub(super) fn variable() -> Result<Option<(&'static str, PathBuf)>> {
    let subject = beside("subject")?;
    Ok(subject.is_file().then_some(("WARDWATCH_SUBJECT", subject)))
}

/// A program that was built. It is beside us in <target folder>/debug, whatever the target folder is called.
fn beside(program: &str) -> Result<PathBuf> {
    Ok(env::current_exe().context("find the target folder")?.with_file_name(program))
}

/// Fetches the engines, builds the suite, and becomes it.
pub(super) fn run(arguments: &[String]) -> Result<ExitCode> {
    packages::ensure(packages::TESTS)?;
    fetch::engines()?;
    for build in [&SUBJECT[..], &["build", "--package", SUITE, "--package", "wardwatch-tests", "--bins"]] {
        cargo::require(build)?;
    }
    let program = beside("fault-suite")?;
    let mut suite = Command::new(&program);
    suite.args(arguments).envs(variable()?);
    Err(suite.exec()).with_context(|| format!("run {}", program.display()))
}
