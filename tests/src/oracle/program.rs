//! The sensor's program, as people run it.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

use crate::skip;

/// The program that cargo has built beside this test; `None`, and `test` is skipped, when it has not.
pub fn unless_sensor(test: &str) -> Option<PathBuf> {
    let this = env::current_exe().ok()?;
    let program = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-sensor"));
    let program = program.into_iter().find(|program| program.is_file());
    if program.is_none() {
        skip::skip(test, "needs the program wardwatch-sensor: `cargo build -p wardwatch-sensor`");
    }
    program
}

/// Runs `wardwatch-sensor decode` to its end.
pub fn decode(program: &PathBuf, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Output> {
    let mut command = Command::new(program);
    command.arg("decode").args(arguments).stdin(Stdio::null());
    command.output().with_context(|| format!("run {}", program.display()))
}
