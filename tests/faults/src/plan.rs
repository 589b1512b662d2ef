//! What happens in one run, made from a seed: who runs, how each cuts its ranges, what befalls whom.

mod after;
mod before;
mod deal;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detour::Hold;
use crate::stage::Log;

/// A service under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// From frames to facts.
    Sensor,
    /// From sensors to the log.
    Collector,
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
            Self::Sensor => "sensor",
            Self::Collector => "collector",
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
    /// Of a sensor, which captures each process plays, by their place in [`recorded`](wardwatch_tests::pipeline::recorded). It
    /// comes to its end by itself when the last one has played them and everything in its spool is acknowledged.
    pub plays: Vec<Vec<usize>>,
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

/// On which side of the log things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Sensors and collectors fall. What reaches the log, and in which order, depends on it.
    Before,
    /// The log is given; enrichers and alerters fall.
    After,
}

/// Everything that is to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which log.
    pub log: Log,
    /// On which side of it.
    pub side: Side,
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
    /// The plan of a seed. Three of ten are on the embedded log; in every fifth the sensors and collectors fall.
    pub fn of_seed(seed: u64, log: Option<Log>, side: Option<Side>) -> Self {
        let log = log.unwrap_or(if seed % 10 < 7 { Log::Kafka } else { Log::Embedded });
        let side = side.unwrap_or(if seed % 5 == 4 { Side::Before } else { Side::After });
        match side {
            Side::Before => before::of(seed, log),
            Side::After => after::of(seed, log),
        }
    }

    /// One instance of each service, and nothing befalls them: what the others are held against.
    pub fn calm(log: Log, side: Side) -> Self {
        let mut instances = match log {
            Log::Kafka => vec![Instance::new(Service::Enricher, 1), Instance::new(Service::Alerter, 1)],
            Log::Embedded => vec![Instance::new(Service::Standalone, 1)],
        };
        if side == Side::Before {
            instances.extend(before::sensors());
            instances.extend((log == Log::Kafka).then(|| Instance::new(Service::Collector, 1)));
        }
        Self { log, side, instances, blows: Vec::new(), hold: None, without: BTreeSet::new() }
    }
}

impl Instance {
    /// One that starts at once, is started again when it has fallen, and that nothing befalls.
    pub fn new(service: Service, number: usize) -> Self {
        Self {
            service,
            name: format!("{}-{number}", service.name()),
            rows: 2000,
            age: Duration::from_millis(100),
            begins: Some(Duration::ZERO),
            rest: Some(REST),
            by_detour: false,
            plays: Vec::new(),
            lives: Vec::new(),
        }
    }

    /// `collector-2` is number 2.
    pub fn number(&self) -> usize {
        self.name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(1)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for instance in &self.instances {
            let Instance { service, name, rows, age, begins, rest, by_detour, lives, .. } = instance;
            match service {
                Service::Sensor | Service::Collector => f.write_str(name)?,
                _ => write!(f, "{name} ({rows} rows, {age:?})")?,
            }
            if let Some(begins) = begins.filter(|begins| !begins.is_zero()) {
                write!(f, ", from {begins:?}")?;
            }
            if *rest != Some(REST) {
                write!(f, ", down for {rest:?}")?;
            }
            if *by_detour {
                f.write_str(", by a detour")?;
            }
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
