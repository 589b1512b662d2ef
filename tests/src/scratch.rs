//! Folders for the data of engines: removed with the engine, or else by the next test program.
//!
//! An engine that is shared by all tests of a program lives as long as the program does, so that nobody is left to
//! remove its data. The folder's name tells which process it belongs to, and whoever makes the next folder removes
//! those of processes that are gone.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::{Context, Result};

const PREFIX: &str = "wardwatch-test";

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder whose name tells what it is for.
    pub(crate) fn new(what: &str) -> Result<Self> {
        let parent = env::temp_dir();
        sweep(&parent);
        let id = uuid::Uuid::new_v4().simple();
        let folder = parent.join(format!("{PREFIX}-{}-{what}-{id}", process::id()));
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next sweep.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the folders of processes that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_prefix('-')?.split('-').next());
        let Some(owner) = owner.and_then(|owner| owner.parse::<u32>().ok()) else { continue };
        if !Path::new(&format!("/proc/{owner}")).exists() {
            // Another sweep may be at it, and the folder may be somebody else's.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_processes_that_are_gone_are_removed() {
        let mine = Scratch::new("mine").unwrap();
        let mut gone = process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let left = env::temp_dir().join(format!("{PREFIX}-{}-left-behind", gone.id()));
        fs::create_dir(&left).unwrap();
        let other = Scratch::new("other").unwrap();
        assert!(!left.exists());
        assert!(mine.path().is_dir() && other.path().is_dir());
        let path = other.path().to_owned();
        drop(other);
        assert!(!path.exists());
    }
}
