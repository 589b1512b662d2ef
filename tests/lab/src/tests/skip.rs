//! Tests that need root, or a program, skip by name.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Skips `test` where this is not root, or one of the programs is not there.
pub(super) fn unless_root_with(test: &str, programs: &[&str]) -> bool {
    if !rustix::process::geteuid().is_root() {
        skip(test, "needs root");
        return true;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = || std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let is_there = |program: &&&str| folders().any(|folder| folder.join(Path::new(program)).is_file());
    let missing = programs.iter().find(|program| !is_there(program));
    if let Some(program) = missing {
        skip(test, &format!("needs the program {program}"));
    }
    missing.is_some()
}

/// Says that a test does not run here, and why.
pub(super) fn skip(test: &str, reason: &str) {
    let reason = reason.replace('\n', " ");
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
    if let Some(list) = std::env::var_os("WARDWATCH_SKIPPED") {
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .open(list)
            .and_then(|mut file| writeln!(file, "wardwatch-lab::{test}: {reason}"));
        assert!(written.is_ok(), "the list of skipped tests: {written:?}");
    }
}
