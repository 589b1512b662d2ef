//! Programs in namespaces: they end with their guard, and with the lab.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use super::scene::Port;

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A program to be started in a namespace.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) namespace: String,
    /// What it takes for the name of its machine, if not this machine's.
    pub(super) host_name: Option<String>,
    pub(super) words: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Where it runs.
    pub(super) folder: PathBuf,
    /// Where its standard output goes, if not into the log.
    pub(super) output: Option<PathBuf>,
    /// Where the rest of what it says goes.
    pub(super) log: PathBuf,
}

/// A running program; dropped, it is killed with all that it started.
#[derive(Debug)]
pub(super) struct Service {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Runs to the end.
    pub(super) fn run(self, within: Duration, exit: i32) -> Result<()> {
        let mut service = Service::start(self)?;
        let status = service.wait(within)?;
        let Some(status) = status else {
            bail!("did not end within {} s{}", within.as_secs(), service.last_words());
        };
        ensure!(status.code() == Some(exit), "ended with {status}{}", service.last_words());
        Ok(())
    }
}

impl Service {
    /// Starts a program.
    pub(super) fn start(program: Program) -> Result<Self> {
        let create = |path: &PathBuf| File::create(path).with_context(|| format!("write {}", path.display()));
        let errors = create(&program.log)?;
        let output = match &program.output {
            Some(path) => create(path)?,
            None => errors.try_clone().context("share the log")?,
        };
        // All of these become the program: the child is the program itself, and the kernel kills it when this thread
        // ends, however it ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "ip", "netns", "exec", &program.namespace]);
        if let Some(name) = &program.host_name {
            command.args(["unshare", "--uts", "sh", "-c", "hostname \"$0\" && exec \"$@\"", name]);
        }
        let child = command
            .args(&program.words)
            .envs(program.environment)
            .current_dir(&program.folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .context("run setpriv")?;
        Ok(Self { child, log: program.log })
    }

    /// The process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said, all of it.
    pub(super) fn said(&self) -> String {
        fs::read(&self.log).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default()
    }

    /// Waits until it listens.
    pub(super) fn wait_until_ready(&mut self, port: Port, within: Duration) -> Result<()> {
        self.wait_for("listen", within, |service| service.listens(port))
    }

    /// Waits until `done` says so. Fails when the program ends before that.
    pub(super) fn wait_for(
        &mut self,
        what: &str,
        within: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().context("wait for it")? {
                bail!("ended with {status}{}", self.last_words());
            }
            if done(self) {
                return Ok(());
            }
            ensure!(
                Instant::now() < end,
                "did not {what} within {} s{}",
                within.as_secs(),
                self.last_words()
            );
            thread::sleep(LOOK);
        }
    }

    /// True when a socket in the program's namespace listens on the port.
    fn listens(&self, port: Port) -> bool {
        // Columns: slot, local address as hex with the port after a colon, remote address, state.
        let (tables, port, state) = match port {
            Port::Tcp(port) => (["tcp", "tcp6"], port, Some("0A")),
            Port::Udp(port) => (["udp", "udp6"], port, None),
        };
        let wanted = format!(":{port:04X}");
        for table in tables {
            // A program that has just ended has no tables.
            let rows = fs::read_to_string(format!("/proc/{}/net/{table}", self.id())).unwrap_or_default();
            let listens = rows.lines().skip(1).any(|row| {
                let mut columns = row.split_whitespace().skip(1);
                columns.next().is_some_and(|local| local.ends_with(&wanted))
                    && state.is_none_or(|state| columns.nth(1) == Some(state))
            });
            if listens {
                return true;
            }
        }
        false
    }

    /// Asks it to end, and sees that it does.
    pub(super) fn stop(self) -> Result<()> {
        self.stop_by(Signal::TERM)
    }

    /// Asks it to end by a signal of the caller's choice, and sees that it does.
    pub(super) fn stop_by(mut self, signal: Signal) -> Result<()> {
        self.signal(signal);
        // One that does not listen is killed by the drop.
        self.wait(GRACE).map(|_| ())
    }

    /// Asks it to end and waits until it has done so in order.
    pub(super) fn finish(mut self, within: Duration) -> Result<()> {
        self.signal(Signal::TERM);
        let status = self.wait(within)?;
        let Some(status) = status else {
            bail!("did not stop within {} s{}", within.as_secs(), self.last_words());
        };
        ensure!(status.success(), "stopped with {status}{}", self.last_words());
        Ok(())
    }

    /// Waits for its end. `None` when the time is over.
    fn wait(&mut self, within: Duration) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().context("wait for it")? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(group, signal);
        }
    }

    /// The end of what it said, for an error.
    fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
        if last.is_empty() { String::new() } else { format!("; it said:\n  {}", last.join("\n  ")) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}
