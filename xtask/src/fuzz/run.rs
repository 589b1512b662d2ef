//! One target's run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use super::measured::Measured;
use super::target::Target;
use super::{Limits, TIMEOUT};

/// Memory beyond which an input is a finding: far more than any target may need.
const MEMORY: &str = "-rss_limit_mb=1024";

/// Runs it to its end or to the first finding.
pub(super) fn run(folder: &Folder, target: &Target, limits: Limits) -> Result<Measured> {
    let log = folder.log(&target.name)?;
    let file = File::create(&log).with_context(|| format!("write {}", log.display()))?;
    // The fuzzer puts names behind it as it stands.
    let findings = format!("-artifact_prefix={}/", folder.findings(&target.name)?.display());

    let mut command = program(folder, target)?;
    command.arg(folder.corpus(&target.name)?).arg(findings).args([TIMEOUT, MEMORY, "-print_final_stats=1"]);
    command.arg(format!("-runs={}", limits.executions)).arg(format!("-max_len={}", target.program.longest));
    command.args(limits.seconds.map(|seconds| format!("-max_total_time={seconds}")));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let started = Instant::now();
    let status = command.status().with_context(|| format!("run {}", command.get_program().display()))?;
    let elapsed = started.elapsed();

    let printed = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    let printed = String::from_utf8_lossy(&printed);
    let mut measured = Measured::read(&printed, elapsed);
    if !status.success() {
        let Some(finding) = finding(&printed) else {
            bail!("{} ended without a finding, {status}: see {}", target.name, log.display());
        };
        tell(folder, target, &finding, &log)?;
        measured.finding = Some(finding);
    }
    Ok(measured)
}

fn program(folder: &Folder, target: &Target) -> Result<Command> {
    let mut command = Command::new(target.program.path(folder)?);
    command.envs(target.candidate().map(|candidate| ("WARDWATCH_FUZZ_CANDIDATE", candidate)));
    Ok(command)
}

/// The input that the fuzzer wrote down last.
fn finding(printed: &str) -> Option<PathBuf> {
    let written = printed.lines().rev().find_map(|line| line.split_once("Test unit written to "));
    written.map(|(_, path)| PathBuf::from(path.trim()))
}

/// Says what was found, and how to see it again.
fn tell(folder: &Folder, target: &Target, finding: &Path, log: &Path) -> Result<()> {
    let candidate = target.candidate().map(|name| format!("WARDWATCH_FUZZ_CANDIDATE={name} "));
    let program = target.program.path(folder)?;
    eprintln!("{}: found {}", target.name, finding.display());
    eprintln!("  again: {}{} {}", candidate.unwrap_or_default(), program.display(), finding.display());
    eprintln!("  log: {}", log.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finding_is_the_input_written_down_last() {
        let printed = "artifact_prefix='/f/'; Test unit written to /f/slow-unit-1\n\
                       ==7== ERROR: libFuzzer: deadly signal\n\
                       artifact_prefix='/f/'; Test unit written to /f/crash-2\nBase64: AA==\n";
        assert_eq!(finding(printed), Some(PathBuf::from("/f/crash-2")));
        assert_eq!(finding("Done 10 runs in 1 second(s)\n"), None);
    }
}
