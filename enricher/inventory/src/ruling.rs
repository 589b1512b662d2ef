//! What people ruled about which devices are one: it wins over all evidence until it is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use uuid::Uuid;
use wardwatch_proto::v1::RuleSameness;
use wardwatch_proto::v1::rule_sameness::Verdict;

use crate::decision::{Undecided, stated_by};
use crate::device::Device;
use crate::register::Register;

/// Rulings of one site; one more is refused, since each was made by a person and none may be forgotten.
const MOST_RULINGS: usize = 10_000;

/// That two bases are one device, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) is_same: bool,
    pub(crate) author: String,
    pub(crate) note: String,
    /// When it was made, in nanoseconds since the Unix epoch.
    pub(crate) at: u64,
}

/// The rulings of a site, by the ids of the two bases, the lesser first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rulings {
    by_pair: BTreeMap<(Uuid, Uuid), Ruling>,
    partners: BTreeMap<Uuid, BTreeSet<Uuid>>,
    /// Pairs whose state is to be written.
    changed: BTreeSet<(Uuid, Uuid)>,
}

/// As it is stored; an empty value is a ruling that was withdrawn.
#[derive(Clone, PartialEq, Message)]
struct RulingState {
    #[prost(bool, tag = "1")]
    is_same: bool,
    #[prost(string, tag = "2")]
    author: String,
    #[prost(string, tag = "3")]
    note: String,
    #[prost(fixed64, tag = "4")]
    at: u64,
}

impl Ruling {
    /// Who decided it, when and why.
    pub(crate) fn evidence(&self) -> String {
        stated_by(&self.author, self.at, &self.note)
    }
}

fn pair(a: Uuid, b: Uuid) -> (Uuid, Uuid) {
    (a.min(b), a.max(b))
}

impl Rulings {
    pub(crate) fn between(&self, a: Uuid, b: Uuid) -> Option<&Ruling> {
        self.by_pair.get(&pair(a, b))
    }

    /// The bases that something was ruled about together with this one.
    pub(crate) fn partners(&self, of: Uuid) -> impl Iterator<Item = Uuid> {
        self.partners.get(&of).into_iter().flatten().copied()
    }

    /// All bases that something was ruled about.
    pub(crate) fn all(&self) -> impl Iterator<Item = Uuid> {
        self.partners.keys().copied()
    }

    fn set(&mut self, a: Uuid, b: Uuid, ruling: Option<Ruling>) {
        let key = pair(a, b);
        self.changed.insert(key);
        if let Some(ruling) = ruling {
            self.by_pair.insert(key, ruling);
            self.partners.entry(a).or_default().insert(b);
            self.partners.entry(b).or_default().insert(a);
            return;
        }
        self.by_pair.remove(&key);
        for (of, other) in [(a, b), (b, a)] {
            if let Some(partners) = self.partners.get_mut(&of) {
                partners.remove(&other);
                if partners.is_empty() {
                    self.partners.remove(&of);
                }
            }
        }
    }

    /// Keys and values of the state entries that changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<(String, Vec<u8>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let entry = |(a, b): (Uuid, Uuid)| {
            let state = self.by_pair.get(&(a, b)).map(|ruling| RulingState {
                is_same: ruling.is_same,
                author: ruling.author.clone(),
                note: ruling.note.clone(),
                at: ruling.at,
            });
            (format!("ruling/{a}/{b}"), state.map(|state| state.encode_to_vec()).unwrap_or_default())
        };
        changed.map(entry).collect()
    }

    /// Takes in a stored ruling.
    ///
    /// # Errors
    /// What is wrong with the key or the value.
    pub(crate) fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        let ids =
            key.split_once('/').and_then(|(a, b)| Some((Uuid::parse_str(a).ok()?, Uuid::parse_str(b).ok()?)));
        let (a, b) = ids.ok_or("it names no two devices")?;
        if value.is_empty() {
            return Ok(());
        }
        let RulingState { is_same, author, note, at } =
            RulingState::decode(value).map_err(|error| error.to_string())?;
        self.set(a, b, Some(Ruling { is_same, author, note, at }));
        self.changed.clear();
        Ok(())
    }
}

impl Register {
    /// Keeps or withdraws a ruling about two devices. What was ruled about devices that others are part of now is ruled
    /// about all of these.
    pub(crate) fn rule(
        &mut self,
        command: &RuleSameness,
        author: &str,
        made_at: u64,
    ) -> Result<(), Undecided> {
        let base = |id: &str| {
            let at = Uuid::parse_str(id).ok().and_then(|id| self.find_device(&id));
            at.filter(|at| self.devices.get(*at as usize).is_some_and(Device::has_appeared))
        };
        let (Some(device), Some(other)) = (base(&command.device), base(&command.other)) else {
            return Err(Undecided::UnknownDevice);
        };
        if device == other {
            return Err(Undecided::SameDevice);
        }
        let id = |at: u32| self.devices.get(at as usize).map(|device| device.id);
        let (Some(a), Some(b)) = (id(device), id(other)) else { return Err(Undecided::UnknownDevice) };
        let verdict = Verdict::try_from(command.verdict).unwrap_or_default();
        let is_known = self.rulings.between(a, b).is_some();
        let ruling = match verdict {
            Verdict::Unspecified if !is_known => return Err(Undecided::NotRuled),
            Verdict::Unspecified => None,
            Verdict::Same | Verdict::Apart => Some(Ruling {
                is_same: verdict == Verdict::Same,
                author: author.to_owned(),
                note: command.note.clone(),
                at: made_at,
            }),
        };
        if ruling.is_some() && !is_known && self.rulings.by_pair.len() >= MOST_RULINGS {
            return Err(Undecided::TooManyRulings);
        }
        self.rulings.set(a, b, ruling);
        self.batch.suspects.extend([device, other]);
        Ok(())
    }
}
