//! Faults after the log: kills, stalls and restarts of enrichers, alerters and engines.

use std::time::Duration;

use super::deal::{Deal, PAST_THE_SESSION, tables};
use super::{Blow, Fault, Instance, Plan, Service, Side, When};
use crate::detour::{Hold, Through};
use crate::stage::Log;

/// The plan of a seed.
pub(super) fn of(seed: u64, log: Log) -> Plan {
    let mut deal = Deal::new(seed, 0xFA17);
    match log {
        Log::Kafka => deal.on_kafka(),
        Log::Embedded => deal.embedded(),
    }
}

impl Deal {
    fn on_kafka(&mut self) -> Plan {
        let mut instances = Vec::new();
        for service in [Service::Enricher, Service::Alerter] {
            let count = self.pick(&[1, 2, 2, 4]);
            for number in 1..=count {
                let mut lives = Vec::new();
                // Each death costs the group its session timeout, so few and at about the same time.
                if number == 1 || self.dice.below(10) < 5 {
                    lives.push(vec![self.fault(&[service.name()])]);
                    if self.dice.below(10) < 3 {
                        lives.push(vec![self.fault(&[service.name()])]);
                    }
                }
                let is_late = number > 1 && self.dice.once_in(3);
                let begins = if is_late { self.milliseconds(1500, 6000) } else { Duration::ZERO };
                instances.push(self.instance(service, number, begins, lives));
            }
        }
        let names: Vec<String> = instances.iter().map(|instance| instance.name.clone()).collect();
        let mut blows = Vec::new();
        for _ in 0..self.pick(&[0, 1, 1, 2, 3]) {
            let name = names[self.dice.below(names.len())].clone();
            let blow = match self.dice.below(12) {
                0..=2 => Blow::Kill(name),
                3..=4 => Blow::Restart(name),
                5 => Blow::Stop(name, self.milliseconds(300, 2000)),
                6..=7 => Blow::Stop(name, PAST_THE_SESSION),
                8 => Blow::Broker(self.milliseconds(0, 800)),
                9..=10 => Blow::Server(self.milliseconds(0, 800)),
                _ => Blow::RollWindows,
            };
            blows.push((When::After(self.milliseconds(100, 5000)), blow));
        }
        let hold = self.hold(&mut instances, &mut blows);
        Plan { instances, blows, hold, ..Plan::calm(Log::Kafka, Side::After) }
    }

    /// Now and then an insert of the first enricher or alerter is late, and it is dead by then; or answers are lost.
    fn hold(&mut self, instances: &mut [Instance], blows: &mut Vec<(When, Blow)>) -> Option<Hold> {
        let service = [Service::Enricher, Service::Alerter][self.dice.below(2)];
        let owner = instances.iter_mut().find(|instance| instance.service == service)?;
        let tables = tables(service.name());
        let table = tables[self.dice.below(tables.len())].to_owned();
        let number = 1 + self.dice.below(4);
        let through = match self.dice.below(8) {
            0 => Through::Nothing,
            1 => Through::AllButTheEnd,
            2 => Through::AllButTheAnswer,
            _ => return None,
        };
        owner.by_detour = true;
        if through != Through::AllButTheAnswer {
            blows.push((When::Caught(Duration::ZERO), Blow::Kill(owner.name.clone())));
            if self.dice.once_in(3) {
                blows.push((When::Caught(self.milliseconds(1000, 9000)), Blow::RollWindows));
            }
            blows.push((When::Caught(self.milliseconds(500, 12_000)), Blow::Release));
        }
        Some(Hold { table, number, through })
    }

    fn embedded(&mut self) -> Plan {
        let lives = 2 + self.dice.below(6);
        // Nobody waits for a session here, so every life ends by a kill, some after a delay.
        let lives = (0..lives).map(|_| self.life(&["enricher", "alerter"])).collect();
        let instances = vec![self.instance(Service::Standalone, 1, Duration::ZERO, lives)];
        let name = || "standalone-1".to_owned();
        let mut blows = Vec::new();
        for _ in 0..self.dice.below(4) {
            let blow = match self.dice.below(6) {
                0 | 1 => Blow::Kill(name()),
                2 => Blow::Restart(name()),
                3 => Blow::Stop(name(), self.milliseconds(300, 2000)),
                4 => Blow::Server(self.milliseconds(0, 800)),
                _ => Blow::RollWindows,
            };
            blows.push((When::After(self.milliseconds(100, 6000)), blow));
        }
        Plan { instances, blows, ..Plan::calm(Log::Embedded, Side::After) }
    }

    fn instance(
        &mut self,
        service: Service,
        number: usize,
        begins: Duration,
        lives: Vec<Vec<Fault>>,
    ) -> Instance {
        Instance {
            rows: self.pick(&[20, 40, 100, 300, 1000, 3000]),
            age: Duration::from_millis(self.pick(&[15, 40, 100, 300])),
            begins: Some(begins),
            lives,
            ..Instance::new(service, number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::deal::points;
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan_every_time_and_another_seed_another() {
        for log in [Log::Kafka, Log::Embedded] {
            assert_eq!(of(7, log), of(7, log));
            let plans: Vec<_> = (0..20).map(|seed| of(seed, log)).collect();
            assert!(plans.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn the_points_are_those_that_services_pass() {
        let points = points(&["enricher", "alerter"]);
        assert!(points.iter().all(|point| wardwatch_faults::is_point(point)), "{points:?}");
        for point in ["enricher.insert-body:plans", "alerter.insert-after:alert_events", "enricher.compacted"]
        {
            assert!(points.iter().any(|known| known == point), "{point}");
        }
    }

    #[test]
    fn sixty_seeds_in_a_row_reach_for_every_point() {
        let mut reached = std::collections::BTreeSet::new();
        for seed in 0..60 {
            for log in [Log::Kafka, Log::Embedded] {
                let plan = of(seed, log);
                let faults = plan.instances.iter().flat_map(|instance| instance.lives.iter().flatten());
                reached.extend(faults.map(|fault| fault.point.clone()));
            }
        }
        let all = points(&["enricher", "alerter"]);
        let missing: Vec<_> = all.into_iter().filter(|point| !reached.contains(point)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
