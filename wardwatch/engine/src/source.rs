//! Where the server comes from: a `clickhouse` program on the `PATH`, else the library in the cache.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::serve::Runner;

/// The oldest `clickhouse` program that is started: the first long-term release with the functions that the
/// migrations use. Distributions still carry far older ones.
const OLDEST: (u32, u32) = (25, 8);

/// What an engine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A `clickhouse` program.
    Program(PathBuf),
    /// The library `libchdb.so`.
    Library(PathBuf),
}

impl Source {
    /// Looks for a server on this machine.
    ///
    /// # Errors
    /// [`Error::NothingToRun`], which says what was looked at and how to fetch the library.
    pub fn find(cache: &Cache) -> Result<Self> {
        Self::find_on(&env::var_os("PATH").unwrap_or_default(), cache)
    }

    fn find_on(path: &OsStr, cache: &Cache) -> Result<Self> {
        let programs =
            env::split_paths(path).map(|folder| folder.join("clickhouse")).filter(|file| file.is_file());
        let mut refused = Vec::new();
        for program in programs {
            match version(&program) {
                Some(version) if version >= OLDEST => return Ok(Self::Program(program)),
                Some((year, release)) => refused.push(format!(
                    "{} is version {year}.{release}, older than {}.{}",
                    program.display(),
                    OLDEST.0,
                    OLDEST.1
                )),
                None => refused.push(format!("{} does not tell its version", program.display())),
            }
        }
        let library = cache.clickhouse_library();
        if library.is_file() {
            return Ok(Self::Library(library));
        }
        if refused.is_empty() {
            refused.push("there is no `clickhouse` on the PATH".to_owned());
        }
        refused.push(format!("{} is not there", library.display()));
        Err(Error::NothingToRun { why: refused.join(", "), cache: cache.folder().to_owned() })
    }

    /// The command that serves `data`, whose configuration has been written.
    pub(crate) fn command(&self, runner: &Runner, data: &Path) -> Command {
        match self {
            Self::Library(library) => runner.library(library, data),
            Self::Program(program) => {
                let mut command = runner.exec(program);
                // Its watchdog would start the server as a grandchild, which is not ours to stop.
                command.env("CLICKHOUSE_WATCHDOG_ENABLE", "0");
                command.arg("server").arg(format!("--config-file={}/config.xml", data.display()));
                command
            }
        }
    }
}

/// Year and release of a `clickhouse` program.
fn version(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).args(["server", "--version"]).stdin(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads "ClickHouse server version 26.7.2.1 (official build)."
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (_, after) = text.split_once("version ")?;
    let mut numbers = after.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with a program `clickhouse` that says it is of a version.
    fn program(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("clickhouse");
        // Written by another process: while this one has it open for writing, a fork of another test would, too, and
        // the kernel runs no file that somebody writes.
        let script = format!("#!/bin/sh\necho 'ClickHouse server version {version} (official build).'\n");
        let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
        assert!(
            Command::new("sh").args(["-c", write, "sh", &script]).arg(&program).status().unwrap().success()
        );
        folder
    }

    #[test]
    fn a_recent_program_is_preferred_to_the_library() {
        let (old, new, cache) = (program("18.16.1"), program("26.7.2.1"), tempfile::tempdir().unwrap());
        let cache = Cache::at(cache.path());
        let path = env::join_paths([old.path(), new.path()]).unwrap();
        let library = cache.clickhouse_library();
        fs::create_dir_all(library.parent().unwrap()).unwrap();
        fs::write(&library, "").unwrap();
        assert_eq!(Source::find_on(&path, &cache).unwrap(), Source::Program(new.path().join("clickhouse")));
        assert_eq!(Source::find_on(old.path().as_os_str(), &cache).unwrap(), Source::Library(library));
    }

    #[test]
    fn without_a_server_the_error_says_what_was_looked_at_and_how_to_get_one() {
        let (old, cache) = (program("18.16.1"), tempfile::tempdir().unwrap());
        let cache = Cache::at(cache.path());
        let error = Source::find_on(old.path().as_os_str(), &cache).unwrap_err().to_string();
        assert!(error.contains("is version 18.16, older than"), "{error}");
        assert!(error.contains("cargo xtask fetch clickhouse"), "{error}");
        let error = Source::find_on(OsStr::new(""), &cache).unwrap_err().to_string();
        assert!(error.contains("no `clickhouse` on the PATH"), "{error}");
    }

    #[test]
    fn versions_are_read_as_clickhouse_prints_them() {
        assert_eq!(parse_version("ClickHouse server version 26.7.2.1 (official build).\n"), Some((26, 7)));
        assert_eq!(parse_version("ClickHouse server version 18.16.1.\n"), Some((18, 16)));
        assert_eq!(parse_version("command not found"), None);
    }
}
