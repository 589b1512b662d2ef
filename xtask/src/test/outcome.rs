//! What the test programs said, added up.

use std::collections::BTreeMap;
use std::fmt;

/// The sum over all test programs; printed as "N passed, N failed, N skipped".
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Passed by the harness's count, which takes a test that skipped itself for passed.
    harness_passed: usize,
    failed: usize,
    /// Test programs that ended without their result line, as the line that says so.
    crashed: Vec<String>,
    /// Result lines that said FAILED.
    failed_programs: usize,
    /// Programs that failed, as cargo names them for a rerun.
    reruns: Vec<String>,
    /// Tests that skipped themselves, by name, with the reason.
    skipped_themselves: BTreeMap<String, String>,
    /// Tests marked `#[ignore]`, with the reason.
    ignored: Vec<String>,
}

impl Outcome {
    /// Reads one line of cargo's or the harness's output.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(result) = line.strip_prefix("test result: ") {
            self.harness_passed += count(result, "passed");
            self.failed += count(result, "failed");
            self.failed_programs += usize::from(result.starts_with("FAILED"));
        } else if let Some((name, ignored)) =
            line.strip_prefix("test ").and_then(|test| test.split_once(" ... ignored"))
        {
            self.ignored
                .push(format!("{name}: {}", ignored.strip_prefix(", ").unwrap_or("marked as ignored")));
        } else if let Some((_, rerun)) = line.split_once("failed, to rerun pass ") {
            self.reruns.push(rerun.trim_matches('`').to_owned());
        } else if line.contains("process didn't exit successfully") && line.contains("signal: ") {
            self.crashed.push(line.trim().to_owned());
        }
    }

    /// Takes the tests that skipped themselves: lines of `<crate>::<test>: <reason>`.
    pub(crate) fn skip(&mut self, lines: &str) {
        for line in lines.lines() {
            let (name, reason) = line.split_once(": ").unwrap_or((line, "no reason given"));
            self.skipped_themselves.insert(name.to_owned(), reason.to_owned());
        }
    }

    /// Makes sure that a run that failed counts a failure: what did not build or crashed has no result line.
    pub(crate) fn require_failure(&mut self) {
        self.failed += self.reruns.len().saturating_sub(self.failed_programs);
        self.failed = self.failed.max(1);
    }

    /// Whether a test failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Every test that did not run, with the reason.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = String> {
        let themselves = self.skipped_themselves.iter().map(|(name, reason)| format!("{name}: {reason}"));
        themselves.chain(self.ignored.iter().cloned())
    }

    /// Every test program that a signal ended.
    pub(crate) fn crashed(&self) -> impl Iterator<Item = &str> {
        self.crashed.iter().map(String::as_str)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.harness_passed.saturating_sub(self.skipped_themselves.len());
        let skipped = self.skipped_themselves.len() + self.ignored.len();
        write!(formatter, "{passed} passed, {} failed, {skipped} skipped", self.failed)
    }
}

/// The number before a word in "ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out".
fn count(result: &str, word: &str) -> usize {
    let words: Vec<&str> = result.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
    let number = words.windows(2).find(|pair| pair.last() == Some(&word)).and_then(|pair| pair.first());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(output: &str) -> Outcome {
        let mut outcome = Outcome::default();
        output.lines().for_each(|line| outcome.read(line));
        outcome
    }

    #[test]
    fn test_programs_are_added_up() {
        let outcome = outcome(
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.01s
             \ntest result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 5.18s
error: test failed, to rerun pass `-p wardwatch-engine --test server`",
        );
        assert_eq!(outcome.to_string(), "9 passed, 2 failed, 0 skipped");
    }

    #[test]
    fn a_test_that_skipped_itself_has_not_passed() {
        let mut outcome = outcome(
            "test needs_root ... ok
test slow ... ignored, takes an hour
test other ... ignored
test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        // Written twice when a test asks twice.
        outcome.skip("a-crate::needs_root: needs root\na-crate::needs_root: needs root\n");
        assert_eq!(outcome.to_string(), "2 passed, 0 failed, 3 skipped");
        assert_eq!(
            outcome.skipped().collect::<Vec<_>>(),
            ["a-crate::needs_root: needs root", "slow: takes an hour", "other: marked as ignored"]
        );
    }

    #[test]
    fn a_program_that_crashed_is_a_failure_besides_those_counted() {
        let mut outcome = outcome(
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 5.18s
error: test failed, to rerun pass `-p one --lib`
error: test failed, to rerun pass `-p two --lib`
  process didn't exit successfully: `two` (signal: 6, SIGABRT: process abort signal)",
        );
        outcome.require_failure();
        assert_eq!(outcome.to_string(), "4 passed, 3 failed, 0 skipped");
        assert_eq!(outcome.crashed().count(), 1);
    }

    #[test]
    fn what_did_not_build_is_a_failure() {
        let mut outcome = outcome("error: could not compile `one` (lib) due to 1 previous error");
        outcome.require_failure();
        assert_eq!(outcome.to_string(), "0 passed, 1 failed, 0 skipped");
        assert!(outcome.has_failed());
    }
}
