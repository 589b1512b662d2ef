//! Faults before the log: kills, stalls and restarts of sensors, collectors and the broker.

use std::time::Duration;

use super::deal::Deal;
use super::{Action, Blow, Instance, Plan, Service, Side, When};
use crate::stage::Log;

/// Which captures the processes of each sensor play. Whatever befalls them it is the same, so that what came of them can be
/// compared: one that is killed takes what it has not kept with it, the next one plays the next captures.
const PLAYS: [&[&[usize]]; 2] = [&[&[0, 1], &[2], &[4]], &[&[4, 3], &[0, 2]]];

/// Long enough for a sensor to play its captures.
const LIFE: Duration = Duration::from_millis(1500);

/// The points that a sensor passes while its spool is emptied.
const EMPTYING: [&str; 3] =
    ["sensor.uplink-after-send", "sensor.uplink-after-ack", "sensor.spool-after-remove"];

/// Two sensors, each at a site of its own.
pub(super) fn sensors() -> Vec<Instance> {
    let plays = |of: &[&[usize]]| of.iter().map(|captures| captures.to_vec()).collect();
    (1..)
        .zip(PLAYS)
        .map(|(number, of)| Instance { plays: plays(of), ..Instance::new(Service::Sensor, number) })
        .collect()
}

/// The plan of a seed.
pub(super) fn of(seed: u64, log: Log) -> Plan {
    let mut deal = Deal::new(seed, 0xBEF0);
    let mut plan = Plan::calm(log, Side::Before);
    let collectors = deal.collectors(log, &mut plan.instances);
    // One half of the seeds is to lose nothing: a sensor is killed when it has kept all that it plays, which nobody has taken
    // from it yet, and then while its spool is emptied.
    let is_lossless = deal.dice.once_in(2);
    for instance in &mut plan.instances {
        match instance.service {
            Service::Sensor if is_lossless => {
                deal.patient_sensor(instance);
                let kills = (1_u32..).take(instance.plays.len() - 1).map(|life| When::After(LIFE * life));
                plan.blows.extend(kills.map(|when| (when, Blow::Kill(instance.name.clone()))));
            }
            Service::Sensor => deal.sensor(instance),
            _ if collectors.contains(&instance.name) && is_lossless => {
                instance.begins = Some(deal.milliseconds(4000, 5500));
            }
            _ => {}
        }
    }
    let names: Vec<String> = plan.instances.iter().map(|instance| instance.name.clone()).collect();
    let of = |service: Service| names.iter().filter(move |name| name.starts_with(service.name())).cloned();
    let sensors: Vec<String> = of(Service::Sensor).collect();
    for _ in 0..deal.dice.below(4) {
        let collector = collectors[deal.dice.below(collectors.len())].clone();
        let sensor = sensors[deal.dice.below(sensors.len())].clone();
        let blow = match deal.dice.below(8) {
            0 | 1 => Blow::Kill(collector),
            2 => Blow::Restart(collector),
            3 => Blow::Stop(collector, deal.milliseconds(300, 3000)),
            4 => Blow::Stop(sensor, deal.milliseconds(300, 3000)),
            5 if log == Log::Kafka => Blow::Broker(deal.milliseconds(0, 800)),
            6 if log == Log::Kafka => Blow::StopBroker(deal.milliseconds(300, 3000)),
            _ => Blow::Server(deal.milliseconds(0, 800)),
        };
        plan.blows.push((When::After(deal.milliseconds(1500, 7000)), blow));
    }
    plan
}

impl Deal {
    /// Adds a second collector now and then, and gives them faults; their names.
    fn collectors(&mut self, log: Log, instances: &mut Vec<Instance>) -> Vec<String> {
        if log == Log::Kafka && self.dice.once_in(2) {
            instances.push(Instance::new(Service::Collector, 2));
        }
        let collects =
            |instance: &&mut Instance| matches!(instance.service, Service::Collector | Service::Standalone);
        let mut names = Vec::new();
        for instance in instances.iter_mut().filter(collects) {
            let lives = self.dice.below(4);
            instance.lives = (0..lives).map(|_| self.life(&["collector"])).collect();
            names.push(instance.name.clone());
        }
        names
    }

    /// Gives a sensor faults, for each of its processes at most one that is lethal.
    fn sensor(&mut self, sensor: &mut Instance) {
        for _ in 0..=sensor.plays.len() {
            let life = if self.dice.below(4) < 3 { self.life(&["sensor"]) } else { Vec::new() };
            sensor.lives.push(life);
        }
    }

    /// Gives a sensor faults while its spool is emptied.
    fn patient_sensor(&mut self, sensor: &mut Instance) {
        sensor.lives = vec![Vec::new(); sensor.plays.len() - 1];
        for _ in 0..=self.dice.below(3) {
            let mut fault = self.fault_of(&EMPTYING);
            fault.action = Action::Kill;
            sensor.lives.push(vec![fault]);
        }
    }
}
