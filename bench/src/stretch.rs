//! A stretch of time, and what each process has cost in it.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cluster::{Cluster, Costs};
use crate::cpu::{self, Machine};
use crate::report::Figure;

/// This process, which the sensors are in.
pub(crate) const SENSORS: &str = "the made-up sensors";

/// What the noise is called.
pub(crate) const OTHERS: &str = "of the machine, taken by others";

/// A stretch of time in which things are done.
pub(crate) struct Stretch {
    begun: Instant,
    machine: Machine,
    costs: Costs,
    own: Duration,
}

/// What a stretch has cost.
pub(crate) struct Spent {
    pub(crate) took: Duration,
    /// CPU time of each process; this one has the sensors.
    each: Vec<(&'static str, Duration)>,
    others: Duration,
}

impl Stretch {
    /// Begins now.
    pub(crate) fn begin(cluster: &Cluster) -> Result<Self> {
        Ok(Self { begun: Instant::now(), machine: Machine::now()?, costs: cluster.costs()?, own: cpu::own() })
    }

    /// Ends now.
    pub(crate) fn end(self, cluster: &Cluster) -> Result<Spent> {
        let then = |name| self.costs.get(name).copied().unwrap_or_default().cpu;
        let now = cluster.costs()?;
        let mut each = vec![(SENSORS, cpu::own_since(self.own))];
        each.extend(now.into_iter().map(|(name, now)| (name, now.cpu.saturating_sub(then(name)))));
        let ours = each.iter().map(|(_, cpu)| *cpu).sum();
        let others = Machine::now()?.others_since(&self.machine, ours);
        Ok(Spent { took: self.begun.elapsed(), each, others })
    }
}

impl Spent {
    /// What each process has cost for a million records.
    pub(crate) fn shares(&self, million: f64) -> impl Iterator<Item = Figure> {
        self.each.iter().map(move |(name, cpu)| {
            Figure::once(format!("CPU of {name}"), "s per million records", cpu.as_secs_f64() / million)
        })
    }

    /// How many cores everybody else has taken.
    pub(crate) fn others(&self) -> Figure {
        Figure::once(OTHERS, "cores", self.others_cores())
    }

    /// The same as a number.
    pub(crate) fn others_cores(&self) -> f64 {
        self.others.as_secs_f64() / self.took.as_secs_f64()
    }

    /// CPU seconds of a process; 0 of one that did not run.
    pub(crate) fn cpu(&self, name: &str) -> f64 {
        self.each.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, cpu)| cpu.as_secs_f64())
    }
}
