//! Where fuzzing keeps its things: `fuzz` in the target folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo;

/// The places of programs, corpora, findings and logs.
pub(super) struct Folder {
    root: PathBuf,
    fuzz: PathBuf,
}

impl Folder {
    /// In the target folder of who runs us.
    pub(super) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the workspace")?;
        Ok(Self { root: root.to_owned(), fuzz: cargo::target_folder()?.join("fuzz") })
    }

    /// A place in the workspace.
    pub(super) fn source(&self, place: &str) -> PathBuf {
        self.root.join(place)
    }

    /// What cargo-fuzz builds in.
    pub(super) fn build(&self) -> PathBuf {
        self.fuzz.join("build")
    }

    /// Where cargo-fuzz is installed when the machine has none.
    pub(super) fn tools(&self) -> PathBuf {
        self.fuzz.join("tools")
    }

    /// Seeds and interesting inputs: a folder for each target.
    pub(super) fn corpora(&self) -> PathBuf {
        self.fuzz.join("corpus")
    }

    /// The corpus of a target, made if it is not there.
    pub(super) fn corpus(&self, target: &str) -> Result<PathBuf> {
        made(self.corpora().join(target))
    }

    /// Inputs that are findings; made if it is not there.
    pub(super) fn findings(&self, target: &str) -> Result<PathBuf> {
        made(self.fuzz.join("findings").join(target))
    }

    /// What the fuzzer printed in its last run.
    pub(super) fn log(&self, target: &str) -> Result<PathBuf> {
        Ok(made(self.fuzz.join("logs"))?.join(format!("{}.log", target.replace('/', "-"))))
    }
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}
