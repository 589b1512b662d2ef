//! What an operator sets.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_capture::{CaptureMode, InterfaceOptions};
use wardwatch_service::Secret;
use wardwatch_service::tls::ClientTls;

use crate::batch::BatchLimits;
use crate::spool::{Overflow, SpoolConfig};
use crate::worker::Limits;

/// More networks than a site of the inventory has scopes.
const MOST_NETWORKS: usize = 1024;

/// The sensor's settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The site it stands at, as the collector knows it.
    pub site: String,
    /// Its name, unique within the organisation.
    pub sensor: String,
    /// The network scope it stands in, where addresses occur at the site more than once: the same address in two scopes is two
    /// devices'. Sensors that say nothing stand in the site's one scope.
    pub scope: String,
    /// Cores that follow flows; where it is not set: one for files, and for an interface all that there are but one, which reads
    /// headers, eight at most.
    pub workers: Option<usize>,
    /// Where frames come from.
    pub input: InputConfig,
    /// Bounds on what is held while decoding.
    pub limits: Limits,
    /// When a batch is full.
    pub batch: BatchLimits,
    /// Where batches are kept until they are acknowledged.
    pub spool: SpoolConfig,
    /// Where facts go.
    pub uplink: UplinkConfig,
}

/// An interface, or capture files: one of the two.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputConfig {
    /// The network interface to watch.
    pub interface: Option<String>,
    /// By which means. `packet-socket` sees a copy of what passes and disturbs nothing. `af-xdp` is faster and takes the
    /// frames away from this host: only for a port that does nothing but listen. `auto` is `af-xdp` where this host has
    /// no address on the interface and the kernel allows it, else `packet-socket`, and the log says why.
    pub capture: CaptureMode,
    /// Memory of the kernel's ring, in MiB; with AF_XDP, of all its queues together, at least 1 for each.
    pub ring_mebibytes: u32,
    /// Whether frames for other stations are wanted, as on a mirror port.
    pub promiscuous: bool,
    /// Capture files, played one after the other; the sensor stops when all are acknowledged.
    pub files: Vec<PathBuf>,
    /// 1 plays files at their original pace, 2 twice as fast; without it they are played as fast as it goes.
    pub speed: Option<f64>,
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            interface: None,
            capture: CaptureMode::PacketSocket,
            ring_mebibytes: 32,
            promiscuous: true,
            files: Vec::new(),
            speed: None,
        }
    }
}

impl InputConfig {
    /// How the interface is captured, if one is.
    pub(crate) fn interface_options(&self) -> Option<InterfaceOptions> {
        let interface = self.interface.clone()?;
        let Self { capture: mode, ring_mebibytes, promiscuous, .. } = *self;
        Some(InterfaceOptions { interface, mode, ring_mebibytes, promiscuous })
    }
}

/// How to reach a collector, and what to keep until it has acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UplinkConfig {
    /// Collectors, as `https://host:port`; each attempt takes the next one.
    pub collectors: Vec<String>,
    /// What the sensor shows to prove who it is.
    pub token: Secret,
    /// Credentials for `https` collectors.
    pub tls: Option<ClientTls>,
    /// Octets of batches without an acknowledgement that are kept in memory beside the disk. Above it a file is read
    /// later; of an interface, and of a file at its original pace, the oldest are left to the disk alone.
    pub unacknowledged_bytes: usize,
    /// Longest pause between two attempts to connect.
    #[serde(with = "humantime_serde")]
    pub longest_pause: Duration,
    /// How long a sensor that is to stop waits for acknowledgements. The rest is sent after its next start.
    #[serde(with = "humantime_serde")]
    pub farewell: Duration,
}

impl Default for UplinkConfig {
    fn default() -> Self {
        Self {
            collectors: vec!["http://127.0.0.1:7443".to_owned()],
            token: Secret::default(),
            tls: None,
            unacknowledged_bytes: 32 << 20,
            longest_pause: Duration::from_secs(30),
            farewell: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// A file can be read later; what is on the wire, or played as if it were, cannot.
    pub(crate) fn overflow(&self) -> Overflow {
        let is_patient = self.input.interface.is_none() && self.input.speed.is_none();
        if is_patient { Overflow::Wait } else { Overflow::Spill }
    }

    /// How many cores follow flows.
    pub(crate) fn workers(&self) -> usize {
        const MOST_BY_DEFAULT: usize = 8;
        let by_cores = || {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            cores.saturating_sub(1).clamp(1, MOST_BY_DEFAULT)
        };
        self.workers.unwrap_or_else(|| if self.input.interface.is_some() { by_cores() } else { 1 })
    }

    /// What serde cannot check, with the key named.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.check_sending()?;
        let most = crate::cores::MOST_WORKERS;
        anyhow::ensure!((1..=most).contains(&self.workers.unwrap_or(1)), "workers: must be from 1 to {most}");
        match (&self.input.interface, self.input.files.is_empty()) {
            (None, true) => anyhow::bail!("input: set input.interface or input.files"),
            (Some(_), false) => anyhow::bail!("input: input.interface and input.files exclude each other"),
            _ => Ok(()),
        }
    }

    /// The part of it that is about who the sensor is, what it keeps and whom it speaks with.
    pub(crate) fn check_sending(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.site.is_empty(), "site: is not set");
        anyhow::ensure!(!self.sensor.is_empty(), "sensor: is not set");
        anyhow::ensure!(
            self.scope.is_empty() || wardwatch_proto::name::is_name(&self.scope),
            "scope: must have at most 128 octets and no control characters"
        );
        // The names of both stand together, and are bounded as one.
        let longest = wardwatch_proto::name::LONGEST.saturating_sub(self.limits.longest_network());
        anyhow::ensure!(
            self.scope.len() <= longest,
            "scope: must have at most {longest} octets where limits.own_networks is set"
        );
        let most = MOST_NETWORKS;
        anyhow::ensure!(
            (1..=most).contains(&self.limits.networks),
            "limits.networks: must be from 1 to {most}"
        );
        anyhow::ensure!(!self.uplink.collectors.is_empty(), "uplink.collectors: there must be at least one");
        anyhow::ensure!(!self.uplink.token.is_empty(), "uplink.token: is not set");
        anyhow::ensure!(self.spool.drain_bytes_per_second > 0, "spool.drain_bytes_per_second: must not be 0");
        let least = 4 * self.batch.bytes as u64;
        anyhow::ensure!(
            self.spool.bytes >= least,
            "spool.bytes: four batches must have room: at least {least} with this batch.bytes"
        );
        Ok(())
    }
}
