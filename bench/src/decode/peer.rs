//! Other programs that tell protocols apart, on the same file.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::cpu;

/// A program that reads the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// nDPI's own reader: flows and their protocols.
    Ndpi,
    /// tshark, every layer dissected.
    Tshark,
}

impl Peer {
    pub(super) const fn all() -> [Self; 2] {
        [Self::Ndpi, Self::Tshark]
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ndpi => "ndpiReader",
            Self::Tshark => "tshark",
        }
    }

    /// Debian's package that has it.
    pub(super) const fn package(self) -> &'static str {
        match self {
            Self::Ndpi => "libndpi-bin",
            Self::Tshark => "tshark",
        }
    }

    /// Whether once is enough.
    pub(super) fn is_slow(self) -> bool {
        self == Self::Tshark
    }

    /// The CPU time that it takes to read the file; nothing where it is not installed.
    pub(super) fn read(self, path: &Path) -> Result<Option<Duration>> {
        let mut command = Command::new(self.name());
        match self {
            Self::Ndpi => command.arg("-q").arg("-i").arg(path),
            // A field of the frame's own, so that printing costs nothing.
            Self::Tshark => command.args(["-n", "-T", "fields", "-e", "frame.protocols", "-r"]).arg(path),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let before = cpu::children()?;
        let status = match command.status() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            status => status.with_context(|| format!("run {}", self.name()))?,
        };
        ensure!(status.success(), "{} ended with {status}", self.name());
        Ok(Some(cpu::children()?.saturating_sub(before)))
    }
}
