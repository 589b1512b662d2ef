//! The processes that are killed: `subject` with its fail points armed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::{env, os::unix::process::ExitStatusExt as _};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use wardwatch_engine::{Owned, Runner};

/// How often each point was passed, as far as the ledger of one process tells: exactly where it fired, else the highest power
/// of two.
pub type Hits = BTreeMap<String, u64>;

/// What one process did at its points.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Passed {
    /// See [`Hits`].
    pub hits: Hits,
    /// What fired: `enricher.plan-after@3=kill`, in order.
    pub fired: Vec<String>,
}

/// A process of the suite. Dropping it kills it.
#[derive(Debug)]
pub struct Subject {
    process: Owned,
    log: PathBuf,
    ledger: PathBuf,
}

/// Where `subject` is, built with its fail points armed: where `WARDWATCH_SUBJECT` says, else where cargo builds it.
///
/// Cargo builds it beside a test only where the feature is on, so it is asked to here; where it has just been built it finds
/// nothing to do.
pub fn program() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow!("{error}"))
}

fn build() -> Result<PathBuf> {
    if let Some(built) = env::var_os("WARDWATCH_SUBJECT") {
        return Ok(built.into());
    }
    let this = env::current_exe().context("find this program")?;
    // <target folder>/<profile>/<program>, or in deps below that.
    let profile = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .context("find the target folder")?;
    let target = profile.parent().context("find the target folder")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--offline",
        "--package",
        "wardwatch-fault-suite",
        "--features",
        "armed",
    ]);
    cargo.args(["--bin", "subject", "--target-dir"]).arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo tells a test about its package would make some build scripts (ring's) run again, now and ever after.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if !["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "CARGO_BUILD_JOBS"]
            .iter()
            .any(|kept| name == *kept)
        {
            cargo.env_remove(name);
        }
    }
    let output = cargo.stdin(Stdio::null()).output().context("run cargo")?;
    ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    Ok(profile.join("subject"))
}

impl Subject {
    /// Starts a service. What it says goes to `<folder>/<name>.log`, what it does at its points to `<folder>/<name>.points`.
    pub fn start(
        service: &str,
        folder: &Path,
        name: &str,
        settings: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Result<Self> {
        let (log, ledger) = (folder.join(format!("{name}.log")), folder.join(format!("{name}.points")));
        let said = File::create(&log).with_context(|| format!("make {}", log.display()))?;
        let mut command = runner()?.exec(program()?);
        // The suite's own settings are not the service's.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WARDWATCH_")) {
            command.env_remove(name);
        }
        command.arg(service).env("NO_COLOR", "1").env("RUST_BACKTRACE", "1");
        command.env("WARDWATCH_FAULTS_LEDGER", &ledger).envs(settings);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let process = Owned::spawn(command).with_context(|| format!("start {name}"))?;
        Ok(Self { process, log, ledger })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.ended()?)
    }

    /// Whether it is stopped (SIGSTOP).
    pub fn is_stopped(&self) -> bool {
        let Ok(text) = fs::read_to_string(format!("/proc/{}/stat", self.process.id())) else { return false };
        // The name before the state stands in parentheses and may hold anything.
        text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Stops it where it is (SIGSTOP).
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    pub fn go_on(&mut self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&mut self) -> Result<()> {
        Ok(self.process.terminate()?)
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        // A child that has ended but was not waited for keeps its id, so that nobody else can be hit.
        if self.process.ended()?.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// What it has said.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// What it did at its points so far.
    pub fn passed(&self) -> Result<Passed> {
        let text = match fs::read_to_string(&self.ledger) {
            Ok(text) => text,
            // It has passed none yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("read {}", self.ledger.display())),
        };
        let mut passed = Passed::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let (point, number) = match fields[..] {
                [_, "hit", point, number] => (point, number),
                [_, "fired", point, number, action] => {
                    passed.fired.push(format!("{point}@{number}={action}"));
                    (point, number)
                }
                _ => anyhow::bail!("an odd line in {}: {line}", self.ledger.display()),
            };
            let highest = passed.hits.entry(point.to_owned()).or_default();
            *highest = (*highest).max(number.parse()?);
        }
        Ok(passed)
    }
}

/// Whether SIGKILL ended it.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

/// Whether SIGTERM ended it, and not the program itself in answer to that.
pub fn was_terminated(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::TERM.as_raw())
}

/// The program that processes are started by, so that none outlives this one.
fn runner() -> Result<Runner> {
    let this = env::current_exe().context("find this program")?;
    let ours = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-tests"));
    Ok(Runner::find(ours.into_iter().find(|program| program.is_file()).as_deref())?)
}

/// Tells builds of `subject` apart: when it was linked, and how large it is.
pub fn build_id() -> Result<String> {
    let about = fs::metadata(program()?).context("look at the program under test")?;
    let linked = about.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("{:x}-{:x}", linked.as_millis(), about.len()))
}
