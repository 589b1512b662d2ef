//! The services as programs, as an operator runs them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Instant;
use std::{env, thread};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Deserialize;
use wardwatch_engine::Owned;

use super::{LOOK, PATIENCE};
use crate::runner;
use crate::scratch::Scratch;

/// Every program that this project installs.
const PACKAGES: [&str; 5] =
    ["wardwatch-sensor", "wardwatch-collector", "wardwatch-enricher", "wardwatch-alerter", "wardwatch"];

/// Where a program is: `wardwatch-collector`.
///
/// Cargo builds the programs of a package with its own tests only, so it is asked to build these here; where
/// everything has just been built it finds nothing to do.
pub fn path(name: &str) -> Result<&'static Path> {
    static BUILT: OnceLock<Result<BTreeMap<String, PathBuf>, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let built = built.as_ref().map_err(|error| anyhow!("{error}"))?;
    built.get(name).map(PathBuf::as_path).with_context(|| format!("there is no program {name}"))
}

/// A line of `cargo build --message-format=json`, as far as it is of interest.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
}

fn build() -> Result<BTreeMap<String, PathBuf>> {
    let this = env::current_exe().context("find this program")?;
    // <target folder>/<profile>/deps/<test>
    let folder = this.ancestors().nth(2).context("find the target folder")?;
    let target = folder.parent().context("find the target folder")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "--bins", "--message-format=json-render-diagnostics"]);
    cargo.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    // What cargo tells a test about its package would make some build scripts (ring's) run again, now and ever after.
    let of_this_test = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in env::vars_os() {
        if of_this_test.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.stdin(Stdio::null()).output().context("run cargo")?;
    ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let built = lines.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok()?.executable);
    Ok(built.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path))).collect())
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit code among others.
    pub status: ExitStatus,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A program with its arguments, and no settings but those that are given here.
pub fn command(name: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(path(name)?);
    command.args(arguments);
    plain(&mut command);
    Ok(command)
}

/// Runs a program to its end.
pub fn run(mut command: Command) -> Result<Said> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {command:?}"))?;
    Ok(Said {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Leaves the test's own settings out, and colours.
fn plain(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WARDWATCH_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
}

/// A program that runs until it is told to stop; killed when this is dropped, and with the test at the latest.
#[derive(Debug)]
pub struct Running {
    name: String,
    process: Owned,
    scratch: Scratch,
}

impl Running {
    /// Starts a program with these settings, in the environment's form.
    pub fn start(
        name: &str,
        arguments: &[&str],
        settings: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Result<Self> {
        Self::launch(name, runner()?.exec(path(name)?), arguments, settings)
    }

    /// As [`Running::start`], by another program that becomes it: `setpriv --reuid=65534`.
    pub fn start_by(
        by: &[&str],
        name: &str,
        arguments: &[&str],
        settings: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Result<Self> {
        let (first, rest) = by.split_first().context("no program")?;
        let mut command = runner()?.exec(first);
        command.args(rest).arg(path(name)?);
        Self::launch(name, command, arguments, settings)
    }

    /// As [`Running::start`], for a program of another kind; the command ties it to the life of this process, as
    /// [`Runner::exec`](wardwatch_engine::Runner::exec) does.
    pub fn launch(
        name: &str,
        mut command: Command,
        arguments: &[&str],
        settings: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Result<Self> {
        let scratch = Scratch::new("program")?;
        plain(&mut command);
        command.args(arguments).envs(settings).stdin(Stdio::null());
        command.stdout(File::create(scratch.path().join("out"))?);
        command.stderr(File::create(scratch.path().join("err"))?);
        let process = Owned::spawn(command).with_context(|| format!("start {name}"))?;
        Ok(Self { name: name.to_owned(), process, scratch })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has said on standard error so far.
    pub fn log(&self) -> String {
        let said = fs::read(self.scratch.path().join("err")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Waits until a line of its log holds this text; gives the line.
    pub fn says(&mut self, text: &str) -> Result<String> {
        self.until(&format!("said {text:?}"), |running| {
            running.log().lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    /// Waits until it serves health, and gives where.
    pub fn health(&mut self) -> Result<SocketAddr> {
        let line = self.says("health is served")?;
        let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
        Ok(address.with_context(|| format!("no address in {line:?}"))?.parse()?)
    }

    /// Waits until every check of its health is ready.
    pub fn ready(&mut self) -> Result<SocketAddr> {
        let address = self.health()?;
        self.until("became ready", |_| {
            let (status, checks) = get(address, "/readyz").ok()?;
            // Without a check nothing has been looked at yet.
            (status == 200 && !checks.contains("\"checks\":{}")).then_some(address)
        })
    }

    /// Looks again and again until something is found; an error that says `what` was waited for when it never is.
    pub fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            let ended = self.process.ended()?;
            if let Some(found) = look(self) {
                return Ok(found);
            }
            if let Some(status) = ended {
                bail!("{} never {what} and ended with {status}: {}", self.name, self.log());
            }
            ensure!(begun.elapsed() < PATIENCE, "{} never {what}: {}", self.name, self.log());
            thread::sleep(LOOK);
        }
    }

    /// Waits until it has ended by itself; gives how, and its log.
    pub fn ended(mut self) -> Result<(ExitStatus, String)> {
        let status = self.process.wait(PATIENCE)?;
        let log = self.log();
        Ok((status.with_context(|| format!("{} did not end: {log}", self.name))?, log))
    }

    /// Asks it to stop (SIGTERM) and waits; gives how it ended, and its log.
    pub fn stop(mut self) -> Result<(ExitStatus, String)> {
        self.process.terminate()?;
        self.ended()
    }
}

/// The status and the body that an address answers a GET request with.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split_whitespace().nth(1).context("a status line")?;
    Ok((status.parse()?, body.to_owned()))
}
