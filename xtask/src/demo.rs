//! `cargo xtask demo`: the demonstration, from a fresh checkout, in one command.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use wardwatch_engine::Source;
use wardwatch_engine::cache::Cache;

use crate::{cargo, fetch, packages};

/// Fetches a server, builds the program, and becomes it.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    packages::ensure(packages::BUILD)?;
    if Source::find(&Cache::default()).is_err() {
        packages::ensure(packages::FETCH_CLICKHOUSE)?;
        fetch::run(fetch::What::Clickhouse)?;
    }
    cargo::require(&["build", "--release", "--package", "wardwatch"])?;
    let program = cargo::target_folder()?.join("release/wardwatch");
    let error = Command::new(&program).arg("demo").args(arguments).exec();
    Err(error).with_context(|| format!("run {}", program.display()))
}
