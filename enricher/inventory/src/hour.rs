//! What describing a device reads of times: their hours.
//!
//! Most devices are seen every minute and say what they said before. Describing one anew takes most of what the enricher
//! does, and its row is several kilobytes. So a device is described from times that are rounded down to the hour, and
//! only when there is news or one of these hours is another; between that it is told when it was seen last and nothing
//! else ([`crate::conclusion::SightingRecord`]). That makes a record a function of the evidence all the same.

use std::hash::{BuildHasher as _, Hash, Hasher as _};

use hashbrown::DefaultHashBuilder;

use crate::attachment::CELLS;
use crate::dossier::Dossier;

/// In nanoseconds.
const HOUR: u64 = 3600 * 1_000_000_000;

/// The hour of an event time, by its beginning.
pub(crate) fn hour(at: u64) -> u64 {
    at - at % HOUR
}

/// All times that a device was described from, as a hash. While it is the same and there is no news, so is the
/// description but for when the device was seen last. It means something within one process alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times(u64);

/// Makes [`Times`] of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clockwork(DefaultHashBuilder);

impl Clockwork {
    /// The times of a device that is made of these dossiers.
    pub(crate) fn times<'a>(&self, dossiers: impl Iterator<Item = &'a Dossier>) -> Times {
        let mut hasher = self.0.build_hasher();
        for dossier in dossiers {
            dossier.first_seen.hash(&mut hasher);
            hour(dossier.last_seen()).hash(&mut hasher);
            for conversation in &dossier.conversations {
                hour(conversation.last_seen).hash(&mut hasher);
            }
            for binding in &dossier.bindings {
                hour(binding.last).hash(&mut hasher);
            }
            for statement in dossier.statements.iter() {
                let is_latest =
                    CELLS.iter().any(|(_, attribute, _)| i32::from(*attribute) == statement.key.attribute);
                let last = if is_latest { statement.last_seen } else { statement.last_hour() };
                (statement.first_seen, last).hash(&mut hasher);
            }
        }
        Times(hasher.finish())
    }
}
