//! Which value to believe: the best source wins, then the surest, then the newest that is still being said.

use std::borrow::Cow;

use wardwatch_knowledge::{Knowledge, Source, Trust};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::conclusion::Why;
use crate::reason::{Basis, Because};
use crate::statement::Statement;

/// A value counts as still being said until this long after the newest of its rivals: one day.
const STILL_SAID: u64 = 86_400 * 1_000_000_000;

/// A value that a field may have, and the best reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    pub(crate) value: Cow<'a, str>,
    pub(crate) trust: Trust,
    pub(crate) first_seen: u64,
    /// By the hour.
    pub(crate) last_seen: u64,
    pub(crate) because: Because<'a>,
    pub(crate) evidence: Basis<'a>,
}

impl Candidate<'_> {
    /// Why a field has this value, or may have it.
    pub(crate) fn why(self, field: &str) -> Why {
        Why {
            field: field.to_owned(),
            value: self.value.into_owned(),
            statement: self.because.words(),
            evidence: self.evidence.words(),
            confidence: self.trust.confidence,
        }
    }
}

/// The candidates for one field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates<'a> {
    list: Vec<Candidate<'a>>,
}

impl<'a> Candidates<'a> {
    /// Adds a candidate. Of the same value the best reason stays, over the time of all.
    pub(crate) fn add(&mut self, new: Candidate<'a>) {
        let Some(known) = self.list.iter_mut().find(|known| known.value == new.value) else {
            self.list.push(new);
            return;
        };
        let first_seen = known.first_seen.min(new.first_seen);
        let last_seen = known.last_seen.max(new.last_seen);
        let is_better = order(new.trust)
            .cmp(&order(known.trust))
            .then_with(|| new.evidence.words().cmp(&known.evidence.words()));
        if is_better.is_lt() {
            *known = new;
        }
        (known.first_seen, known.last_seen) = (first_seen, last_seen);
    }

    /// The value to believe.
    ///
    /// Among equally good sources the values still being said compete, and the one that was first said last wins: a
    /// new version takes over at once, and two that are said in turn do not make the choice flutter. Of several that are
    /// said at once the shortest is believed: the others are those of parts, with more words (DICOM, 0018,1020).
    pub(crate) fn best(&self) -> Option<&Candidate<'a>> {
        let best = self.list.iter().map(|candidate| order(candidate.trust)).min()?;
        let rivals = || self.list.iter().filter(|candidate| order(candidate.trust) == best);
        let newest = rivals().map(|candidate| candidate.last_seen).max()?;
        rivals().filter(|candidate| candidate.last_seen.saturating_add(STILL_SAID) >= newest).max_by(
            |a, b| {
                (a.first_seen, a.last_seen)
                    .cmp(&(b.first_seen, b.last_seen))
                    .then_with(|| b.value.len().cmp(&a.value.len()))
                    .then_with(|| b.value.cmp(&a.value))
            },
        )
    }

    /// Whether sources of equal standing go on saying different things: in an hour after the best value was first said, a
    /// rival was still said. A new version that replaces an old one is no conflict, even though a sensor states the old one
    /// again that it heard minutes before.
    pub(crate) fn is_conflicting(&self) -> bool {
        let Some(best) = self.best() else { return false };
        let mut rivals = self.list.iter().filter(|other| {
            order(other.trust) == order(best.trust)
                && other.value != best.value
                && other.last_seen.saturating_add(STILL_SAID) >= best.last_seen
        });
        rivals.any(|rival| rival.last_seen > best.first_seen)
    }

    /// All of them, the best source first.
    pub(crate) fn ranked(mut self) -> Vec<Candidate<'a>> {
        self.list.sort_by(|a, b| {
            order(a.trust)
                .cmp(&order(b.trust))
                .then_with(|| b.last_seen.cmp(&a.last_seen))
                .then_with(|| a.value.cmp(&b.value))
        });
        self.list
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Lower is better.
fn order(trust: Trust) -> (u32, u32) {
    (trust.rank, 100 - trust.confidence.min(100))
}

/// How far a statement is believed.
pub(crate) fn trust(knowledge: &Knowledge, statement: &Statement) -> Trust {
    let (attribute, protocol, role) = words(statement);
    knowledge.trust(attribute, Source::Protocol(protocol), role)
}

/// A statement's numbers as the contract names them.
pub(crate) fn words(statement: &Statement) -> (Attribute, Protocol, Role) {
    (
        Attribute::try_from(statement.key.attribute).unwrap_or_default(),
        Protocol::try_from(statement.key.protocol).unwrap_or_default(),
        Role::try_from(statement.role).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = STILL_SAID;

    fn candidate(value: &str, rank: u32, first_seen: u64, last_seen: u64) -> Candidate<'_> {
        Candidate {
            value: value.into(),
            trust: Trust { rank, confidence: 90 },
            first_seen,
            last_seen,
            because: Because::Words("says so"),
            evidence: Basis::Mac([0; 6]),
        }
    }

    fn best(list: &[Candidate<'_>]) -> String {
        let mut candidates = Candidates::default();
        list.iter().cloned().for_each(|candidate| candidates.add(candidate));
        let mut reversed = Candidates::default();
        list.iter().rev().cloned().for_each(|candidate| reversed.add(candidate));
        assert_eq!(candidates.best(), reversed.best(), "the order of arrival must not matter");
        candidates.best().map(|candidate| candidate.value.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_best_source_wins_however_old() {
        assert_eq!(best(&[candidate("dicom", 0, 0, 1), candidate("banner", 8, 50 * DAY, 60 * DAY)]), "dicom");
    }

    #[test]
    fn a_new_version_takes_over_at_once() {
        assert_eq!(
            best(&[candidate("1.0", 0, 0, 10 * DAY), candidate("1.1", 0, 10 * DAY + 1, 10 * DAY + 1)]),
            "1.1"
        );
    }

    #[test]
    fn a_value_no_longer_said_gives_way() {
        assert_eq!(best(&[candidate("1.0", 0, 0, 20 * DAY), candidate("1.1", 0, 10 * DAY, 11 * DAY)]), "1.0");
    }

    #[test]
    fn two_values_said_in_turn_do_not_flutter() {
        let b = candidate("b", 0, 2, 1000);
        assert_eq!(best(&[candidate("a", 0, 1, 999), b.clone()]), "b");
        assert_eq!(best(&[candidate("a", 0, 1, 1001), b]), "b");
    }

    #[test]
    fn what_goes_on_being_said_beside_the_best_is_a_conflict() {
        let conflicts = |list: &[Candidate<'_>]| {
            let mut candidates = Candidates::default();
            list.iter().cloned().for_each(|candidate| candidates.add(candidate));
            candidates.is_conflicting()
        };
        assert!(conflicts(&[candidate("a", 0, 1, 1000), candidate("b", 0, 2, 999)]));
        assert!(!conflicts(&[candidate("1.0", 0, 1, 10), candidate("1.1", 0, 11, 12)]), "an update");
        assert!(!conflicts(&[candidate("a", 0, 1, 1000), candidate("b", 4, 2, 999)]), "a lesser source");
        assert!(!conflicts(&[candidate("a", 0, 1, 2)]));
    }

    #[test]
    fn ties_are_broken_by_length_and_then_by_value() {
        assert_eq!(best(&[candidate("a", 0, 1, 2), candidate("b", 0, 1, 2)]), "a");
        assert_eq!(best(&[candidate("a b", 0, 1, 2), candidate("c", 0, 1, 2)]), "c");
        assert_eq!(best(&[]), "");
    }
}
