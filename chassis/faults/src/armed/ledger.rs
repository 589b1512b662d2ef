//! The file that tells which points were passed, whatever became of the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::process;

use super::schedule::Action;

/// Appends lines, each in one write: what the kernel has taken outlives the process.
#[derive(Debug)]
pub(super) struct Ledger {
    path: String,
    file: File,
}

impl Ledger {
    pub(super) fn open(path: &str) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn hit(&self, point: &str, number: u64) -> io::Result<()> {
        self.line(&format!("hit {point} {number}"))
    }

    pub(super) fn fired(&self, point: &str, number: u64, action: Action) -> io::Result<()> {
        self.line(&format!("fired {point} {number} {action}"))
    }

    fn line(&self, what: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{} {what}\n", process::id()).as_bytes())
    }
}
