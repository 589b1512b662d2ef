//! The engine: a server that is started, asked whether it is ready, and stopped.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::config::{Config, user};
use crate::error::{Attempted, Error, Result};
use crate::http::Endpoint;
use crate::process::{Owned, free_ports};
use crate::record::{self, Record};
use crate::serve::{LIFETIME, Runner};
use crate::source::Source;

/// How long a server is given to say who it is, each time it is asked.
const PROBE: Duration = Duration::from_secs(1);
/// How long a server is given to take the statement that stops it.
const ANSWER: Duration = Duration::from_secs(5);
/// How long an orderly stop may take before the server is killed.
const STOP: Duration = Duration::from_secs(20);
/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(25);
/// How often a start is tried when somebody takes the ports in between.
const ATTEMPTS: usize = 5;
/// How much of what the process printed goes into an error.
const LOG_TAIL: usize = 2000;

/// How an engine is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; made if it is not there, for its owner only.
    pub data: PathBuf,
    /// What to run; `None` looks for it ([`Source::find`]).
    pub source: Option<Source>,
    /// The cache folder in which the library is looked for.
    pub cache: Cache,
    /// The port of the HTTP interface; `None` takes a free one.
    pub http_port: Option<u16>,
    /// The port of the native interface; `None` takes a free one.
    pub tcp_port: Option<u16>,
    /// The password of the user `wardwatch`; with `None` there is the user `default` instead, without a password,
    /// for everyone on this machine.
    pub password: Option<String>,
    /// A program that calls [`serve_if_asked`](crate::serve_if_asked); `None` looks for one ([`Runner::find`]).
    pub program: Option<PathBuf>,
    /// How long the server may take until it answers. Loading many parts takes time.
    pub ready_within: Duration,
}

impl Options {
    /// An engine on a data directory, with everything else as it is usually wanted.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            source: None,
            cache: Cache::default(),
            http_port: None,
            tcp_port: None,
            password: None,
            program: None,
            ready_within: Duration::from_mins(2),
        }
    }
}

/// Where the engine of a data directory answers, as [`Engine::find_running`] found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The address of the HTTP interface: `http://127.0.0.1:<port>`.
    pub url: String,
    /// The port of the native interface, on 127.0.0.1.
    pub tcp_port: u16,
    /// The user to ask as.
    pub user: String,
    /// The user's password, if it has one.
    pub password: Option<String>,
    /// The engine's process.
    pub pid: u32,
    /// The process that started it.
    pub owner: u32,
}

/// A running server; dropping it kills the server.
#[derive(Debug)]
pub struct Engine {
    process: Owned,
    data: PathBuf,
    record: Record,
    source: Source,
}

impl Engine {
    /// Starts a server and returns once it answers.
    ///
    /// Blocks; an asynchronous caller starts it on a blocking thread. The server does not die with that thread.
    ///
    /// # Errors
    /// [`Error::NothingToRun`], [`Error::NoProgram`], [`Error::Locked`], [`Error::Ended`], [`Error::NotReady`] and
    /// [`Error::Io`].
    pub fn start(options: &Options) -> Result<Self> {
        let source = options.source.clone().map_or_else(|| Source::find(&options.cache), Ok)?;
        let runner = Runner::find(options.program.as_deref())?;
        let data = prepare(&options.data)?;
        let chosen = options.http_port.is_some() || options.tcp_port.is_some();
        let mut attempt = 1;
        loop {
            match Self::try_start(options, &source, &runner, &data) {
                Err(Error::Ended { log, .. })
                    if !chosen && attempt < ATTEMPTS && log.contains("Address already in use") =>
                {
                    attempt += 1;
                }
                started => return started,
            }
        }
    }

    fn try_start(options: &Options, source: &Source, runner: &Runner, data: &Path) -> Result<Self> {
        let lock = record::lock(data)?;
        Record::remove(data)?;
        let [http_port, tcp_port] = free_ports().attempted(|| "find free ports on 127.0.0.1".to_owned())?;
        let http_port = options.http_port.unwrap_or(http_port);
        let tcp_port = options.tcp_port.unwrap_or(tcp_port);
        let instance = uuid::Uuid::new_v4().to_string();
        let password = options.password.as_deref();
        let config = Config { data, http_port, tcp_port, instance: &instance, password };
        write(&data.join("config.xml"), &config.server())?;
        write(&data.join("users.xml"), &config.users())?;

        let log = data.join("engine.log");
        let printed = record::private(&log).attempted(|| format!("open {}", log.display()))?;
        let errors = printed.try_clone().attempted(|| format!("open {}", log.display()))?;
        let mut command = source.command(runner, data);
        // The child gets the lock as its standard input and keeps it: held as long as it lives.
        command.stdin(lock).stdout(printed).stderr(Stdio::from(errors)).current_dir(data);
        // The library takes the time zone from here, not from the configuration.
        command.env("TZ", "UTC");
        let process =
            Owned::spawn(command).attempted(|| format!("start the engine on {}", data.display()))?;

        let endpoint = Endpoint { port: http_port, password };
        let record = Record {
            pid: process.id(),
            owner: process::id(),
            url: endpoint.url(),
            http_port,
            tcp_port,
            instance,
            password: options.password.clone(),
        };
        let mut engine = Self { process, data: data.to_owned(), record, source: source.clone() };
        engine.wait_until_ready(options.ready_within)?;
        engine.record.write(data)?;
        Ok(engine)
    }

