//! All evidence about one endpoint. Devices are views over dossiers: when it turns out that an address belongs to
//! another device than was thought, its dossier moves there with everything in it, and nothing is lost or mixed.

use std::sync::Arc;

use crate::activity::Activity;
use crate::identity::EndpointId;
use crate::scope::Ip;
use crate::statement::Statements;

/// VLANs, sensors, tellers: more of one of these is noise.
const MOST_OF_EACH: usize = 16;
/// Addresses outside the site that are remembered of one interface: enough to tell a router.
const MOST_OUTSIDE: usize = 32;
/// Findings that are remembered of one endpoint.
const MOST_FINDINGS: usize = 256;
/// Last sightings are kept to the minute, so that a device that talks all day is written once a minute and not with each of
/// its flows. Rounded down, they do not depend on the order in which evidence comes.
const GRAIN: u64 = 60 * 1_000_000_000;

/// All evidence about one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dossier {
    pub(crate) id: EndpointId,
    /// It has sent something, or a protocol of the link named its MAC address; otherwise it is hearsay.
    pub(crate) exists: bool,
    /// Event time; meaningless while it does not exist.
    pub(crate) first_seen: u64,
    /// The minute in which it was seen last, by its beginning.
    pub(crate) last_minute: u64,
    pub(crate) statements: Statements,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) vlans: Vec<u32>,
    pub(crate) sensors: Vec<Arc<str>>,
    pub(crate) findings: Vec<Told>,
    /// When it was in use, to the minute.
    pub(crate) activity: Activity,
    /// Of a third device: who told of it, and first when.
    pub(crate) tellers: Vec<(EndpointId, u64)>,
    /// Of an interface: addresses that ARP or DHCP bound to it.
    pub(crate) bindings: Vec<Interval>,
    /// Of an interface: addresses outside the site in frames that it sent.
    pub(crate) outside: Vec<Interval>,
}

/// A copy of all evidence of a site, for nothing but to be weighed: what a device takes of memory beyond its evidence is
/// what it takes less this.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceCopy(pub(crate) Vec<Dossier>);

/// An address and the event times between which it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) ip: Ip,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A kind of conversation that the endpoint was seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Conversation {
    pub(crate) protocol: i32,
    pub(crate) initiated: bool,
    pub(crate) internet: bool,
    pub(crate) last_seen: u64,
}

/// A finding that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) finding: FindingKey,
    /// Event time.
    pub(crate) at: u64,
}

/// What makes two sightings one finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FindingKey {
    pub(crate) attribute: i32,
    pub(crate) value: String,
    pub(crate) protocol: i32,
    /// The other end's address in words; empty where it is not known.
    pub(crate) peer: String,
}

/// Between which event times any of them was seen.
pub(crate) fn seen<'a>(dossiers: impl Iterator<Item = &'a Dossier>) -> (u64, u64) {
    let ends = dossiers.map(|dossier| (dossier.first_seen, dossier.last_seen()));
    ends.reduce(|all, next| (all.0.min(next.0), all.1.max(next.1))).unwrap_or_default()
}

impl Dossier {
    pub(crate) fn new(id: EndpointId) -> Self {
        Self {
            id,
            exists: false,
            first_seen: u64::MAX,
            last_minute: 0,
            statements: Statements::default(),
            conversations: Vec::new(),
            vlans: Vec::new(),
            sensors: Vec::new(),
            findings: Vec::new(),
            activity: Activity::default(),
            tellers: Vec::new(),
            bindings: Vec::new(),
            outside: Vec::new(),
        }
    }

    /// It was seen, and so it exists.
    pub(crate) fn sight(&mut self, first: u64, last: u64) -> Sighting {
        let minute = minute(last);
        let is_news = self.activity.note(first, last);
        let has_changed = is_news || first < self.first_seen || minute > self.last_minute;
        self.first_seen = self.first_seen.min(first);
        self.last_minute = self.last_minute.max(minute);
        match (std::mem::replace(&mut self.exists, true), has_changed) {
            (false, _) => Sighting::First,
            (true, true) => Sighting::Later,
            (true, false) => Sighting::Known,
        }
    }

