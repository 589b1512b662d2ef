//! What a person decided about a device, and for whom it stands.
//!
//! A decision is kept with the device that it was made about. When that device turns out to be part of another, the
//! decision stands for the other, and comes back with the device when the two are told apart again. Where several
//! decisions about one field meet on a device, the one that stands last in the log is followed.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use wardwatch_proto::command::{RETIRED_SINCE, Retired};
use wardwatch_proto::v1::OverrideAttribute;

use crate::conclusion::{LogMoment, Why};
use crate::device::Device;
use crate::register::Register;

/// A value that a person stated for a field of a device, in place of what the evidence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) value: String,
    pub(crate) author: String,
    pub(crate) note: String,
    /// When it was made, in nanoseconds since the Unix epoch.
    pub(crate) at: u64,
    /// Where it stands in the log: incarnation and offset.
    pub(crate) place: (u32, u64),
}

/// Decisions by field, as in [`wardwatch_proto::command::FIELDS`].
pub(crate) type Decisions = BTreeMap<&'static str, Decision>;

/// Why nothing came of what a person asked for; the words stand in the table `commands`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The site has no device of this id.
    UnknownDevice,
    /// The field cannot be overridden.
    UnknownField,
    /// The value means no moment since which a device can be retired.
    NoMoment,
    /// The device would be retired after it was decided.
    InTheFuture,
    /// There is no override of this field to be withdrawn.
    NotOverridden,
    /// Both ids are of one device.
    SameDevice,
    /// There is no ruling about these two to be withdrawn.
    NotRuled,
    /// The site has as many rulings as there may be.
    TooManyRulings,
}

impl Undecided {
    /// The reason in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown-device",
            Self::UnknownField => "unknown-field",
            Self::NoMoment => "no-moment",
            Self::InTheFuture => "in-the-future",
            Self::NotOverridden => "not-overridden",
            Self::SameDevice => "same-device",
            Self::NotRuled => "not-ruled",
            Self::TooManyRulings => "too-many-rulings",
        }
    }
}

impl Decision {
    /// The reason for believing it.
    pub(crate) fn why(&self, field: &str) -> Why {
        Why {
            field: field.to_owned(),
            value: self.value.clone(),
            statement: "a person decided so".to_owned(),
            evidence: stated_by(&self.author, self.at, &self.note),
            confidence: 100,
        }
    }
}

/// A time (nanoseconds since the Unix epoch) as people read it, to the second.
pub(crate) fn moment(at: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp((at / 1_000_000_000).cast_signed());
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Who decided something, when (nanoseconds since the Unix epoch) and why, in words.
pub(crate) fn stated_by(author: &str, at: u64, note: &str) -> String {
    let at = moment(at);
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    format!("{author}, {at}{note}")
}

impl Register {
    /// The decisions that stand for a device: its own and those of the devices that are part of it now.
    pub(crate) fn decisions(&self, device: u32) -> BTreeMap<&'static str, &Decision> {
        let mut standing: BTreeMap<&'static str, &Decision> = BTreeMap::new();
        if self.decided == 0 {
            return standing;
        }
        for part in self.parts_of(device) {
            let own = self.devices.get(part as usize).map(|part| &part.decisions);
            for (field, decision) in own.into_iter().flatten() {
                let known = standing.entry(field).or_insert(decision);
                if known.place < decision.place {
                    *known = decision;
                }
            }
        }
        standing
    }

    /// Keeps or withdraws what a person stated about a device; gives the devices whose stored state changed, and first the
    /// one that it stands for now.
    pub(crate) fn decide(
        &mut self,
        command: &OverrideAttribute,
        author: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<Vec<u32>, Undecided> {
        let field = wardwatch_proto::command::field(&command.field).ok_or(Undecided::UnknownField)?;
        let device = self.named(&command.device).ok_or(Undecided::UnknownDevice)?;
        let mut changed = vec![device];
        if command.value.is_empty() {
            for part in self.parts_of(device) {
                let Some(part_of_it) = self.devices.get_mut(part as usize) else { continue };
                if part_of_it.decisions.remove(field).is_some() {
                    self.decided -= 1;
                    changed.push(part);
                }
            }
            return if changed.len() > 1 { Ok(changed) } else { Err(Undecided::NotOverridden) };
        }
        if field == RETIRED_SINCE {
            let retired = Retired::read(&command.value).ok_or(Undecided::NoMoment)?;
            if retired.is_ahead_of(made_at) {
                return Err(Undecided::InTheFuture);
            }
        }
        let decision = Decision {
            value: command.value.clone(),
            author: author.to_owned(),
            note: command.note.clone(),
            at: made_at,
            place: (at.incarnation, at.offset),
        };
        let about = self.devices.get_mut(device as usize).ok_or(Undecided::UnknownDevice)?;
        self.decided += usize::from(about.decisions.insert(field, decision).is_none());
        Ok(changed)
    }

    /// A device stands for itself, or is part of another from now on. Gives the device that it was part of until now.
    pub(crate) fn is_part_of(&mut self, device: u32, whole: Option<u32>) -> Option<u32> {
        let before = match whole {
            Some(whole) => self.wholes.insert(device, whole),
            None => self.wholes.remove(&device),
        };
        if before == whole {
            return None;
        }
        if let Some(parts) = before.and_then(|before| self.parts.get_mut(&before)) {
            parts.remove(&device);
        }
        if let Some(whole) = whole {
            self.parts.entry(whole).or_default().insert(device);
        }
        before
    }

    /// Enters what the restored devices say of each other.
    pub(crate) fn enter_parts(&mut self) {
        for at in 0..self.devices.len() as u32 {
            let Some(device) = self.devices.get(at as usize) else { continue };
            self.decided += device.decisions.len();
            let whole = if self.is_real(device) { None } else { self.whole_of(device.known.superseded_by) };
            self.is_part_of(at, whole);
        }
    }

    /// The device of this id.
    pub(crate) fn whole_of(&self, id: Option<Uuid>) -> Option<u32> {
        self.find_device(&id?)
    }

    /// The device of this id, or the one that it is part of now.
    pub(crate) fn named(&self, id: &str) -> Option<u32> {
        self.stands_in(self.whole_of(Uuid::parse_str(id).ok())?)
    }

    /// The device, or the one that it is part of now; `None` where nothing is known of it but hearsay.
    fn stands_in(&self, device: u32) -> Option<u32> {
        let has_appeared = |at: &u32| self.devices.get(*at as usize).is_some_and(Device::has_appeared);
        let mut seen = BTreeSet::new();
        let mut at = Some(device).filter(has_appeared)?;
        while let Some(whole) = self.wholes.get(&at).copied().filter(has_appeared)
            && seen.insert(at)
        {
            at = whole;
        }
        Some(at)
    }

    /// The device and everything that is part of it now.
    fn parts_of(&self, device: u32) -> BTreeSet<u32> {
        let mut all = BTreeSet::from([device]);
        let mut open = vec![device];
        while let Some(at) = open.pop() {
            let parts = self.parts.get(&at).into_iter().flatten();
            open.extend(parts.filter(|part| all.insert(**part)));
        }
        all
    }
}
