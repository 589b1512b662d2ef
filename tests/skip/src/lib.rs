//! Tests that cannot run here say so by name.
//!
//! ```no_run
//! // #[test]
//! fn captures_a_flow() {
//!     if let Some(reason) = wardwatch_skip::without_root().or(wardwatch_skip::without_programs(&["ip"])) {
//!         return wardwatch_skip::skip!("captures_a_flow", reason);
//!     }
//! }
//! ```
//!
//! A line goes to standard error for people, and to the file that `WARDWATCH_SKIPPED` names for the runner, which
//! counts the test as skipped.

#![forbid(unsafe_code)]

use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Says that a test is skipped, and why: `skip!("the_test", reason)`. The caller returns.
#[macro_export]
macro_rules! skip {
    ($test:expr, $reason:expr $(,)?) => {
        $crate::note(env!("CARGO_PKG_NAME"), $test, $reason)
    };
}

/// What [`skip!`] does, with the name of the package that the test is of.
///
/// # Panics
/// When the runner's file cannot be written: the test must not be counted as passed.
pub fn note(package: &str, test: &str, reason: impl Display) {
    let reason = reason.to_string().replace('\n', " ");
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
    if let Some(path) = env::var_os("WARDWATCH_SKIPPED") {
        // In one piece: tests of several processes write to it.
        let line = format!("{package}::{test}: {reason}\n");
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "write {}: {written:?}", Path::new(&path).display());
    }
}

/// The reason to skip where this is not root.
pub fn without_root() -> Option<String> {
    (!rustix::process::geteuid().is_root()).then(|| "needs root".to_owned())
}

/// The reason to skip where one of these programs is not there: not on the `PATH`, and not where administrators' programs
/// are.
pub fn without_programs(programs: &[&str]) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = || env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let is_there = |program: &&&str| folders().any(|folder| folder.join(program).is_file());
    programs.iter().find(|program| !is_there(program)).map(|program| format!("needs the program {program}"))
}
