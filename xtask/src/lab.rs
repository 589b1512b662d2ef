//! `cargo xtask record`: the captures of the invented hospital, recorded anew from real software.

use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, packages};

/// Installs the software that is recorded and records the areas, or all of them.
pub(crate) fn run(areas: &[String]) -> Result<ExitCode> {
    packages::ensure(packages::RECORD)?;
    let mut arguments = vec!["run", "--package", "wardwatch-tests", "--bin", "record", "--"];
    arguments.extend(areas.iter().map(String::as_str));
    let recorded = cargo::run(&arguments)?;
    Ok(if recorded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
