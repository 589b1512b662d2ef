//! Facts on their way out, in the order in which they are stated: what only several flows tell together is added
//! ([`crate::sweeps`]), and what was stated lately is held back ([`crate::repeats`]). All workers' facts pass here, so that
//! the same is told on any number of cores.

use wardwatch_proto::v1::{Fact, Observation, fact};

use crate::repeats::Repeats;
use crate::sweeps::Sweeps;
use crate::worker::{Limits, Totals};

/// What is remembered of the facts that have passed.
#[derive(Debug)]
pub(crate) struct Outgoing {
    repeats: Repeats,
    sweeps: Sweeps,
    observations: u64,
}

impl Outgoing {
    /// Nothing has passed yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { repeats: limits.repeats(), sweeps: Sweeps::default(), observations: 0 }
    }

    /// Appends the fact, unless it is held back, and what it tells together with those before it.
    pub(crate) fn pass(&mut self, fact: Fact, facts: &mut Vec<Fact>) {
        let sweep = match fact.fact {
            Some(fact::Fact::Observation(observation)) => return self.state(observation, facts),
            Some(fact::Fact::Flow(ref flow)) => self.sweeps.see(flow),
            None => None,
        };
        facts.push(fact);
        if let Some(sweep) = sweep {
            self.state(sweep, facts);
        }
    }

    fn state(&mut self, mut observation: Observation, facts: &mut Vec<Fact>) {
        if self.repeats.admit(&mut observation) {
            self.observations += 1;
            facts.push(Fact { fact: Some(fact::Fact::Observation(observation)) });
        }
    }

    /// With what has passed here.
    pub(crate) fn counted(&self, totals: Totals) -> Totals {
        Totals { observations: self.observations, repeats: self.repeats.held_back(), ..totals }
    }
}
