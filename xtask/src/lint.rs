//! `cargo xtask lint`: formatting and clippy, as strict as the continuous integration.

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo;

/// Runs both, whatever the first one says.
pub(crate) fn run() -> Result<ExitCode> {
    let formatted = cargo::run(&["fmt", "--all", "--check"])?;
    let linted = cargo::run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    Ok(if formatted && linted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
