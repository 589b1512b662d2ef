//! Two network namespaces joined by a virtual cable, gone when dropped.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The cable's end where frames are sent.
pub(crate) const SENDER_INTERFACE: &str = "v0";
/// The cable's end where frames are captured.
pub(crate) const SENSOR_INTERFACE: &str = "v1";
pub(crate) const SENDER_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
pub(crate) const SENSOR_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];
pub(crate) const SENDER_IP: &str = "10.99.0.1";
pub(crate) const SENSOR_IP: &str = "10.99.0.2";

/// A cable between two namespaces of their own.
pub(crate) struct Cable {
    sender: String,
    sensor: String,
}

impl Cable {
    /// Makes the namespaces, or tells why that cannot be done here.
    pub(crate) fn new() -> Result<Self, String> {
        Self::with_queues(1)
    }

    /// A cable that has several queues in each direction.
    pub(crate) fn with_queues(queues: u32) -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            return Err("network namespaces need root".into());
        }
        let name = format!("wardwatch-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        // Made before the first command, so that whatever was made is taken down again if a later command fails.
        let cable = Self { sender: format!("{name}-a"), sensor: format!("{name}-b") };
        let (sender, sensor) = (&cable.sender, &cable.sensor);
        ip(&format!("netns add {sender}"))?;
        ip(&format!("netns add {sensor}"))?;
        cable.lay(queues)?;
        Ok(cable)
    }

    /// Joins the namespaces.
    pub(crate) fn lay(&self, queues: u32) -> Result<(), String> {
        let (sender, sensor) = (&self.sender, &self.sensor);
        let queues = format!("numtxqueues {queues} numrxqueues {queues}");
        ip(&format!(
            "link add {SENDER_INTERFACE} netns {sender} {queues} type veth peer name {SENSOR_INTERFACE} netns {sensor} {queues}"
        ))?;
        for (namespace, interface, mac, address) in [
            (sender, SENDER_INTERFACE, "02:00:00:00:00:01", SENDER_IP),
            (sensor, SENSOR_INTERFACE, "02:00:00:00:00:02", SENSOR_IP),
        ] {
            ip(&format!("-n {namespace} link set {interface} address {mac} up"))?;
            ip(&format!("-n {namespace} addr add {address}/24 dev {interface}"))?;
        }
        // So that no frame waits for an answer of the address resolution.
        ip(&format!("-n {sender} neigh add {SENSOR_IP} lladdr 02:00:00:00:00:02 dev {SENDER_INTERFACE}"))?;
        ip(&format!("-n {sensor} neigh add {SENDER_IP} lladdr 02:00:00:00:00:01 dev {SENSOR_INTERFACE}"))?;
        Ok(())
    }

    /// The name of the namespace where frames are captured.
    pub(crate) fn sensor(&self) -> &str {
        &self.sensor
    }

    /// Runs `ip` where frames are sent.
    pub(crate) fn sender_ip(&self, arguments: &str) -> Result<String, String> {
        ip(&format!("-n {} {arguments}", self.sender))
    }

    /// Runs `ip` where frames are captured.
    pub(crate) fn sensor_ip(&self, arguments: &str) -> Result<String, String> {
        ip(&format!("-n {} {arguments}", self.sensor))
    }

    /// Does something where frames are sent.
    pub(crate) fn at_sender<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        inside(&self.sender, action)
    }

    /// Does something where frames are captured.
    pub(crate) fn at_sensor<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        inside(&self.sensor, action)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.sender, &self.sensor] {
            // One that was never made cannot be deleted, which is as well.
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

/// Does something in a namespace, in a thread that ends with it. Sockets opened there stay there.
fn inside<T: Send>(namespace: &str, action: impl FnOnce() -> T + Send) -> T {
    let entered = || {
        let namespace = File::open(format!("/run/netns/{namespace}")).expect("the namespace is there");
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("it can be entered");
        action()
    };
    thread::scope(|scope| scope.spawn(entered).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn ip(arguments: &str) -> Result<String, String> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .map_err(|error| format!("no ip(8): {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// A cable, or the name of the test is put on the list of those that did not run.
macro_rules! cable_or_skip {
    ($test:literal) => {
        match $crate::namespace::Cable::new() {
            Ok(cable) => cable,
            Err(reason) => return ::wardwatch_skip::skip!($test, reason),
        }
    };
}
pub(crate) use cable_or_skip;
