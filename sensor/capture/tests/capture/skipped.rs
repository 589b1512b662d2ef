//! Tests that cannot run here say so, where people and the test runner see it.

use std::fs::OpenOptions;
use std::io::Write;

/// Says that a test did not run, and why.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn skipped(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(list) = std::env::var_os("WARDWATCH_SKIPPED") {
        let mut list =
            OpenOptions::new().create(true).append(true).open(list).expect("the list of skipped tests opens");
        writeln!(list, "wardwatch-capture::{test}: {reason}")
            .expect("the list of skipped tests takes a line");
    }
}
