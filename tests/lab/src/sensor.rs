//! The sensor's program at a mirror port, and what it states.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::network::Network;
use super::program::{Program, Service};

/// How long the sensor may take to begin, and to state what is still open at its end.
const PATIENCE: Duration = Duration::from_mins(1);

/// By which means the sensor captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A packet socket with a `TPACKET_V3` ring
    PacketSocket,
    /// AF_XDP
    AfXdp,
}

impl Means {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PacketSocket, Self::AfXdp];

    /// Its name for the sensor and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::PacketSocket => "packet-socket",
            Self::AfXdp => "af-xdp",
        }
    }
}

/// A running sensor.
#[derive(Debug)]
pub(super) struct Sensor {
    service: Service,
    means: Means,
    output: PathBuf,
    log: PathBuf,
}

/// What the sensor made of a scene by one means.
#[derive(Debug)]
pub struct Watched {
    /// The means.
    pub means: Means,
    /// What it counted.
    pub counted: Counted,
    /// What it stated.
    pub facts: Facts,
    /// The same, as it was printed.
    pub printed: String,
}

/// What the sensor counted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    /// Frames that it was given.
    pub packets: u64,
    /// Frames that it was not given since the ring was full.
    pub dropped_by_kernel: u64,
}

/// What the sensor stated.
#[derive(Debug, Default)]
pub struct Facts {
    /// What it read, of whom.
    pub observations: Vec<Observation>,
    /// The ends of each flow whose protocol it recognised.
    pub flows: Vec<([Endpoint; 2], Protocol)>,
}

/// A statement about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What is said.
    pub attribute: Attribute,
    /// Its value.
    pub value: String,
    /// In which protocol.
    pub protocol: Protocol,
    /// Of whom, or who told it.
    pub endpoint: Endpoint,
    /// Tells devices behind one teller apart; empty where the endpoint is the subject.
    pub key: String,
}

/// The addresses of one end, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Endpoint {
    /// In lower case with colons, or empty.
    #[serde(default)]
    pub mac: String,
    /// IPv4 or IPv6, or empty.
    #[serde(default)]
    pub ip: String,
}

impl Sensor {
    /// Starts the program at its mirror port and returns when it captures.
    pub(super) fn start(program: &Path, means: Means, network: &Network, scratch: &Path) -> Result<Self> {
        let output = scratch.join(format!("{}.jsonl", means.name()));
        let log = scratch.join(format!("{}.log", means.name()));
        let mut words = vec![program.into()];
        words.extend(["decode", "--interface", means.name(), "--capture", means.name()].map(Into::into));
        let mut service = Service::start(Program {
            namespace: network.sensors().name().to_owned(),
            host_name: None,
            words,
            environment: Vec::new(),
            folder: scratch.to_owned(),
            output: Some(output.clone()),
            log: log.clone(),
        })?;
        service
            .wait_for("watch", PATIENCE, |sensor| sensor.said().contains("watching "))
            .with_context(|| format!("start the sensor by {}", means.name()))?;
        Ok(Self { service, means, output, log })
    }

    /// Stops it and reads what it stated.
    pub(super) fn stop(self) -> Result<Watched> {
        let Self { service, means, output, log } = self;
        let failed = || format!("the sensor by {}", means.name());
        service.finish(PATIENCE).with_context(failed)?;
        let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
        let (printed, said) = (read(&output)?, read(&log)?);
        let totals = said.lines().rev().find(|line| line.starts_with('{'));
        let totals = totals.with_context(failed).context("it told no totals")?;
        let counted = serde_json::from_str(totals).with_context(failed).context("understand its totals")?;
        let facts = Facts::read(&printed).with_context(failed)?;
        Ok(Watched { means, counted, facts, printed })
    }
}

/// A line that the sensor prints.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Flow { initiator: Endpoint, responder: Endpoint, protocol: String },
    Observation { attribute: String, value: String, protocol: String, subject: Subject },
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    mac: String,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    key: String,
}

impl Facts {
    /// Reads what `wardwatch-sensor decode` prints.
    pub fn read(printed: &str) -> Result<Self> {
        let mut facts = Self::default();
        // A flow's later records know more than its first.
        let mut flows = BTreeMap::new();
        for line in printed.lines() {
            let understood = || format!("understand {line}");
            match serde_json::from_str(line).with_context(understood)? {
                Line::Flow { initiator, responder, protocol } => {
                    if let Some(protocol) = Protocol::from_name(&protocol) {
                        flows.insert((initiator, responder, protocol as i32), protocol);
                    }
                }
                Line::Observation { attribute, value, protocol, subject } => {
                    facts.observations.push(Observation {
                        attribute: Attribute::from_name(&attribute).with_context(understood)?,
                        value,
                        protocol: Protocol::from_name(&protocol).unwrap_or_default(),
                        endpoint: Endpoint { mac: subject.mac, ip: subject.ip },
                        key: subject.key,
                    });
                }
            }
        }
        facts.flows = flows.into_iter().map(|((from, to, _), protocol)| ([from, to], protocol)).collect();
        Ok(facts)
    }
}
