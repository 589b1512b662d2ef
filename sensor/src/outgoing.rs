//! Facts on their way out, in the order in which they are stated: of networks there are so many and no more, what only several
//! flows tell together is added ([`crate::sweeps`]), and what was stated lately is held back ([`crate::repeats`]). All workers' facts pass here, so that
//! the same is told on any number of cores.

use std::collections::HashSet;

use wardwatch_proto::v1::{Fact, Observation, fact};

use crate::repeats::Repeats;
use crate::sweeps::Sweeps;
use crate::worker::{Limits, Totals};

/// The name of all networks together that there is no room for. They are kept apart from the one that the sensor stands in, if
/// not from each other.
const FURTHER_NETWORKS: &str = "further-tunnels";

/// What is remembered of the facts that have passed.
#[derive(Debug)]
pub(crate) struct Outgoing {
    repeats: Repeats,
    sweeps: Sweeps,
    observations: u64,
    /// Those that are told apart.
    networks: HashSet<String>,
    most_networks: usize,
    /// Facts from further ones.
    beyond: u64,
}

impl Outgoing {
    /// Nothing has passed yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            repeats: limits.repeats(),
            sweeps: Sweeps::default(),
            observations: 0,
            networks: HashSet::new(),
            most_networks: limits.networks,
            beyond: 0,
        }
    }

    /// Appends the fact, unless it is held back, and what it tells together with those before it.
    pub(crate) fn pass(&mut self, mut fact: Fact, facts: &mut Vec<Fact>) {
        self.bound_network(&mut fact);
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

    fn bound_network(&mut self, fact: &mut Fact) {
        let network = match &mut fact.fact {
            Some(fact::Fact::Flow(flow)) => &mut flow.network,
            Some(fact::Fact::Observation(observation)) => &mut observation.network,
            None => return,
        };
        if network.is_empty() || self.networks.contains(network) {
            return;
        }
        if self.networks.len() < self.most_networks {
            self.networks.insert(network.clone());
        } else {
            FURTHER_NETWORKS.clone_into(network);
            self.beyond += 1;
        }
    }

    /// With what has passed here.
    pub(crate) fn counted(&self, totals: Totals) -> Totals {
        Totals {
            observations: self.observations,
            repeats: self.repeats.held_back(),
            networks: self.networks.len() as u64,
            facts_of_further_networks: self.beyond,
            ..totals
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::Flow;

    #[test]
    fn networks_beyond_the_bound_are_one_and_are_counted() {
        let mut outgoing = Outgoing::new(&Limits { networks: 2, ..Limits::default() });
        let mut facts = Vec::new();
        for network in ["vxlan-1", "", "vxlan-2", "vxlan-3", "vxlan-1", "vxlan-4"] {
            let flow = Flow { network: network.to_owned(), ..Flow::default() };
            outgoing.pass(Fact { fact: Some(fact::Fact::Flow(flow)) }, &mut facts);
            let observation = Observation { network: network.to_owned(), ..Observation::default() };
            outgoing.pass(Fact { fact: Some(fact::Fact::Observation(observation)) }, &mut facts);
        }
        let (flows, observations): (Vec<_>, Vec<_>) = facts
            .iter()
            .filter_map(|fact| match &fact.fact {
                Some(fact::Fact::Flow(flow)) => Some((flow.network.as_str(), true)),
                Some(fact::Fact::Observation(said)) => Some((said.network.as_str(), false)),
                None => None,
            })
            .partition(|(_, is_flow)| *is_flow);
        let names =
            |told: Vec<(&str, bool)>| told.into_iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(flows), ["vxlan-1", "", "vxlan-2", "further-tunnels", "vxlan-1", "further-tunnels"]);
        // What was said in a network before is held back there alone.
        assert_eq!(names(observations), ["vxlan-1", "", "vxlan-2", "further-tunnels"]);
        let totals = outgoing.counted(Totals::default());
        assert_eq!((totals.networks, totals.facts_of_further_networks), (2, 4));
    }
}
