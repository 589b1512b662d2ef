//! How much of what is expected is met: figures by set and field, for people and for the pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::expected::Field;
use super::judged::{Judged, Verdict};
use super::{Case, Set};

/// What was counted of one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Values that are expected.
    pub expected: u64,
    /// Of these, as expected.
    pub right: u64,
    /// Of these, types that are narrower than expected; they count as right.
    pub narrower: u64,
    /// Of these, types that are broader than expected.
    pub broader: u64,
    /// Of these, something else is stated.
    pub wrong: u64,
    /// Of these, nothing is stated.
    pub missing: u64,
    /// Values that are stated for sure, of all that were judged.
    pub sure: u64,
    /// Of these, wrong ones.
    pub surely_wrong: u64,
}

impl Tally {
    fn add(&mut self, judged: &Judged) {
        if judged.is_expected {
            self.expected += 1;
            match judged.verdict {
                Verdict::Right => self.right += 1,
                Verdict::Narrower => self.narrower += 1,
                Verdict::Broader => self.broader += 1,
                Verdict::Wrong => self.wrong += 1,
                Verdict::Missing | Verdict::Open => self.missing += 1,
            }
        }
        self.sure += u64::from(judged.is_sure());
        self.surely_wrong += u64::from(judged.is_surely_wrong());
    }

    /// Right or narrower.
    pub fn met(&self) -> u64 {
        self.right + self.narrower
    }

    /// The share of what is expected that is met: 0 to 1.
    pub fn share(&self) -> f64 {
        if self.expected == 0 { 1.0 } else { self.met() as f64 / self.expected as f64 }
    }
}

/// What was counted of devices in a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Devices {
    /// That are expected.
    pub expected: u64,
    /// Of these, that the inventory has.
    pub found: u64,
    /// Of which nobody can know the type.
    pub unknown: u64,
    /// Of these, with a type that is stated for sure.
    pub unknown_and_sure: u64,
}

/// All figures.
#[derive(Debug, Default)]
pub struct Score {
    fields: BTreeMap<(Set, Field), Tally>,
    devices: BTreeMap<Set, Devices>,
}

impl Score {
    /// Counts what was judged.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut score = Self::default();
        for case in cases {
            for judgement in &case.judgements {
                let devices = score.devices.entry(case.set).or_default();
                devices.expected += 1;
                devices.found += u64::from(judgement.is_found);
                for (field, judged) in &judgement.fields {
                    let is_unknown = *field == Field::Type && !judged.is_expected;
                    devices.unknown += u64::from(is_unknown);
                    devices.unknown_and_sure += u64::from(is_unknown && judged.is_surely_wrong());
                    score.fields.entry((case.set, *field)).or_default().add(judged);
                }
            }
        }
        score
    }

    /// What was counted of a field in a set.
    pub fn tally(&self, set: Set, field: Field) -> Tally {
        self.fields.get(&(set, field)).copied().unwrap_or_default()
    }

    /// What was counted of devices in a set.
    pub fn devices(&self, set: Set) -> Devices {
        self.devices.get(&set).copied().unwrap_or_default()
    }

    fn rows(&self) -> impl Iterator<Item = (Set, Field, Tally)> + '_ {
        self.fields.iter().map(|((set, field), tally)| (*set, *field, *tally))
    }

    /// For a terminal.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{:12}{:15}{:>9}{:>7}{:>10}{:>9}{:>7}{:>9}{:>9}{:>7}{:>12}\n",
            "",
            "",
            "expected",
            "right",
            "narrower",
            "broader",
            "wrong",
            "missing",
            "met %",
            "sure",
            "sure, wrong"
        );
        for (set, field, tally) in self.rows() {
            let Tally { expected, right, narrower, broader, wrong, missing, sure, surely_wrong } = tally;
            let (set, field, met) = (set.name(), field.name(), tally.share() * 100.0);
            let _ = writeln!(
                table,
                "{set:12}{field:15}{expected:>9}{right:>7}{narrower:>10}{broader:>9}{wrong:>7}{missing:>9}{met:>9.1}\
                 {sure:>7}{surely_wrong:>12}"
            );
        }
        for (set, devices) in &self.devices {
            let Devices { expected, found, unknown, unknown_and_sure } = devices;
            let _ = writeln!(
                table,
                "{}: {found} of {expected} devices are in the inventory; of {unknown} whose type nobody can know, \
                 {unknown_and_sure} have one for sure",
                set.name()
            );
        }
        table
    }

    /// For a page, in Markdown.
    pub fn markdown(&self) -> String {
        let mut page = String::from(
            "| set | field | expected | right | broader | wrong | not stated | right % | stated for sure | of these wrong |\n\
             |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for (set, field, tally) in self.rows() {
            let Tally { expected, broader, wrong, missing, sure, surely_wrong, .. } = tally;
            let (met, percent) = (tally.met(), tally.share() * 100.0);
            let _ = writeln!(
                page,
                "| {} | {} | {expected} | {met} | {broader} | {wrong} | {missing} | {percent:.1} | {sure} | {surely_wrong} |",
                set.name(),
                field.name()
            );
        }
        page.push_str(
            "\n| set | devices | in the inventory | type not knowable | of these with a type for sure |\n\
             |---|---:|---:|---:|---:|\n",
        );
        for (set, devices) in &self.devices {
            let Devices { expected, found, unknown, unknown_and_sure } = devices;
            let name = set.name();
            let _ = writeln!(page, "| {name} | {expected} | {found} | {unknown} | {unknown_and_sure} |");
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::devices::judged::Judgement;

    fn judged(verdict: Verdict, is_expected: bool, confidence: u32) -> Judged {
        Judged {
            verdict,
            is_expected,
            wanted: String::new(),
            stated: if verdict == Verdict::Missing { String::new() } else { "something".into() },
            confidence,
            is_beyond_taxonomy: false,
        }
    }

    #[test]
    fn each_verdict_is_counted_once_and_what_is_sure_apart() {
        let fields = [
            judged(Verdict::Right, true, 90),
            judged(Verdict::Narrower, true, 50),
            judged(Verdict::Broader, true, 90),
            judged(Verdict::Wrong, true, 80),
            judged(Verdict::Missing, true, 0),
            judged(Verdict::Wrong, false, 99),
            judged(Verdict::Open, false, 20),
        ];
        let judgement = |judged: Judged| Judgement {
            device: "a".into(),
            is_found: judged.verdict != Verdict::Missing,
            fields: BTreeMap::from([(Field::Type, judged)]),
        };
        let judgements = fields.into_iter().map(judgement).collect();
        let score = Score::of(&[Case { set: Set::Captures, id: "area/a.pcap".into(), judgements }]);
        let tally = score.tally(Set::Captures, Field::Type);
        assert_eq!(
            tally,
            Tally {
                expected: 5,
                right: 1,
                narrower: 1,
                broader: 1,
                wrong: 1,
                missing: 1,
                sure: 4,
                surely_wrong: 2
            }
        );
        assert!((tally.share() - 0.4).abs() < f64::EPSILON);
        let devices = score.devices(Set::Captures);
        assert_eq!(devices, Devices { expected: 7, found: 6, unknown: 2, unknown_and_sure: 1 });
        assert!(score.markdown().contains("| captures | type | 5 | 2 | 1 | 1 | 1 | 40.0 | 4 | 2 |"));
        assert!(score.table().contains("captures: 6 of 7 devices"));
    }
}
