//! The Python software that speaks for devices: pinned versions in an environment of their own in the cache.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use wardwatch_engine::cache::Cache;

/// A Python environment with the packages that the scripts need.
#[derive(Debug)]
pub(super) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Sees that the environment of this name is there and has exactly the versions that `requirements` pins.
    pub(super) fn prepare(requirements: &Path, name: &str) -> Result<Self> {
        let wanted =
            fs::read_to_string(requirements).with_context(|| format!("read {}", requirements.display()))?;
        let folder = Cache::default().folder().join(format!("lab-python-{name}"));
        let python = Self { folder };
        // Written last: what is there without it was cut short.
        let installed = python.folder.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(python);
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&python.folder))?;
        run(Command::new(python.program())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements))?;
        fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))?;
        Ok(python)
    }

    fn program(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// The words of a command, where a first word that ends in `.py` is a script in the first of these folders that has
    /// it.
    pub(super) fn resolve(&self, words: &[String], folders: &[&Path]) -> Result<Vec<OsString>> {
        let mut resolved = Vec::new();
        let mut words = words.iter();
        if let Some(first) = words.next() {
            if Path::new(first).extension().is_some_and(|extension| extension == "py") {
                let script = folders.iter().map(|folder| folder.join(first)).find(|script| script.is_file());
                let script = script.with_context(|| format!("no script {first}"))?;
                // Without `-B` it would write its cache beside the scripts.
                resolved.extend([self.program().into(), "-B".into(), script.into()]);
            } else {
                resolved.push(first.into());
            }
        }
        resolved.extend(words.map(OsString::from));
        Ok(resolved)
    }
}

fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {shown}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown}: {}", said.trim());
    Ok(())
}