    fn wait_until_ready(&mut self, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if is_ready(&self.record) {
                return Ok(());
            }
            let data = || self.data.clone();
            let ended = self.process.ended().attempted(|| "wait for the engine's process".to_owned())?;
            if let Some(status) = ended {
                let status = if status.success() { "by itself".to_owned() } else { status.to_string() };
                return Err(Error::Ended { data: data(), status, log: self.printed() });
            }
            if Instant::now() >= deadline {
                return Err(Error::NotReady { data: data(), within, log: self.printed() });
            }
            thread::sleep(POLL);
        }
    }

    /// The last lines that the engine's process printed.
    fn printed(&self) -> String {
        let mut text = Vec::new();
        // What cannot be read is missing from an error that says more than this.
        let _ = fs::File::open(self.data.join("engine.log"))
            .and_then(|file| file.take(1 << 20).read_to_end(&mut text));
        let tail = text.get(text.len().saturating_sub(LOG_TAIL)..).unwrap_or_default();
        let tail = String::from_utf8_lossy(tail).trim().to_owned();
        if tail.is_empty() { format!("see {}", self.data.join("clickhouse.log").display()) } else { tail }
    }

    /// The address of the HTTP interface: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.record.url
    }

    /// The user to ask as: `default` without a password, `wardwatch` with the one of the options.
    pub fn user(&self) -> &str {
        user(self.record.password.as_deref())
    }

    /// The port of the native interface, on 127.0.0.1, for `clickhouse client`.
    pub fn tcp_port(&self) -> u16 {
        self.record.tcp_port
    }

    /// The engine's process.
    pub fn pid(&self) -> u32 {
        self.record.pid
    }

    /// What runs.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The data directory, made absolute.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Whether the process is there; it may end by itself when the machine runs out of memory.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.process.ended(), Ok(None))
    }

    /// Stops the server in order; kills it if that takes longer than 20 seconds.
    ///
    /// # Errors
    /// [`Error::Io`] when the process could be neither waited for nor killed. The server is gone in every other case.
    pub fn stop(mut self) -> Result<()> {
        let endpoint = endpoint(&self.record);
        let asked = match &self.source {
            // A server that does not take the statement is killed below.
            Source::Library(_) => endpoint
                .query(&format!("KILL QUERY WHERE Settings['log_comment'] = '{LIFETIME}' ASYNC"), ANSWER)
                .is_ok(),
            Source::Program(_) => self.process.terminate().is_ok(),
        };
        let waited = || format!("wait for the engine on {} to end", self.data.display());
        if !asked || self.process.wait(STOP).attempted(waited)?.is_none() {
            self.process.kill().attempted(|| format!("kill the engine on {}", self.data.display()))?;
        }
        Record::remove(&self.data)
    }

    /// Kills the server, as a crash of it would.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn kill(mut self) -> Result<()> {
        self.process.kill().attempted(|| format!("kill the engine on {}", self.data.display()))?;
        Ok(())
    }

    /// Finds the engine that runs on a data directory, whichever process started it.
    ///
    /// The record of an engine that is gone is not taken for one that runs: its lock must be held and the server at
    /// its port must be the one that the record names.
    pub fn find_running(data: &Path) -> Option<Running> {
        if !record::is_held(data) {
            return None;
        }
        let record = Record::read(data)?;
        is_ready(&record).then_some(Running {
            url: record.url,
            tcp_port: record.tcp_port,
            user: user(record.password.as_deref()).to_owned(),
            password: record.password,
            pid: record.pid,
            owner: record.owner,
        })
    }
}

fn endpoint(record: &Record) -> Endpoint<'_> {
    Endpoint { port: record.http_port, password: record.password.as_deref() }
}

/// Whether the server at the record's port answers and is the one that the record names.
fn is_ready(record: &Record) -> bool {
    let answer = endpoint(record).query("SELECT getMacro('engine')", PROBE);
    answer.is_ok_and(|instance| instance == record.instance)
}

/// Makes the data directory, for its owner only: it tells who is in the building.
fn prepare(data: &Path) -> Result<PathBuf> {
    let made = || -> std::io::Result<PathBuf> {
        let new = !data.exists();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        if new {
            fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
        }
        fs::canonicalize(data)
    };
    made().attempted(|| format!("make the data directory {}", data.display()))
}

fn write(path: &Path, content: &str) -> Result<()> {
    use std::io::Write as _;
    record::private(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .attempted(|| format!("write {}", path.display()))
}
