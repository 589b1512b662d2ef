//! The engines that tests of any package find through their environment.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running `wardwatch-tests engines`; dropping this closes its standard input, which ends it.
pub(super) struct Engines {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Engines {
    /// Starts the program, which has been built, and waits until its engines answer.
    pub(super) fn start() -> Result<Self> {
        // It is beside us in <target folder>/debug, whatever the target folder is called.
        let this = env::current_exe().context("find the target folder")?;
        let program = this.with_file_name("wardwatch-tests");
        let mut process = Command::new(&program)
            .arg("engines")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("run {}", program.display()))?;
        let output = process.stdout.take().context("read where the engines answer")?;
        let mut engines = Self { process, variables: Vec::new() };
        for line in BufReader::new(output).lines() {
            let line = line.context("read where the engines answer")?;
            match line.split_once('=') {
                Some((name, value)) => engines.variables.push((name.to_owned(), value.to_owned())),
                None => return Ok(engines),
            }
        }
        bail!("the engines ended before they were ready");
    }

    /// `WARDWATCH_TEST_CLICKHOUSE` (a URL) and `WARDWATCH_TEST_KAFKA` (bootstrap servers), as far as they are there.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        // Closed before it is waited for. The engines die with the program, however it ends.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
