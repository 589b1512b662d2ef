//! What a process does at its points, seen from outside: each test starts `passes_points` and hits it.

#![forbid(unsafe_code)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

/// What a process may take to do what is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

fn command(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passes-points"));
    command.env("WARDWATCH_FAULTS_LEDGER", folder.join("ledger")).env("REACHED_THE_END", folder.join("end"));
    command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, settings: &[(&str, &str)]) -> Output {
    command(folder, settings).output().unwrap()
}

/// The ledger without the process numbers.
fn ledger(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("ledger")).unwrap_or_default();
    text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn without_a_schedule_hits_are_counted_and_nothing_happens() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &[]).status.success());
    let ledger = ledger(folder.path());
    for point in ["collector.before-enqueue", "sensor.spool-before-sync", "enricher.insert-before:flows"] {
        let of: Vec<_> = ledger.iter().filter(|line| line.contains(point)).cloned().collect();
        assert_eq!(of, [1, 2, 4].map(|number| format!("hit {point} {number}")));
    }
    assert_eq!(fs::read_to_string(folder.path().join("end")).unwrap(), "");
}

#[test]
fn a_killed_process_has_told_where() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[("WARDWATCH_FAULTS", "enricher.insert-before:flows@3=kill")]);
    assert_eq!(output.status.signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(ledger(folder.path()).last().unwrap(), "fired enricher.insert-before:flows 3 kill");
    assert!(!folder.path().join("end").exists());
}

#[test]
fn a_stopped_process_goes_on_when_it_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        command(folder.path(), &[("WARDWATCH_FAULTS", "collector.before-enqueue@2=stop")]).spawn().unwrap();
    let stopped = until(|| state(&child) == Some('T'));
    let reached_the_end = folder.path().join("end").exists();
    kill_process(Pid::from_child(&child), Signal::CONT).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(stopped && !reached_the_end);
    assert!(ledger(folder.path()).contains(&"fired collector.before-enqueue 2 stop".to_owned()));
}

#[test]
fn a_stalled_process_takes_longer() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let stalls = "collector.before-enqueue@1=stall:300ms;sensor.spool-before-sync@1=stall:300ms";
    assert!(run(folder.path(), &[("WARDWATCH_FAULTS", stalls)]).status.success());
    assert!(begun.elapsed() >= Duration::from_millis(600));
}

#[test]
fn guards_are_switched_off_by_name() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &[("WARDWATCH_WITHOUT", "epoch,mark")]).status.success());
    assert_eq!(fs::read_to_string(folder.path().join("end")).unwrap(), "mark epoch");
}

#[test]
fn a_slip_of_the_pen_ends_the_process() {
    for (setting, said) in [
        (("WARDWATCH_FAULTS", "enricher.no-such-point@1=kill"), "there is no point"),
        (("WARDWATCH_FAULTS", "enricher.plan-after@1=explode"), "is not an action"),
        (("WARDWATCH_WITHOUT", "marks"), "names no guard"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), &[setting]);
        assert_eq!(output.status.code(), Some(2), "{setting:?}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(said), "{error}");
        assert!(!folder.path().join("end").exists());
    }
}

/// The state of a process as Linux has it: `R`, `S`, `T`, ...
fn state(child: &Child) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // The name before it stands in parentheses and may hold anything.
    text.rsplit_once(") ")?.1.chars().next()
}

fn until(mut reached: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if reached() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}