    /// When it was seen last, rounded down to the minute, but not before it was seen first.
    pub(crate) fn last_seen(&self) -> u64 {
        self.last_minute.max(self.first_seen)
    }

    /// Whether the sensor is new to it.
    pub(crate) fn seen_by(&mut self, sensor: &Arc<str>) -> bool {
        match self.sensors.binary_search(sensor) {
            Err(at) if self.sensors.len() < MOST_OF_EACH => {
                self.sensors.insert(at, Arc::clone(sensor));
                true
            }
            _ => false,
        }
    }

    /// Whether the VLAN is new to it.
    pub(crate) fn seen_in(&mut self, vlan: u32) -> bool {
        match self.vlans.binary_search(&vlan) {
            Err(at) if self.vlans.len() < MOST_OF_EACH => {
                self.vlans.insert(at, vlan);
                true
            }
            _ => false,
        }
    }

    /// Notes a kind of conversation. There are few kinds: protocols, directions, in and out.
    pub(crate) fn spoke(&mut self, heard: Conversation) -> Sighting {
        let heard = Conversation { last_seen: minute(heard.last_seen), ..heard };
        let kind = |c: &Conversation| (c.protocol, c.initiated, c.internet);
        match self.conversations.binary_search_by(|known| kind(known).cmp(&kind(&heard))) {
            Ok(at) => match self.conversations.get_mut(at) {
                Some(known) if known.last_seen < heard.last_seen => {
                    known.last_seen = heard.last_seen;
                    Sighting::Later
                }
                _ => Sighting::Known,
            },
            Err(at) => {
                self.conversations.insert(at, heard);
                Sighting::First
            }
        }
    }

    /// Whether the teller is new to it, or told of it earlier than was known.
    pub(crate) fn told_by(&mut self, teller: &EndpointId, at: u64) -> bool {
        let is_room = self.tellers.len() < MOST_OF_EACH;
        match self.tellers.iter_mut().find(|(known, _)| known == teller) {
            Some((_, first)) if *first <= at => false,
            Some((_, first)) => {
                *first = at;
                true
            }
            None if is_room => {
                self.tellers.push((teller.clone(), at));
                self.tellers.sort();
                true
            }
            None => false,
        }
    }

    /// Remembers an address outside the site; the longest unseen goes. Whether that changed anything.
    pub(crate) fn sent_from_outside(&mut self, ip: Ip, first: u64, last: u64) -> bool {
        let sighting = extend(&mut self.outside, ip, first, minute(last));
        if self.outside.len() > MOST_OUTSIDE {
            remove_oldest(&mut self.outside);
        }
        sighting != Sighting::Known
    }

    /// Whether a finding is new, or old enough to be told again; and whether another was forgotten for it.
    pub(crate) fn is_worth_telling(
        &mut self,
        finding: FindingKey,
        at: u64,
        again_after: u64,
    ) -> (bool, bool) {
        match self.findings.binary_search_by(|told| told.finding.cmp(&finding)) {
            Ok(known) => {
                let Some(told) = self.findings.get_mut(known) else { return (false, false) };
                let is_due = at.checked_sub(told.at).is_some_and(|age| age >= again_after);
                if is_due {
                    told.at = at;
                }
                (is_due, false)
            }
            Err(place) => {
                self.findings.insert(place, Told { finding, at });
                let is_full = self.findings.len() > MOST_FINDINGS;
                if is_full {
                    let oldest = self.findings.iter().enumerate().min_by_key(|(_, told)| told.at);
                    if let Some((oldest, _)) = oldest {
                        self.findings.remove(oldest);
                    }
                }
                (true, is_full)
            }
        }
    }
}

/// What a sighting changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// It had not been seen before.
    First,
    /// It has now been seen earlier or later than before.
    Later,
    /// Nothing.
    Known,
}

fn minute(at: u64) -> u64 {
    at - at % GRAIN
}

