//! Tests that cannot run here say so by name; what they need is asked for in one line.
//!
//! ```no_run
//! # use wardwatch_tests::skip;
//! // #[test]
//! fn captures_a_flow() {
//!     if skip::unless_root("captures_a_flow") {
//!         return;
//!     }
//! }
//! ```
//!
//! How it is said stands in `wardwatch_skip`.

use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wardwatch_engine::Source;
use wardwatch_engine::cache::Cache;

use crate::kafka;

/// Says that `test` is skipped and why. The caller returns.
///
/// # Panics
/// When the runner's file cannot be written: the test must not be counted as passed.
pub fn skip(test: &str, reason: impl Display) {
    wardwatch_skip::skip!(test, reason);
}

/// Skips `test` when there is a reason.
fn when(reason: Option<String>, test: &str) -> bool {
    let Some(reason) = reason else { return false };
    skip(test, reason);
    true
}

/// True, and `test` is skipped, when this is not root.
pub fn unless_root(test: &str) -> bool {
    when(wardwatch_skip::without_root(), test)
}

/// True, and `test` is skipped, when a program is not there.
pub fn unless_program(test: &str, program: &str) -> bool {
    when(wardwatch_skip::without_programs(&[program]), test)
}

/// True, and `test` is skipped, when there is no Java that runs Apache Kafka 4 (17 or later).
pub fn unless_java(test: &str) -> bool {
    when(no_java(), test)
}

/// True, and `test` is skipped, when Apache Kafka cannot be started here.
pub fn unless_kafka(test: &str) -> bool {
    when(no_kafka(), test)
}

/// True, and `test` is skipped, when ClickHouse cannot be started here.
pub fn unless_clickhouse(test: &str) -> bool {
    when(no_clickhouse(), test)
}

fn no_java() -> Option<String> {
    let version = Command::new("java").arg("-version").stdin(Stdio::null()).output();
    // openjdk version "17.0.15" 2025-04-15
    let major = version.ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.split('"').nth(1)?.split('.').next()?.parse::<u32>().ok()
    });
    (major < Some(17)).then(|| "needs Java 17 or later".to_owned())
}

/// Why Apache Kafka cannot be started here, if it cannot.
pub fn no_kafka() -> Option<String> {
    let fetched = kafka::libraries().is_dir();
    no_java().or_else(|| (!fetched).then(|| "needs Apache Kafka: `cargo xtask fetch kafka`".to_owned()))
}

/// Why ClickHouse cannot be started here, if it cannot.
pub fn no_clickhouse() -> Option<String> {
    Source::find(&Cache::default()).err().map(|missing| missing.to_string())
}

/// The folder of recorded traffic and expectations, `WARDWATCH_TEST_DATA` or `../shared`; `None`, and `test` is
/// skipped, when it is not there.
pub fn unless_test_data(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = env::var_os("WARDWATCH_TEST_DATA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    skip(
        test,
        format!("needs recorded traffic in {}; WARDWATCH_TEST_DATA names another folder", folder.display()),
    );
    None
}
