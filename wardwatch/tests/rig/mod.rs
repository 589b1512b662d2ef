#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
//! Runs the `wardwatch` program as a person would, on a data folder of the test's own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wardwatch_capture::captures_below;

/// A data folder and the program.
pub struct Rig {
    folder: TempDir,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Rig {
    /// With an empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the data folder.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file in a folder of our own");
        path
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(&[], arguments)
    }

    /// The same with settings in the environment.
    pub fn run_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.envs(settings.iter().copied());
        let output = command.output().expect("the program can be run");
        Said {
            status: output.status,
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Plays captures until all is stored.
    pub fn play(&self, captures: &[PathBuf]) -> Said {
        let mut arguments = vec!["up", "--once"];
        let captures: Vec<&str> = captures.iter().map(|path| path.to_str().expect("a UTF-8 path")).collect();
        for capture in captures {
            arguments.extend(["--pcap", capture]);
        }
        let said = self.run(&arguments);
        assert!(said.status.success(), "{said:?}");
        said
    }

    /// Starts the program; it is killed when the test is done with it.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let child = self.command(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        Running(child.expect("the program can be started"))
    }

    /// As [`Rig::start`], in a network namespace.
    pub fn start_in(&self, namespace: &str, arguments: &[&str]) -> Running {
        let program = self.command(arguments);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        Running(child.expect("the program can be started"))
    }

    /// The rows of a query.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        let said = self.run(&["query", sql, "--format", "json"]);
        assert!(said.status.success(), "{sql}: {said:?}");
        serde_json::from_str(&said.out).expect("a JSON array")
    }

    /// The one number that a query gives.
    pub fn count(&self, sql: &str) -> u64 {
        let rows = self.query(&format!("SELECT toUInt64(({sql})) AS count"));
        rows[0]["count"].as_u64().expect("a number")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardwatch"));
        command
            .args(arguments)
            .env("WARDWATCH_DATA", self.data())
            .env_remove("WARDWATCH_CLICKHOUSE")
            .stdin(Stdio::null());
        command
    }
}

/// A program that runs until it is told to stop.
pub struct Running(Child);

impl Running {
    /// Reads standard error until a line holds this text; gives that line.
    pub fn until(&mut self, text: &str) -> String {
        let err = self.0.stderr.as_mut().expect("standard error is piped");
        let (mut line, mut byte) = (Vec::new(), [0]);
        while err.read(&mut byte).is_ok_and(|count| count == 1) {
            if byte[0] != b'\n' {
                line.push(byte[0]);
                continue;
            }
            let whole = String::from_utf8_lossy(&line).into_owned();
            if whole.contains(text) {
                return whole;
            }
            line.clear();
        }
        panic!("the program ended without saying {text:?}");
    }

    /// Asks it to stop (SIGTERM) and waits.
    pub fn stop(mut self) -> ExitStatus {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill can be run");
        assert!(asked.success(), "the program is still there");
        let mut rest = String::new();
        let _ = self.0.stderr.take().map(|mut err| err.read_to_string(&mut rest));
        self.0.wait().expect("a child can be waited for")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The captures that this project recorded.
pub fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
    captures_below(&folder).expect("the project's captures")
}
