//! Whether a device is retired, since when, and whether it was seen after that.
//!
//! A person says so, or the state in an imported table does; a person wins. A device that is seen no more is not retired by
//! that: it is not there, which the views tell. One that is retired and seen again stays retired and is told as
//! `retired-but-seen`, so that somebody looks: it went on in use, or another device has its address now.
//!
//! What counts as after is decided by the time on the wire: the first time of use past the moment (`activity`), whatever the
//! order in which all of it became known. An endpoint keeps its last 32 times of use, so of a device that was switched on more
//! often since, the earliest that is kept is shown. Every device that is retired is in [`Register::retired`], so that
//! sightings of all others cost nothing.

use wardwatch_proto::command::{RETIRED_SINCE, Retired};
use wardwatch_proto::v1::Attribute;

use crate::conclusion::{DeviceRecord, Why};
use crate::decision::{moment, stated_by};
use crate::device::Device;
use crate::dossier::Dossier;
use crate::profile::Sketch;
use crate::register::Register;

const MINUTE: u64 = 60 * 1_000_000_000;

/// In service, by a person's word.
const IN_SERVICE: &str = "in-service";
const RETIRED: &str = "retired";
const BUT_SEEN: &str = "retired-but-seen";
/// The field that tells when it was seen after it was retired.
const SEEN_AFTER: &str = "seen_after_retirement";

/// A retired device, in minutes since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retirement {
    /// What was in use in this minute or before is no sign that it is still in use.
    through: u32,
    /// The first minute in which it was in use after that, as is shown.
    seen: Option<u32>,
}

/// Who says that a device is retired.
struct Ruling {
    retired: Retired,
    /// When it was said, in nanoseconds since the Unix epoch.
    at: u64,
    statement: String,
    evidence: String,
    confidence: u32,
}

impl Sketch<'_> {
    /// Fills in whether it is in service, since when it is not, and whether it was seen after that; `sighted` are the
    /// dossiers of what was seen of it.
    pub(crate) fn lifecycle<'a>(&mut self, sighted: impl Iterator<Item = &'a Dossier>) {
        let Some(ruling) = self.decided_retirement().or_else(|| self.retired_by_table()) else { return };
        let (since, through) = match ruling.retired {
            Retired::Never => {
                self.reason("lifecycle", IN_SERVICE, &ruling);
                self.reason(RETIRED_SINCE, "never", &ruling);
                return;
            }
            Retired::Now => (moment(ruling.at), ruling.at),
            Retired::Since { from, through } if from == through => (moment(from), through),
            Retired::Since { from, through } => (day(from), through),
        };
        let seen = first_after(sighted, minute(through));
        self.reason("lifecycle", if seen.is_some() { BUT_SEEN } else { RETIRED }, &ruling);
        self.reason(RETIRED_SINCE, &since, &ruling);
        if let Some(seen) = seen {
            let why = Why {
                field: SEEN_AFTER.to_owned(),
                value: moment(u64::from(seen) * MINUTE),
                statement: "it was seen on the network after it was retired".to_owned(),
                evidence: format!("retired since {since}: {}", ruling.evidence),
                confidence: 100,
            };
            self.conclude(SEEN_AFTER, vec![why]);
        }
    }

    /// What a person decided.
    fn decided_retirement(&self) -> Option<Ruling> {
        let decision = self.decision(RETIRED_SINCE)?;
        Some(Ruling {
            retired: Retired::read(&decision.value)?,
            at: decision.at,
            statement: "a person decided so".to_owned(),
            evidence: stated_by(&decision.author, decision.at, &decision.note),
            confidence: 100,
        })
    }

    /// What the table that is believed says of its state: since it was imported, for a state has no date.
    fn retired_by_table(&self) -> Option<Ruling> {
        let states = self.candidates(Attribute::MaintenanceState);
        let best = states.best().filter(|best| self.knowledge.is_retired_state(&best.value))?;
        Some(Ruling {
            retired: Retired::Now,
            at: best.first_seen,
            statement: best.because.words(),
            evidence: best.evidence.words(),
            confidence: best.trust.confidence,
        })
    }

    fn reason(&mut self, field: &str, value: &str, ruling: &Ruling) {
        self.record.why.push(Why {
            field: field.to_owned(),
            value: value.to_owned(),
            statement: ruling.statement.clone(),
            evidence: ruling.evidence.clone(),
            confidence: ruling.confidence,
        });
        self.detail(field, value);
    }
}

impl Register {
    /// Whether a retired device was seen after it was retired, and its record does not say so, or not since when.
    pub(crate) fn is_back(&self, at: u32, device: &Device) -> bool {
        self.retired
            .get(&at)
            .is_some_and(|known| first_after(self.sighted(device), known.through) != known.seen)
    }

    /// Keeps what a device's record says, for [`Register::is_back`].
    pub(crate) fn keep_retirement(&mut self, at: u32, record: &DeviceRecord) {
        match of_record(record) {
            Some(retirement) => {
                self.retired.insert(at, retirement);
            }
            None => {
                self.retired.remove(&at);
            }
        }
    }
}

/// Whether [`Register::keep_retirement`] reads this detail, so that it must stand in what is stored.
pub(crate) fn reads(detail: &str) -> bool {
    [RETIRED_SINCE, SEEN_AFTER].contains(&detail)
}

fn of_record(record: &DeviceRecord) -> Option<Retirement> {
    let Retired::Since { through, .. } = Retired::read(record.detail(RETIRED_SINCE))? else { return None };
    let seen = match Retired::read(record.detail(SEEN_AFTER)) {
        Some(Retired::Since { from, .. }) => Some(minute(from)),
        _ => None,
    };
    Some(Retirement { through: minute(through), seen })
}

/// The first minute past this one in which any of them was in use.
fn first_after<'a>(sighted: impl Iterator<Item = &'a Dossier>, through: u32) -> Option<u32> {
    let times = sighted.flat_map(|dossier| dossier.activity.times());
    let after = times.filter(|(_, last)| *last > through);
    after.map(|(first, _)| (*first).max(through.saturating_add(1))).min()
}

fn minute(at: u64) -> u32 {
    u32::try_from(at / MINUTE).unwrap_or(u32::MAX)
}

/// The day of a time.
fn day(at: u64) -> String {
    moment(at).split('T').next().unwrap_or_default().to_owned()
}
