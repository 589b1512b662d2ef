//! What libFuzzer says of a run, and the table of all runs.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::target::Target;

/// One target's run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Measured {
    /// Inputs that were executed, the corpus among them.
    executions: u64,
    /// Blocks and edges of code that were reached.
    coverage: u64,
    /// What libFuzzer tells apart: edges, by how often they were passed.
    features: u64,
    elapsed: Duration,
    /// The input that should not do what it does.
    pub(super) finding: Option<PathBuf>,
}

impl Measured {
    /// Reads what was printed.
    pub(super) fn read(printed: &str, elapsed: Duration) -> Self {
        let mut measured = Self { elapsed, ..Self::default() };
        for line in printed.lines() {
            if let Some(executed) = line.strip_prefix("stat::number_of_executed_units:") {
                measured.executions = executed.trim().parse().unwrap_or(0);
            } else if line.starts_with('#') {
                measured.coverage = behind(line, "cov:").unwrap_or(measured.coverage);
                measured.features = behind(line, "ft:").unwrap_or(measured.features);
            }
        }
        measured
    }

    fn per_second(&self) -> u64 {
        self.executions * 1000 / (self.elapsed.as_millis() as u64).max(1)
    }
}

/// The number behind a word in a line of libFuzzer's: `#65536 pulse  cov: 812 ft: 3021 corp: 190/41Kb`.
fn behind(line: &str, word: &str) -> Option<u64> {
    let mut words = line.split_whitespace();
    words.find(|found| *found == word)?;
    words.next()?.parse().ok()
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, coverage, features, elapsed, finding } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{executions} executions in {seconds:.1} s, cov {coverage}, features {features}")?;
        match finding {
            Some(finding) => write!(f, ", FOUND {}", finding.display()),
            None => Ok(()),
        }
    }
}

/// Prints a row for each target and one for all, and the findings.
pub(super) fn print(targets: &[Target], measured: &[Measured]) {
    let width = targets.iter().map(|target| target.name.len()).max().unwrap_or(0).max("target".len());
    let head = ["seeds", "executions", "cov", "features", "exec/s", "findings"];
    println!("{:<width$}{}", "target", row(head));
    let mut sum = Measured::default();
    for (target, measured) in targets.iter().zip(measured) {
        println!("{:<width$}{}", target.name, cells(target.seeds, measured, measured.finding.iter().count()));
        sum.executions += measured.executions;
        sum.coverage += measured.coverage;
        sum.features += measured.features;
        sum.elapsed += measured.elapsed;
    }
    let seeds = targets.iter().map(|target| target.seeds).sum();
    let findings: Vec<_> = measured.iter().filter_map(|measured| measured.finding.as_ref()).collect();
    println!("{:<width$}{}", "all", cells(seeds, &sum, findings.len()));
    for finding in findings {
        println!("found {}", finding.display());
    }
}

fn cells(seeds: usize, measured: &Measured, findings: usize) -> String {
    let Measured { executions, coverage, features, .. } = measured;
    let figures = [seeds as u64, *executions, *coverage, *features, measured.per_second(), findings as u64];
    let figures = figures.map(|figure| figure.to_string());
    row(figures.each_ref().map(String::as_str))
}

fn row(cells: [&str; 6]) -> String {
    cells.map(|cell| format!("{cell:>12}")).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_last_line() {
        let printed = "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                       #1024\tDONE   cov: 812 ft: 3021 corp: 190/41Kb lim: 4096 exec/s: 512 rss: 44Mb\n\
                       Done 1024 runs in 2 second(s)\n\
                       stat::number_of_executed_units: 1024\n";
        let read = Measured::read(printed, Duration::from_secs(2));
        assert_eq!((read.executions, read.coverage, read.features), (1024, 812, 3021));
        assert_eq!(read.per_second(), 512);
    }
}
