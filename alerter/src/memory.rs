//! What is known about one partition: the alerts of its sites, and how far `wardwatch.facts` has been heard of.
//!
//! The enricher tells its events at least once: after a crash it tells a run of them again, in the same order. So one
//! position is enough to know a repeat: what is not above the highest source that was judged has been judged.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use wardwatch_processor::{Entry, Tally, escape, unescape};
use wardwatch_proto::v1::{Event, Position};

use crate::config::MemoryConfig;
use crate::error::Error;
use crate::judge::{Judge, Update};
use crate::record::Unreadable;

/// The key under which the highest source is stored.
const HEARD: &str = "heard";

/// What is known about one partition.
#[derive(Debug)]
pub(crate) struct Memory {
    limits: MemoryConfig,
    /// By name; sites without alerts are not kept.
    sites: BTreeMap<String, Judge>,
    /// The highest source that was judged.
    heard: Option<Position>,
    /// Whether `heard` is to be stored.
    heard_more: bool,
    /// Alerts to be stored, or removed where their site has them no longer: site and id.
    changed: BTreeSet<(String, String)>,
}

impl Memory {
    /// Nothing known yet.
    pub(crate) fn new(limits: MemoryConfig) -> Self {
        Self { limits, sites: BTreeMap::new(), heard: None, heard_more: false, changed: BTreeSet::new() }
    }

    /// Takes in a stored entry; their order does not matter.
    pub(crate) fn restore(&mut self, entry: &Entry) -> Result<(), Error> {
        let failed = |source| Error::Restore { key: entry.key.clone(), source };
        let mut parts = entry.key.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(HEARD), None, ..) => {
                self.heard = Some(Position::decode(entry.value.as_slice()).map_err(failed)?);
                Ok(())
            }
            (Some("alert"), Some(site), Some(_), None) => {
                let site = unescape(site);
                let judge = self.sites.entry(site).or_insert_with_key(|site| Judge::new(site));
                judge.restore(&entry.value).map_err(failed)
            }
            _ => Err(Error::UnknownEntry { key: entry.key.clone() }),
        }
    }

    /// Whether what came of this place in `wardwatch.facts` has been judged already.
    pub(crate) fn has_judged(&self, source: Position) -> bool {
        self.heard.is_some_and(|heard| rank(source) <= rank(heard))
    }

    /// Judges an event that came of `source` and lies at `place` in `wardwatch.events`.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        source: Position,
        place: Position,
        tally: &mut Tally,
    ) -> Result<Vec<Update>, Unreadable> {
        if self.has_judged(source) {
            tally.add("alerter_events_repeated", 1);
            return Ok(Vec::new());
        }
        let updates = self.judge(event, place, tally)?;
        self.heard = Some(source);
        self.heard_more = true;
        tally.add("alerter_events_judged", 1);
        for update in &updates {
            tally.add_labelled("alerter_alert_updates", "action", update.action.name(), 1);
            self.changed.insert((event.site.clone(), update.alert.id.clone()));
        }
        self.forget(&event.site, tally);
        Ok(updates)
    }

    /// What has to be stored for everything that was applied since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.changed.len() + 1);
        for (site, id) in std::mem::take(&mut self.changed) {
            let alert = self.sites.get(&site).and_then(|judge| judge.alert(&id));
            let value = alert.map(Message::encode_to_vec).unwrap_or_default();
            entries.push(Entry { key: format!("alert/{}/{}", escape(&site), escape(&id)), value });
        }
        if let Some(heard) = self.heard.filter(|_| std::mem::take(&mut self.heard_more)) {
            entries.push(Entry { key: HEARD.into(), value: heard.encode_to_vec() });
        }
        entries
    }

    fn judge(
        &mut self,
        event: &Event,
        place: Position,
        tally: &mut Tally,
    ) -> Result<Vec<Update>, Unreadable> {
        let known = self.sites.get_mut(&event.site);
        let is_new = known.is_none();
        let mut fresh = Judge::new(&event.site);
        let judge = known.unwrap_or(&mut fresh);
        let before = judge.unknown_alerts();
        let updates = judge.apply(event, place);
        let unknown = judge.unknown_alerts() - before;
        if is_new && !updates.is_empty() {
            if self.sites.len() >= self.limits.sites {
                return Err(Unreadable::TooManySites);
            }
            self.sites.insert(event.site.clone(), fresh);
        }
        tally.add("alerter_commands_for_unknown_alerts", unknown as usize);
        Ok(updates)
    }

    fn forget(&mut self, site: &str, tally: &mut Tally) {
        let most = self.limits.alerts.max(1);
        let Some(judge) = self.sites.get_mut(site) else { return };
        let forgotten = judge.forget_beyond(most);
        tally.add("alerter_alerts_forgotten", forgotten.len());
        self.changed.extend(forgotten.into_iter().map(|id| (site.to_owned(), id)));
    }
}

/// Orders what came of one partition of `wardwatch.facts`.
fn rank(source: Position) -> (u32, u64, u32) {
    (source.incarnation, source.offset, source.index)
}

#[cfg(test)]
mod tests;
