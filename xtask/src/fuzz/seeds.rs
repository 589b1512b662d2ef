//! Seeds from the captures in the repository and the corpus beside it, if it is there.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use crate::cargo;

/// Lets the sensor's example write them, and says which targets it knows and how many seeds each has.
pub(super) fn make(folder: &Folder) -> Result<Vec<(String, usize)>> {
    let data = env::var_os("WARDWATCH_TEST_DATA").map_or_else(|| folder.source("../shared"), PathBuf::from);
    let captures = [folder.source("tests/captures"), data.join("captures")];
    println!("seeds from {} and {}", captures[0].display(), captures[1].display());
    let mut command = cargo::command();
    command.args(["run", "--package", "wardwatch-sensor", "--example", "fuzz-seeds", "--"]);
    command.arg(folder.corpora()).args(captures.iter().filter(|captures| captures.is_dir()));
    let made = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("run cargo")?;
    if !made.status.success() {
        bail!("could not make seeds");
    }
    String::from_utf8_lossy(&made.stdout).lines().map(read).collect()
}

fn read(line: &str) -> Result<(String, usize)> {
    let read = || {
        let (target, seeds) = line.split_once(' ')?;
        Some((target.to_owned(), seeds.parse().ok()?))
    };
    read().with_context(|| format!("no target and number of seeds: {line:?}"))
}
