//! A network namespace that lives as long as its guard.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

const PREFIX: &str = "wardwatch-lab";
/// What `ip netns exec` lays over `/etc` in a namespace is in a folder of the namespace's name here.
const CONFIGURATION: &str = "/etc/netns";

/// A network namespace of our own, without IPv6, so that a recording has nothing in it that nobody asked for.
#[derive(Debug)]
pub(super) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one, named after this process and `what`.
    pub(super) fn new(what: &str) -> Result<Self> {
        let name = format!("{PREFIX}-{}-{what}", process::id());
        ip(&["netns", "add", &name])?;
        let namespace = Self { name };
        namespace.run(
            "sysctl",
            &["-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
        )?;
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` for this namespace.
    pub(super) fn ip(&self, arguments: &[&str]) -> Result<()> {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// Runs a short command in this namespace.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        ip(&[&["netns", "exec", &self.name, program], arguments].concat())
    }

    /// Has programs in it ask `server` for names, or nobody.
    pub(super) fn resolve_by(&self, server: Option<Ipv4Addr>, domain: &str) -> Result<()> {
        let file = self.configuration().join("resolv.conf");
        // Without a line for a server they ask the machine itself, where nobody listens.
        let server = server.map(|server| format!("nameserver {server}\n")).unwrap_or_default();
        fs::create_dir_all(self.configuration())
            .and_then(|()| fs::write(&file, format!("search {domain}\n{server}")))
            .with_context(|| format!("write {}", file.display()))
    }

    fn configuration(&self) -> PathBuf {
        Path::new(CONFIGURATION).join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes the namespaces of labs that were killed.
pub(super) fn sweep() {
    let Ok(listed) = Command::new("ip").args(["netns", "list"]).stdin(Stdio::null()).output() else { return };
    for name in String::from_utf8_lossy(&listed.stdout).lines().filter_map(|line| line.split(' ').next()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
        let Some(owner) = owner.and_then(|owner| owner.parse::<u32>().ok()) else { continue };
        if !Path::new(&format!("/proc/{owner}")).exists() {
            remove(name);
        }
    }
}

/// Ends what still runs in a namespace and removes it. Called where nobody is left to tell of failures; the next
/// sweep tries again.
fn remove(name: &str) {
    if let Ok(pids) = Command::new("ip").args(["netns", "pids", name]).stdin(Stdio::null()).output() {
        for pid in String::from_utf8_lossy(&pids.stdout).lines().filter_map(|pid| pid.parse().ok()) {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
    let _ = ip(&["netns", "delete", name]);
    let _ = fs::remove_dir_all(Path::new(CONFIGURATION).join(name));
    // The folder itself only if it is ours alone.
    let _ = fs::remove_dir(CONFIGURATION);
}

/// Runs `ip`.
fn ip(arguments: &[&str]) -> Result<()> {
    let output = match Command::new("ip").args(arguments).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("no program ip: install iproute2"),
        output => output.context("run ip")?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("ip {}: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