/// Adds a sighting of an address.
pub(crate) fn extend(intervals: &mut Vec<Interval>, ip: Ip, first: u64, last: u64) -> Sighting {
    match intervals.binary_search_by(|known| known.ip.cmp(&ip)) {
        Ok(at) => match intervals.get_mut(at) {
            Some(known) if first < known.first || last > known.last => {
                known.first = known.first.min(first);
                known.last = known.last.max(last);
                Sighting::Later
            }
            _ => Sighting::Known,
        },
        Err(at) => {
            intervals.insert(at, Interval { ip, first, last });
            Sighting::First
        }
    }
}

/// Gives up the interval that ended first.
pub(crate) fn remove_oldest(intervals: &mut Vec<Interval>) -> Option<Interval> {
    let (oldest, _) = intervals.iter().enumerate().min_by_key(|(_, interval)| interval.last)?;
    Some(intervals.remove(oldest))
}

/// How many of the intervals, each kept open for `slack`, were open at the same time.
pub(crate) fn most_at_once(intervals: impl Iterator<Item = (u64, u64)>, slack: u64) -> usize {
    let mut turns: Vec<(u64, i32)> =
        intervals.flat_map(|(first, last)| [(first, 1), (last.saturating_add(slack), -1)]).collect();
    // What opens at the moment another closes counts as together with it.
    turns.sort_unstable_by_key(|(at, turn)| (*at, std::cmp::Reverse(*turn)));
    let (mut open, mut most) = (0_i32, 0);
    for (_, turn) in turns {
        open += turn;
        most = most.max(open);
    }
    usize::try_from(most).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_counted_where_they_meet() {
        assert_eq!(most_at_once([].into_iter(), 0), 0);
        assert_eq!(most_at_once([(0, 5), (6, 9), (10, 12)].into_iter(), 0), 1);
        assert_eq!(most_at_once([(0, 5), (6, 9), (10, 12)].into_iter(), 1), 2);
        assert_eq!(most_at_once([(0, 5), (5, 9), (3, 4)].into_iter(), 0), 2);
        assert_eq!(most_at_once([(0, 100), (1, 2), (50, 60), (50, 51)].into_iter(), 0), 3);
    }

    #[test]
    fn sightings_are_kept_to_the_minute() {
        const SECOND: u64 = 1_000_000_000;
        let mut dossier = Dossier::new(EndpointId::Interface([0, 1, 2, 3, 4, 5]));
        assert_eq!(dossier.sight(130 * SECOND, 135 * SECOND), Sighting::First);
        assert_eq!((dossier.first_seen, dossier.last_seen()), (130 * SECOND, 130 * SECOND));
        assert_eq!(dossier.sight(131 * SECOND, 179 * SECOND), Sighting::Known);
        assert_eq!(dossier.sight(129 * SECOND, 129 * SECOND), Sighting::Later);
        assert_eq!(dossier.sight(150 * SECOND, 181 * SECOND), Sighting::Later);
        assert_eq!((dossier.first_seen, dossier.last_seen()), (129 * SECOND, 180 * SECOND));
    }

    #[test]
    fn a_finding_is_told_again_after_its_time_and_memory_is_bounded() {
        let mut dossier = Dossier::new(EndpointId::Interface([0, 1, 2, 3, 4, 5]));
        let finding = |peer: u32| FindingKey {
            attribute: 100,
            value: "http-basic".into(),
            protocol: 5,
            peer: peer.to_string(),
        };
        assert_eq!(dossier.is_worth_telling(finding(1), 10, 100), (true, false));
        assert_eq!(dossier.is_worth_telling(finding(1), 50, 100), (false, false));
        assert_eq!(
            dossier.is_worth_telling(finding(1), 5, 100),
            (false, false),
            "an earlier sighting that came late"
        );
        assert_eq!(dossier.is_worth_telling(finding(1), 110, 100), (true, false));
        assert_eq!(dossier.is_worth_telling(finding(2), 110, 100), (true, false));
        for peer in 0..1000 {
            dossier.is_worth_telling(finding(peer), 200, 100);
        }
        assert_eq!(dossier.findings.len(), MOST_FINDINGS);
    }
}
