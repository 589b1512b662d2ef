//! Tests that need root, or a program, skip by name.

use std::io::Write as _;

/// Says why a test cannot run here, if it cannot.
pub(super) fn unless_root_with(test: &str, programs: &[&str]) -> bool {
    let is_root = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_missing =
        |program: &&&str| !std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing = programs.iter().find(is_missing);
    let reason = match (is_root, missing) {
        (false, _) => "needs root".to_owned(),
        (true, Some(program)) => format!("needs the program {program}"),
        (true, None) => return false,
    };
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
    if let Some(list) = std::env::var_os("WARDWATCH_SKIPPED") {
        let line = format!("wardwatch-sensor::{test}: {reason}\n");
        let written = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(list)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "the list of skipped tests: {written:?}");
    }
    true
}
