//! What happens in one run, made from a seed: who runs, how each cuts its ranges, what befalls whom.

mod dealt;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detour::Hold;
use crate::stage::Log;

pub use dealt::after_kafka;

/// A service under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// From facts to conclusions.
    Enricher,
    /// From conclusions to alerts.
    Alerter,
    /// Collector, enricher and alerter in one process.
    Standalone,
}

impl Service {
    /// As `subject` and the settings call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enricher => "enricher",
            Self::Alerter => "alerter",
            Self::Standalone => "standalone",
        }
    }
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The process is killed.
    Kill,
    /// The process is stopped, and goes on after this time.
    Stop(Duration),
    /// The task that passes the point waits, the rest of the process goes on.
    Stall(Duration),
}

/// What happens at the n-th hit of a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// `enricher.plan-after`.
    pub point: String,
    /// The how-manieth hit of this process, from 1.
    pub hit: u64,
    /// What then.
    pub action: Action,
}

impl fmt::Display for Fault {
    /// As `WARDWATCH_FAULTS` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, hit, action } = self;
        match action {
            Action::Kill => write!(f, "{point}@{hit}=kill"),
            Action::Stop(_) => write!(f, "{point}@{hit}=stop"),
            Action::Stall(duration) => write!(f, "{point}@{hit}=stall:{}ms", duration.as_millis()),
        }
    }
}

/// An instance of a service: a process, and those that are started in its place when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Which service.
    pub service: Service,
    /// `enricher-2`.
    pub name: String,
    /// How many rows make a range.
    pub rows: usize,
    /// How long a range may wait for them.
    pub age: Duration,
    /// When it is first started, from the start of the run; by [`Blow::Begin`] where it does not say.
    pub begins: Option<Duration>,
    /// How long it stays down when it has ended; for good where it does not say.
    pub rest: Option<Duration>,
    /// Whether its way to ClickHouse is the one on which an insert is held back.
    pub by_detour: bool,
    /// What befalls each process; one that comes after these is left alone.
    pub lives: Vec<Vec<Fault>>,
}

/// What befalls somebody at a time, whatever they are doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blow {
    /// SIGKILL for an instance.
    Kill(String),
    /// SIGTERM for an instance, which is started again.
    Restart(String),
    /// SIGSTOP for an instance, and SIGCONT after this time.
    Stop(String, Duration),
    /// The first start of an instance.
    Begin(String),
    /// SIGKILL for the broker, which is back after this time.
    Broker(Duration),
    /// SIGSTOP for the broker, and SIGCONT after this time: nobody reaches it, and it loses nothing.
    StopBroker(Duration),
    /// SIGKILL for ClickHouse, which is back after this time.
    Server(Duration),
    /// What is held back on the detour goes on its way.
    Release,
    /// The server forgets the tokens of the inserts so far.
    RollWindows,
}

/// A condition for the next of what is scripted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// This long after the work began.
    After(Duration),
    /// This long after an instance's point fired.
    Fired(String, Duration),
    /// This long after an insert was caught on the detour.
    Caught(Duration),
    /// All facts have been worked on.
    Enriched,
}

/// How long an instance stays down as a rule: a supervisor is quick.
pub const REST: Duration = Duration::from_millis(200);

/// Everything that is to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which log.
    pub log: Log,
    /// Who runs.
    pub instances: Vec<Instance>,
    /// What befalls them besides.
    pub blows: Vec<(When, Blow)>,
    /// What is held back on the detour, if anything.
    pub hold: Option<Hold>,
    /// Guards that are switched off.
    pub without: BTreeSet<String>,
}

impl Plan {
    /// One instance of each service, and nothing befalls them: what the others are held against.
    pub fn calm(log: Log) -> Self {
        let instance = |service: Service| Instance {
            service,
            name: format!("{}-1", service.name()),
            rows: 2000,
            age: Duration::from_millis(100),
            begins: Some(Duration::ZERO),
            rest: Some(REST),
            by_detour: false,
            lives: Vec::new(),
        };
        let instances = match log {
            Log::Kafka => vec![instance(Service::Enricher), instance(Service::Alerter)],
            Log::Embedded => vec![instance(Service::Standalone)],
        };
        Self { log, instances, blows: Vec::new(), hold: None, without: BTreeSet::new() }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for instance in &self.instances {
            let Instance { name, rows, age, begins, rest, by_detour, lives, .. } = instance;
            write!(f, "{name} ({rows} rows, {age:?}")?;
            if let Some(begins) = begins.filter(|begins| !begins.is_zero()) {
                write!(f, ", from {begins:?}")?;
            }
            if *rest != Some(REST) {
                write!(f, ", down for {rest:?}")?;
            }
            f.write_str(if *by_detour { ", by a detour)" } else { ")" })?;
            for life in lives {
                let faults: Vec<String> = life
                    .iter()
                    .map(|fault| match fault.action {
                        Action::Stop(duration) => format!("{fault} for {duration:?}"),
                        _ => fault.to_string(),
                    })
                    .collect();
                write!(f, " [{}]", faults.join("; "))?;
            }
            writeln!(f)?;
        }
        if let Some(Hold { table, number, through }) = &self.hold {
            writeln!(f, "insert {number} into {table} is held back, let through: {through:?}")?;
        }
        for (when, blow) in &self.blows {
            writeln!(f, "{when:?}: {blow:?}")?;
        }
        Ok(())
    }
}
