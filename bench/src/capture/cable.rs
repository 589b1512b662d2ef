//! Two network namespaces joined by a virtual cable, gone when dropped, and the program that sends at one end.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The end where frames are sent.
const SENDER: &str = "v0";
/// The end where frames are captured.
pub(super) const RECEIVER: &str = "v1";

/// How frames are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// Through a packet socket, as programs do.
    Sendmmsg,
    /// The kernel makes them, by a BPF program that is run on live frames.
    Kernel,
}

impl Sender {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sendmmsg => "sendmmsg",
            Self::Kernel => "kernel",
        }
    }
}

/// A cable between two namespaces of its own.
pub(super) struct Cable {
    sender: String,
    receiver: String,
}

impl Cable {
    pub(super) fn new() -> Result<Self> {
        let name = format!("wardwatch-bench-{}", std::process::id());
        // Made before the first command, so that whatever was made is taken down again if a later command fails.
        let cable = Self { sender: format!("{name}-a"), receiver: format!("{name}-b") };
        let (sender, receiver) = (&cable.sender, &cable.receiver);
        ip(&format!("netns add {sender}"))?;
        ip(&format!("netns add {receiver}"))?;
        ip(&format!("link add {SENDER} netns {sender} type veth peer name {RECEIVER} netns {receiver}"))?;
        for (namespace, interface) in [(sender, SENDER), (receiver, RECEIVER)] {
            // Without addresses the kernel sends nothing of its own.
            ip(&format!("-n {namespace} link set {interface} addrgenmode none up"))?;
        }
        Ok(cable)
    }

    /// Does something where frames are captured, in a thread that ends with it.
    pub(super) fn at_receiver<T: Send>(&self, action: impl FnOnce() -> T + Send) -> Result<T> {
        let entered = || {
            let namespace =
                File::open(format!("/run/netns/{}", self.receiver)).context("open a namespace")?;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .context("enter a namespace")?;
            Ok(action())
        };
        thread::scope(|scope| scope.spawn(entered).join()).map_err(|_| anyhow!("the receiver panicked"))?
    }

    /// Starts to send; the child says how many frames it has sent when it ends. A rate of 0 is as fast as it goes.
    pub(super) fn send(
        &self,
        flood: &Path,
        capture: &Path,
        seconds: u32,
        rate: f64,
        by: Sender,
    ) -> Result<Child> {
        Command::new("ip")
            .args(["netns", "exec", &self.sender])
            .arg(flood)
            .arg(SENDER)
            .arg(capture)
            .args([seconds.to_string(), format!("{rate:.0}"), by.name().to_owned()])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", flood.display()))
    }
}

impl Cable {
    /// Frames that never came to the receiver's end, because the cable had no room for them.
    pub(super) fn refused(&self) -> Result<u64> {
        let counter = format!("/sys/class/net/{SENDER}/statistics/tx_dropped");
        let output = Command::new("ip")
            .args(["netns", "exec", &self.sender, "cat", &counter])
            .output()
            .context("run ip(8)")?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .context("the cable's count of frames it refused")
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.sender, &self.receiver] {
            // One that was never made cannot be deleted, which is as well.
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("run ip(8)")?;
    anyhow::ensure!(
        output.status.success(),
        "ip {arguments}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
