//! What plans are dealt from.

use std::collections::BTreeMap;
use std::time::Duration;

use wardwatch_faults::POINTS;
use wardwatch_tests::oracle::dice::Dice;

use super::{Action, Fault};

/// The tables that each service inserts into within a range.
const TABLES: [(&str, &[&str]); 2] = [
    (
        "enricher",
        &[
            "flows",
            "conversations",
            "site_minute",
            "devices",
            "sightings",
            "attributes",
            "changes",
            "commands",
            "device_notes",
            "sensor_boots",
            "documents",
            "components",
            "mds2_answers",
            "import_rows",
        ],
    ),
    ("alerter", &["alerts", "alert_events"]),
];
/// What it inserts besides, by which a body can be cut.
const BODIES: [(&str, &[&str]); 2] =
    [("enricher", &["plans", "enricher_state"]), ("alerter", &["plans", "alerter_state"])];

/// Longer than the session of a group's member: when it goes on, its partitions are another's.
pub(super) const PAST_THE_SESSION: Duration = Duration::from_millis(7500);

/// Between two points that one seed deals.
const STEP: u64 = 11;

/// Deals from a seed.
pub(super) struct Deal {
    pub(super) dice: Dice,
    seed: u64,
    /// How many points of each list were dealt: seeds in a row go through all of them.
    dealt: BTreeMap<String, u64>,
}

impl Deal {
    pub(super) fn new(seed: u64, family: u64) -> Self {
        Self { dice: Dice::new(seed ^ family), seed, dealt: BTreeMap::new() }
    }

    /// A kill, and now and then something else before it.
    pub(super) fn life(&mut self, services: &[&str]) -> Vec<Fault> {
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
    pub(super) fn fault(&mut self, services: &[&str]) -> Fault {
        let points = points(services);
        let names: Vec<&str> = points.iter().map(String::as_str).collect();
        self.fault_of(&names)
    }

    /// The same at one of these points.
    pub(super) fn fault_of(&mut self, points: &[&str]) -> Fault {
        let dealt = self.dealt.entry(points.first().copied().unwrap_or_default().to_owned()).or_default();
        let place = self.seed.wrapping_add(*dealt * STEP) % points.len() as u64;
        *dealt += 1;
        let point = points[place as usize].to_owned();
        let once_a_partition = ["claim", "state-loaded", "plan-read", "marks-read", "sought"];
        let is_rare = point.contains("compact") || once_a_partition.iter().any(|rare| point.contains(rare));
        let most = match () {
            () if is_rare => 3,
            () if point.contains("spool-") => 8,
            () => self.pick(&[2, 6, 20]),
        };
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

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.dice.below(of.len())]
    }

    pub(super) fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
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
    let all = if point.contains("insert-body") { tables(service) } else { of(&TABLES, service) };
    all.into_iter().map(|table| format!("{point}{table}")).collect()
}

/// Every table that a service inserts into.
pub(super) fn tables(service: &str) -> Vec<&'static str> {
    [of(&TABLES, service), of(&BODIES, service)].concat()
}

fn of(tables: &[(&str, &[&'static str])], service: &str) -> Vec<&'static str> {
    tables
        .iter()
        .filter(|(name, _)| *name == service)
        .flat_map(|(_, tables)| tables.iter().copied())
        .collect()
}
