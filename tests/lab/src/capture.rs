//! What passes the mirror, kept by tcpdump: an independent witness for the product's own capture.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::namespace::Namespace;
use super::network::BRIDGE;
use super::program::{Program, Service};

/// A running recording.
#[derive(Debug)]
pub(super) struct Capture {
    tcpdump: Service,
    log: std::path::PathBuf,
}

impl Capture {
    /// Starts to record into a file and returns when packets are being taken.
    pub(super) fn start(mirror: &Namespace, file: &Path, scratch: &Path) -> Result<Self> {
        let log = scratch.join("tcpdump.log");
        // With the longest snapshots of all, its usual buffer has room for eight frames.
        let mut words: Vec<OsString> = ["tcpdump", "-i", BRIDGE, "-n", "-U", "-s", "65535", "-B", "32768"]
            .into_iter()
            .chain(["--immediate-mode", "-Z", "root", "-w"])
            .map(OsString::from)
            .collect();
        words.push(file.into());
        let mut tcpdump = Service::start(Program {
            namespace: mirror.name().to_owned(),
            host_name: None,
            words,
            environment: Vec::new(),
            folder: scratch.to_owned(),
            output: None,
            log: log.clone(),
        })?;
        tcpdump
            .wait_for("listen", Duration::from_secs(10), |tcpdump| tcpdump.said().contains("listening on"))
            .context("start tcpdump")?;
        Ok(Self { tcpdump, log })
    }

    /// Stops and says how many packets passed; fails when one was missed.
    pub(super) fn stop(self) -> Result<u64> {
        self.tcpdump.stop_by(Signal::INT).context("stop tcpdump")?;
        let said = std::fs::read_to_string(&self.log).context("read what tcpdump said")?;
        ensure!(said.contains("\n0 packets dropped by kernel"), "packets were missed; tcpdump said:\n{said}");
        let mut words = said.split_whitespace();
        let captured = std::iter::from_fn(|| words.next().zip(words.clone().next()))
            .find_map(|(number, word)| number.parse().ok().filter(|_| word == "packets"));
        captured.with_context(|| format!("tcpdump told no count; it said:\n{said}"))
    }
}
