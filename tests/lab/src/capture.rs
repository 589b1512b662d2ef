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
        let mut words: Vec<OsString> =
            ["tcpdump", "-i", BRIDGE, "-n", "-U", "-s", "0", "--immediate-mode", "-Z", "root", "-w"]
                .map(OsString::from)
                .to_vec();
        words.push(file.into());
        let mut tcpdump = Service::start(Program {
            namespace: mirror.name().to_owned(),
            words,
            environment: Vec::new(),
            folder: scratch.to_owned(),
            log: log.clone(),
        })?;
        tcpdump
            .wait_for("listen", Duration::from_secs(10), |tcpdump| tcpdump.said().contains("listening on"))
            .context("start tcpdump")?;
        Ok(Self { tcpdump, log })
    }

    /// Stops, and fails when a packet was missed.
    pub(super) fn stop(self) -> Result<()> {
        self.tcpdump.stop_by(Signal::INT).context("stop tcpdump")?;
        let said = std::fs::read_to_string(&self.log).context("read what tcpdump said")?;
        ensure!(said.contains("\n0 packets dropped by kernel"), "packets were missed; tcpdump said:\n{said}");
        Ok(())
    }
}
