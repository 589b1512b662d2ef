//! A plan from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use wardwatch_faults::POINTS;
use wardwatch_tests::oracle::dice::Dice;

use super::{Action, Blow, Fault, Instance, Plan, REST, Service, When};
use crate::stage::Log;

/// The tables that each service inserts into within a range.
const TABLES: [(&str, &[&str]); 2] = [
    (
        "enricher",
        &["flows", "conversations", "site_minute", "devices", "attributes", "changes", "sensor_boots"],
    ),
    ("alerter", &["alerts", "alert_events"]),
];
/// What it inserts besides, by which a body can be cut.
const BODIES: [(&str, &[&str]); 2] =
    [("enricher", &["plans", "enricher_state"]), ("alerter", &["plans", "alerter_state"])];

/// Longer than the session of a group's member: when it goes on, its partitions are another's.
const PAST_THE_SESSION: Duration = Duration::from_millis(7500);

/// Between two points that one seed deals.
const STEP: u64 = 11;

/// Faults after the log: kills, stalls and restarts of enrichers, alerters and engines.
pub fn after_kafka(seed: u64, log: Log) -> Plan {
    let mut deal = Deal { dice: Dice::new(seed ^ 0xFA17), seed, dealt: BTreeMap::new() };
    match log {
        Log::Kafka => deal.on_kafka(),
        Log::Embedded => deal.embedded(),
    }
}

struct Deal {
    dice: Dice,
    seed: u64,
    /// How many points of each list were dealt: seeds in a row go through all of them.
    dealt: BTreeMap<String, u64>,
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
        Plan { log: Log::Kafka, instances, blows, hold: None, without: [].into() }
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
        Plan { log: Log::Embedded, instances, blows, hold: None, without: [].into() }
    }

    fn instance(
        &mut self,
        service: Service,
        number: usize,
        begins: Duration,
        lives: Vec<Vec<Fault>>,
    ) -> Instance {
        Instance {
            service,
            name: format!("{}-{number}", service.name()),
            rows: self.pick(&[20, 40, 100, 300, 1000, 3000]),
            age: Duration::from_millis(self.pick(&[15, 40, 100, 300])),
            begins: Some(begins),
            rest: Some(REST),
            by_detour: false,
            lives,
        }
    }

    /// A kill, and now and then something else before it.
    fn life(&mut self, services: &[&str]) -> Vec<Fault> {
        let mut life = vec![Fault { action: Action::Kill, ..self.fault(services) }];
        if self.dice.once_in(3) {
            let delay = Action::Stall(self.milliseconds(100, 1500));
            let delayed = Fault { action: delay, ..self.fault(services) };
            if (&delayed.point, delayed.hit) != (&life[0].point, life[0].hit) {
                life.push(delayed);
            }
        }
        life
    }

    /// A fault at a point of one of the services, early enough that it is reached.
    fn fault(&mut self, services: &[&str]) -> Fault {
        let points = points(services);
        let dealt = self.dealt.entry(services.join(" ")).or_default();
        let place = self.seed.wrapping_add(*dealt * STEP) % points.len() as u64;
        *dealt += 1;
        let point = points[place as usize].clone();
        let once_a_partition = ["claim", "state-loaded", "plan-read", "marks-read", "sought"];
        let is_rare = point.contains("compact") || once_a_partition.iter().any(|rare| point.contains(rare));
        let most = if is_rare { 3 } else { self.pick(&[2, 6, 20]) };
        let hit = 1 + self.dice.below(most) as u64;
        let action = match self.dice.below(20) {
            0..=12 => Action::Kill,
            13 => Action::Stop(self.milliseconds(300, 2000)),
            14..=16 => Action::Stop(PAST_THE_SESSION),
            17 => Action::Stall(PAST_THE_SESSION),
            _ => Action::Stall(self.milliseconds(100, 1500)),
        };
        Fault { point, hit, action }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.dice.below(of.len())]
    }

    fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.dice.below((to - from) as usize) as u64)
    }
}

/// Every point of these services, those of a table once for each.
pub(super) fn points(services: &[&str]) -> Vec<String> {
    let of = |point: &&&str| services.iter().any(|service| point.split('.').next() == Some(service));
    POINTS.iter().filter(of).flat_map(|point| with_tables(point)).collect()
}

fn with_tables(point: &str) -> Vec<String> {
    let Some(service) = point.strip_suffix(':').and_then(|point| point.split('.').next()) else {
        return vec![point.to_owned()];
    };
    let tables = |of: &[(&str, &[&'static str])]| -> Vec<&'static str> {
        of.iter()
            .filter(|(name, _)| *name == service)
            .flat_map(|(_, tables)| tables.iter().copied())
            .collect()
    };
    let mut all = tables(&TABLES);
    if point.contains("insert-body") {
        all.extend(tables(&BODIES));
    }
    all.into_iter().map(|table| format!("{point}{table}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan_every_time_and_another_seed_another() {
        for log in [Log::Kafka, Log::Embedded] {
            assert_eq!(after_kafka(7, log), after_kafka(7, log));
            let plans: Vec<_> = (0..20).map(|seed| after_kafka(seed, log)).collect();
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
                let plan = after_kafka(seed, log);
                let faults = plan.instances.iter().flat_map(|instance| instance.lives.iter().flatten());
                reached.extend(faults.map(|fault| fault.point.clone()));
            }
        }
        let all = points(&["enricher", "alerter"]);
        let missing: Vec<_> = all.into_iter().filter(|point| !reached.contains(point)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
