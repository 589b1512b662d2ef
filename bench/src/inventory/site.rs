//! One site of so many devices, and what it costs to know them: in a process of its own, whose memory is nothing else's.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use wardwatch_inventory::{Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::Fact;
use wardwatch_proto::v1::fact::Fact as Stated;

use super::ward::{BATCH, BEGIN, SECOND, first_visits, flow, says};
use crate::cpu::{self, Cost};

/// Messages after which what changed is taken to be stored.
const RANGE: u64 = 20;

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) devices: u32,
    /// What each says.
    pub(crate) statements: usize,
    /// Observations in each round.
    pub(crate) observations: u64,
    pub(crate) rounds: u8,
    /// Observations of a thousand that are new, each share in turn.
    pub(crate) news: Vec<u64>,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Nanoseconds of CPU for each observation, as devices are heard of first.
    pub(crate) learning: f64,
    /// Nanoseconds of CPU for each observation, afterwards, by share of news and round.
    pub(crate) steady: Vec<Vec<f64>>,
    /// Nanoseconds of CPU for each observation of a table that only counts, by round.
    pub(crate) counting: Vec<f64>,
    /// Nanoseconds of CPU for what is to be stored of each observation, by round; whatever is new.
    pub(crate) storing: Vec<f64>,
    /// Nanoseconds of CPU for each device that is seen in another minute and says nothing, by round.
    pub(crate) seen: Vec<f64>,
    /// Bytes of resident memory of each device, with what the allocator keeps for itself.
    pub(crate) resident: f64,
}

/// An inventory that is fed.
struct Site {
    inventory: Inventory,
    batch: Vec<Fact>,
    observations: u64,
    offset: u64,
    spent: Duration,
    storing: Duration,
}

impl Site {
    fn new(knowledge: &Arc<Knowledge>, devices: u32) -> Self {
        let most = usize::try_from(devices).unwrap_or(usize::MAX).saturating_add(1);
        let settings = Settings { endpoints: most.saturating_mul(3), ..Settings::default() };
        Self {
            inventory: Inventory::new("north", Arc::clone(knowledge), settings),
            batch: Vec::with_capacity(BATCH),
            observations: 0,
            offset: 0,
            spent: Duration::ZERO,
            storing: Duration::ZERO,
        }
    }

    fn state(&mut self, fact: Fact) {
        self.observations += u64::from(matches!(fact.fact, Some(Stated::Observation(_))));
        self.batch.push(fact);
        if self.batch.len() == BATCH {
            self.take();
        }
    }

    /// Takes in what was stated. Making facts is not counted; what is concluded from them, and dropping that, is.
    fn take(&mut self) {
        let facts = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.offset += 1;
        let at = LogMoment { incarnation: 1, partition: 0, offset: self.offset, log_time: 0 };
        let begun = cpu::of_thread();
        drop(std::hint::black_box(self.inventory.apply("s1", facts, at)));
        self.spent += cpu::of_thread().saturating_sub(begun);
        if self.offset.is_multiple_of(RANGE) {
            let begun = cpu::of_thread();
            drop(std::hint::black_box(self.inventory.take_changed_state()));
            self.storing += cpu::of_thread().saturating_sub(begun);
        }
    }

    /// Nanoseconds that were spent on each of `count` since the last call: taking in, and what is to be stored.
    fn each(&mut self, count: u64) -> (f64, f64) {
        let nanos = |spent: Duration| spent.as_nanos() as f64 / count.max(1) as f64;
        (nanos(std::mem::take(&mut self.spent)), nanos(std::mem::take(&mut self.storing)))
    }
}

/// Measures it.
pub(crate) fn measure(asked: &Asked) -> Result<Found> {
    let Asked { devices, statements, observations, rounds, ref news } = *asked;
    let resident = || Cost::of(std::process::id()).map(|cost| cost.resident as f64);
    let knowledge = Arc::new(Knowledge::builtin().context("read the built-in knowledge")?);
    let mut found = Found::default();
    let mut site = Site::new(&knowledge, devices);
    let before = resident()?;
    first_visits(devices, statements).for_each(|fact| site.state(fact));
    site.take();
    let first = std::mem::take(&mut site.observations);
    (found.learning, _) = site.each(first);
    drop(site.inventory.take_changed_state());
    found.resident = (resident()? - before) / f64::from(devices.max(1));
    let known = site.inventory.devices().count();
    ensure!(known == devices as usize + 1, "{known} devices of {devices} and an archive");

    let mut rng = Rng::with_seed(7);
    let mut at = BEGIN + 600 * SECOND;
    let mut new = 0;
    found.steady = vec![Vec::new(); news.len()];
    for round in 0..rounds {
        for (news, steady) in news.iter().zip(&mut found.steady) {
            // A device's repeats come together, since a sensor forgets what it stated of all of them at once.
            while site.observations < observations {
                let number = rng.u32(1..=devices);
                at += 600 * SECOND / u64::from(devices);
                site.state(flow(number, at));
                let has_news = rng.u64(..1000) < news * statements as u64;
                new += u64::from(has_news);
                for fact in says(number, statements, at, has_news.then_some(new)) {
                    site.state(fact);
                }
            }
            let stated = std::mem::take(&mut site.observations);
            let (taken, storing) = site.each(stated);
            steady.push(taken);
            found.storing.push(storing);
        }
        // Nobody says anything, and each is seen in a minute of its own.
        let many = observations / statements.max(1) as u64;
        for count in 0..many {
            let minute = at + (u64::from(round) * many + count) / u64::from(devices) * 60 * SECOND;
            site.state(flow(rng.u32(1..=devices), minute));
        }
        let (seen, _) = site.each(many);
        found.seen.push(seen);
    }
    site.take();
    Ok(found)
}
