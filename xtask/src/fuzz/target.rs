//! What is fuzzed: the programs in the fuzz crates, one of them once for each candidate of the dissectors' tables.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use crate::cargo;

/// A fuzz target in its crate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Program {
    folder: &'static str,
    name: &'static str,
    /// Inputs are not longer, in bytes: what is longer tells nothing new and takes long.
    pub(super) longest: u32,
}

/// Reads one candidate's name from the environment.
const DISSECTOR: Program = Program { folder: "sensor/dissect/fuzz", name: "dissector", longest: 65_536 };

/// The others: what is below the dissectors, and the whole.
const OTHERS: [(&str, Program); 5] = [
    ("flow/parse", Program { folder: "sensor/flow/fuzz", name: "parse", longest: 4096 }),
    ("flow/tunnels", Program { folder: "sensor/flow/fuzz", name: "tunnels", longest: 1500 }),
    ("flow/flows", Program { folder: "sensor/flow/fuzz", name: "flows", longest: 16_384 }),
    ("flow/reassembly", Program { folder: "sensor/flow/fuzz", name: "reassembly", longest: 4096 }),
    ("sensor/decoder", Program { folder: "sensor/fuzz", name: "decoder", longest: 32_768 }),
];

/// The version that is installed when there is none.
const CARGO_FUZZ: &str = "0.13.2";

/// One thing that is fuzzed by itself.
pub(super) struct Target {
    /// `flow/reassembly`, or a table and a candidate: `tcp/dicom`.
    pub(super) name: String,
    /// Seeds out of captures.
    pub(super) seeds: usize,
    /// What runs it.
    pub(super) program: Program,
}

/// Every target: the candidates are those that seeds were asked for.
pub(super) fn all(seeds: &[(String, usize)]) -> Vec<Target> {
    let of = |name: &str| seeds.iter().find(|(target, _)| target == name).map_or(0, |(_, seeds)| *seeds);
    let others = OTHERS.map(|(name, program)| Target { name: name.to_owned(), seeds: of(name), program });
    let is_other = |name: &str| OTHERS.iter().any(|(other, _)| *other == name);
    let candidates = seeds.iter().filter(|(name, _)| !is_other(name)).map(|(name, seeds)| Target {
        name: name.clone(),
        seeds: *seeds,
        program: DISSECTOR,
    });
    others.into_iter().chain(candidates).collect()
}

impl Target {
    /// Whether this is its name, or a part of it between slashes.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.split('/').any(|part| part == name)
    }

    /// The candidate that the program has to ask, if it is told one.
    pub(super) fn candidate(&self) -> Option<&str> {
        (self.program == DISSECTOR).then_some(self.name.as_str())
    }
}

impl Program {
    /// Where cargo-fuzz puts it.
    pub(super) fn path(self, folder: &Folder) -> Result<PathBuf> {
        Ok(folder.build().join(host()?).join("release").join(self.name))
    }
}

/// Builds the programs of these targets.
pub(super) fn build(folder: &Folder, targets: &[Target]) -> Result<()> {
    let mut crates: Vec<&str> = targets.iter().map(|target| target.program.folder).collect();
    crates.dedup();
    let cargo_fuzz = cargo_fuzz(folder)?;
    for place in crates {
        let source = folder.source(place);
        lock(folder, &source)?;
        println!("$ cargo fuzz build --sanitizer none --fuzz-dir {place}");
        let mut command = Command::new(&cargo_fuzz);
        command.args(["fuzz", "build", "--sanitizer", "none", "--target", &host()?]);
        command.arg("--target-dir").arg(folder.build()).arg("--fuzz-dir").arg(&source);
        if !command.status().context("run cargo-fuzz")?.success() {
            bail!("{place} does not build");
        }
    }
    Ok(())
}

/// Gives a fuzz crate the workspace's versions, so that what is fuzzed is what is shipped. Cargo drops what the crate
/// does not use and adds what only it uses.
fn lock(folder: &Folder, source: &Path) -> Result<()> {
    let (of_workspace, own) = (folder.source("Cargo.lock"), source.join("Cargo.lock"));
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    if changed(&own).ok() < changed(&of_workspace).ok() {
        fs::copy(&of_workspace, &own).with_context(|| format!("write {}", own.display()))?;
    }
    Ok(())
}

/// cargo-fuzz as it is on the `PATH`, or else as it is installed in the target folder, now if it is not there yet.
fn cargo_fuzz(folder: &Folder) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("cargo-fuzz")).find(|path| path.is_file());
    if let Some(found) = found {
        return Ok(found);
    }
    let installed = folder.tools().join("bin/cargo-fuzz");
    if !installed.is_file() {
        println!("$ cargo install cargo-fuzz@{CARGO_FUZZ}");
        let root = folder.tools();
        let mut command = cargo::command();
        command.args(["install", "--quiet", "--locked", "--version", CARGO_FUZZ, "cargo-fuzz", "--root"]);
        if !command.arg(root).status().context("run cargo")?.success() {
            bail!("could not install cargo-fuzz");
        }
    }
    Ok(installed)
}

/// The triple of this machine, for which cargo-fuzz builds.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let told = Command::new(rustc).arg("-vV").stdin(Stdio::null()).output().context("run rustc")?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which machine it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_targets_beside_those_that_take_frames() {
        let seeds = [("tcp/dns".to_owned(), 3), ("sensor/decoder".to_owned(), 5)];
        let all = all(&seeds);
        assert_eq!(all.len(), OTHERS.len() + 1);
        let dns = all.last().unwrap();
        assert_eq!((dns.candidate(), dns.seeds), (Some("tcp/dns"), 3));
        let decoder = all.iter().find(|target| target.is_called("decoder")).unwrap();
        assert_eq!((decoder.candidate(), decoder.seeds), (None, 5));
        assert!(dns.is_called("tcp") && dns.is_called("dns") && dns.is_called("tcp/dns"));
        assert!(!dns.is_called("dn"));
    }
}
