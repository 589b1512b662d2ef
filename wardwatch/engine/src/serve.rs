//! Both sides of the engine's child process: the command that starts it, and what it does.
//!
//! A program that calls [`serve_if_asked`] first thing in `main` can become the child:
//!
//! ```text
//! <program> engine-serve <process id of the parent> library <libchdb.so> <data directory>
//! <program> engine-serve <process id of the parent> exec <program> [<argument>...]
//! ```
//!
//! In both forms it first asks the kernel to be killed when its parent dies; that outlasts the `exec`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::error::{Error, Result};
use crate::library;

const SUBCOMMAND: &str = "engine-serve";
/// The comment by which [`Engine::stop`](crate::Engine::stop) finds the statement that keeps the library's server alive.
pub(crate) const LIFETIME: &str = "wardwatch-engine";

/// Set once this program has called [`serve_if_asked`]: then it can be started again as the engine's process.
static SERVES: AtomicBool = AtomicBool::new(false);

/// Becomes the engine's process if the command line says so, and then does not return.
///
/// Call it at the top of `main`, before any thread is started: the child is a whole server, and the program that
/// embeds it needs none of its own start-up there.
pub fn serve_if_asked() {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != SUBCOMMAND) {
        SERVES.store(true, Ordering::Relaxed);
        return;
    }
    let failure = serve(&arguments.collect::<Vec<_>>()).err();
    if let Some(failure) = &failure {
        // Nobody is left to tell when this cannot be written.
        let _ = writeln!(io::stderr(), "{SUBCOMMAND}: {failure}");
    }
    exit(i32::from(failure.is_some()));
}

fn serve(arguments: &[OsString]) -> Result<(), String> {
    let [parent, form, rest @ ..] = arguments else {
        return Err("expected a process id and what to run".to_owned());
    };
    let parent =
        parent.to_str().and_then(|text| text.parse().ok()).ok_or("the parent is not a process id")?;
    die_with_parent(parent).map_err(|error| format!("tie this process to process {parent}: {error}"))?;
    keep_standard_input().map_err(|error| format!("keep the lock: {error}"))?;
    match (form.to_str(), rest) {
        (Some("library"), [library, data]) => serve_library(Path::new(library), Path::new(data)),
        (Some("exec"), [program, arguments @ ..]) => {
            let error = Command::new(program).args(arguments).exec();
            Err(format!("run {}: {error}", program.display()))
        }
        _ => Err("expected `library <file> <data>` or `exec <program> [<argument>...]`".to_owned()),
    }
}

/// Asks the kernel to kill this process when the thread that started it ends, and checks that it has not already.
///
/// # Errors
/// The kernel's, or that the parent is gone.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    if now == Some(parent) { Ok(()) } else { Err(io::Error::other("it has already ended")) }
}

/// Moves standard input aside, open for as long as the process lives, and puts nothing in its place.
///
/// It is how the parent hands over the lock of the data directory; ClickHouse would take a file there for data.
fn keep_standard_input() -> io::Result<()> {
    // Inherited by an `exec`, unlike what the standard library opens; never closed.
    let _ = rustix::io::dup(rustix::stdio::stdin())?.into_raw_fd();
    Ok(rustix::stdio::dup2_stdin(File::open("/dev/null")?)?)
}

fn serve_library(library: &Path, data: &Path) -> Result<(), String> {
    let data = data.to_str().ok_or("the data directory's name is not UTF-8")?;
    // The server answers for as long as the foreground query runs, which is until it is killed.
    let statements = format!(
        "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(0.25) FROM system.numbers SETTINGS \
         max_block_size = 1, max_rows_to_read = 0, max_execution_time = 0, log_comment = '{LIFETIME}' FORMAT Null"
    );
    let arguments = [
        "clickhouse".to_owned(),
        format!("--config-file={data}/config.xml"),
        format!("--path={data}/server"),
        "--log-level=information".to_owned(),
        "--multiquery".to_owned(),
        format!("--query={statements}"),
    ];
    match library::run(library, &arguments) {
        // That is how an orderly stop looks from here.
        Err(message) if message.contains("QUERY_WAS_CANCELLED") => Ok(()),
        ended => ended,
    }
}

/// A program that calls [`serve_if_asked`].
#[derive(Debug, Clone)]
pub struct Runner(PathBuf);

impl Runner {
    /// Finds the program: `named`, else `WARDWATCH_ENGINE`, else this program if it serves, else the program
    /// `wardwatch-engine` beside it or one folder up, where cargo puts it for tests.
    ///
    /// # Errors
    /// [`Error::NoProgram`].
    pub fn find(named: Option<&Path>) -> Result<Self> {
        if let Some(program) =
            named.map(Path::to_owned).or_else(|| env::var_os("WARDWATCH_ENGINE").map(PathBuf::from))
        {
            return Ok(Self(program));
        }
        let this = env::current_exe().unwrap_or_default();
        if SERVES.load(Ordering::Relaxed) {
            return Ok(Self(this));
        }
        let beside = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-engine"));
        beside.into_iter().find(|program| program.is_file()).map(Self).ok_or(Error::NoProgram(this))
    }

    /// The program itself.
    pub fn program(&self) -> &Path {
        &self.0
    }

    /// A command that runs `program` in a process group of its own, tied to the life of this process. Start it with
    /// [`Owned::spawn`](crate::Owned::spawn).
    pub fn exec(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.form("exec");
        command.arg(program);
        command
    }

    /// A command that serves `data` with ClickHouse out of `library`.
    pub(crate) fn library(&self, library: &Path, data: &Path) -> Command {
        let mut command = self.form("library");
        command.arg(library).arg(data);
        command
    }

    fn form(&self, form: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.arg(SUBCOMMAND).arg(std::process::id().to_string()).arg(form).process_group(0);
        command
    }
}
