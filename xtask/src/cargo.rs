//! Cargo, as the one that runs us found it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A command that runs cargo.
pub(crate) fn command() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo builds: we are <target folder>/debug/xtask, whatever the target folder is called.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let this = env::current_exe().context("find the target folder")?;
    let target = this.ancestors().nth(2).context("find the target folder")?;
    Ok(target.to_owned())
}

/// Runs cargo with its output where ours goes; false when it failed.
pub(crate) fn run(arguments: &[&str]) -> Result<bool> {
    println!("$ cargo {}", arguments.join(" "));
    let status = command().args(arguments).status().context("run cargo")?;
    Ok(status.success())
}

/// Runs cargo, which has to succeed.
pub(crate) fn require(arguments: &[&str]) -> Result<()> {
    if !run(arguments)? {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}
