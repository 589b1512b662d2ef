//! What is known of the sites in one partition: their inventories, which batches have been received, which packs of
//! knowledge have been loaded, and which commands have been applied.
//!
//! Changed only by records of the log, in their order, so that a replay from a stored memory ends in the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message as _;
use tracing::error;
use wardwatch_inventory::{Conclusions, Inventory, LogMoment};
use wardwatch_processor::{Entry, Tally, escape, unescape};
use wardwatch_proto::v1::{Batch, Command, Event, Position, event};

use crate::config::MemoryConfig;
use crate::error::Error;
use crate::library::{Laid, Library, Pack, Packs};
use crate::received::{Arrival, Received};
use crate::record::{Unreadable, believable};
use crate::tally::add_inventory;

mod command;
mod documents;
#[cfg(test)]
mod laws;
mod recent;

pub(crate) use command::{Outcome, Ruling};
use documents::Documents;
pub(crate) use documents::{Attached, Told};
use recent::Recent;

/// A boot of a sensor.
type Boot = (String, u64);

/// What is known of the sites in one partition.
#[derive(Debug)]
pub(crate) struct Memory {
    partition: u32,
    library: Arc<Library>,
    settings: wardwatch_inventory::Settings,
    limits: MemoryConfig,
    sites: BTreeMap<String, Site>,
    /// Packs for all sites.
    packs: Packs,
    /// Site (empty for all) and name of packs whose entry is to be stored, or removed.
    changed_packs: BTreeSet<(String, String)>,
    /// What is to be stored of sites that are known no longer.
    parted: Vec<Entry>,
    /// Documents for all sites and for each.
    documents: Documents,
    recent: Recent,
    /// Packs were restored whose knowledge the sites do not have yet.
    is_unsettled: bool,
}

#[derive(Debug)]
struct Site {
    inventory: Inventory,
    /// Packs for this site alone.
    packs: Packs,
    /// What its devices are concluded with.
    laid: Arc<Laid>,
    received: BTreeMap<Boot, Received>,
    /// Boots whose entry is to be stored, or removed where it is no longer in `received`.
    changed: BTreeSet<Boot>,
}

impl Memory {
    /// Nothing known yet.
    pub(crate) fn new(
        partition: u32,
        library: Arc<Library>,
        settings: wardwatch_inventory::Settings,
        limits: MemoryConfig,
    ) -> Self {
        Self {
            partition,
            library,
            settings,
            limits,
            sites: BTreeMap::new(),
            packs: Packs::new(),
            changed_packs: BTreeSet::new(),
            parted: Vec::new(),
            documents: Documents::default(),
            recent: Recent::default(),
            is_unsettled: false,
        }
    }

    /// Takes in a stored entry; their order does not matter.
    pub(crate) fn restore(&mut self, entry: &Entry) -> Result<(), Error> {
        let unknown = |problem: String| Error::UnknownEntry {
            partition: self.partition,
            key: entry.key.clone(),
            problem,
        };
        let mut parts = entry.key.splitn(3, '/');
        let (Some(kind), Some(site), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unknown("it is not kind/site/rest".into()));
        };
        let site = unescape(site);
        match kind {
            "inventory" => {
                let restored = self.site(&site).inventory.restore(rest, &entry.value);
                restored.map_err(|source| Error::Restore { site, source })
            }
            "received" => {
                let (sensor, epoch) =
                    rest.split_once('/').ok_or_else(|| unknown("it names no boot".into()))?;
                let epoch = epoch.parse().map_err(|_| unknown("its boot is not a number".into()))?;
                let received = Received::decode(&entry.value).map_err(unknown)?;
                self.site(&site).received.insert((unescape(sensor), epoch), received);
                Ok(())
            }
            "pack" => {
                let name = unescape(rest);
                let pack =
                    Pack::decode(entry.value.as_slice()).map_err(|error| unknown(error.to_string()))?;
                let packs = if site.is_empty() { &mut self.packs } else { &mut self.site(&site).packs };
                packs.insert(name, pack);
                self.is_unsettled = true;
                Ok(())
            }
            "document" => {
                let restored = self.documents.restore(site, unescape(rest), &entry.value);
                restored.map_err(|error| unknown(error.to_string()))
            }
            "command" if site.is_empty() && !rest.is_empty() => {
                self.recent.restore(rest, &entry.value).map_err(|error| unknown(error.to_string()))
            }
            _ => Err(unknown("its kind".into())),
        }
    }

    /// Takes in a batch. `None` when it had been received before.
    pub(crate) fn apply(
        &mut self,
        batch: Batch,
        at: LogMoment,
        tally: &mut Tally,
    ) -> Result<Option<Conclusions>, Unreadable> {
        self.settle(tally);
        if !self.sites.contains_key(&batch.site) && self.sites.len() >= self.limits.sites {
            return Err(Unreadable::TooManySites);
        }
        let limits = self.limits.clone();
        let site = self.site(&batch.site);
        let boot = (batch.sensor, batch.epoch);
        site.changed.insert(boot.clone());
        let received = site.received.entry(boot.clone()).or_default();
        match received.take(batch.sequence, at.log_time, limits.holes) {
            Arrival::Resent => return Ok(None),
            Arrival::New { forgotten } => tally.add("enricher_received_forgotten", forgotten as usize),
        }
        let stated = batch.facts.len();
        let facts = believable(batch.facts, tally);
        let (believed, before) = (facts.len(), site.inventory.counters());
        let conclusions = site.inventory.apply_in(&batch.scope, &boot.0, facts, at);
        add_inventory(tally, before, site.inventory.counters());
        let flows = conclusions.flows.len();
        received.count(stated, flows, believed.saturating_sub(flows));
        site.forget_boots(limits.boots, tally);
        Ok(Some(conclusions))
    }

    /// What has been received of a boot; nothing when it was forgotten, or never heard of.
    pub(crate) fn received(&self, site: &str, sensor: &str, epoch: u64) -> Option<&Received> {
        self.sites.get(site)?.received.get(&(sensor.to_owned(), epoch))
    }

    /// What has to be stored for everything that was applied since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (site, name) in std::mem::take(&mut self.changed_packs) {
            let packs =
                if site.is_empty() { Some(&self.packs) } else { self.sites.get(&site).map(|of| &of.packs) };
            let pack = packs.and_then(|packs| packs.get(&name));
            let key = format!("pack/{}/{}", escape(&site), escape(&name));
            entries.push(Entry { key, value: pack.map(Pack::encode_to_vec).unwrap_or_default() });
        }
        for ((site, document), value) in self.documents.take_changed() {
            entries.push(Entry { key: format!("document/{}/{}", escape(&site), escape(&document)), value });
        }
        let commands = self.recent.take_changed().into_iter();
        entries.extend(commands.map(|(id, value)| Entry { key: format!("command//{id}"), value }));
        for (name, site) in &mut self.sites {
            entries.extend(site.take_changed(name));
        }
        if !self.parted.is_empty() {
            // A site that has come back since knows better what is stored of it.
            let known: BTreeSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            self.parted.retain(|entry| !known.contains(entry.key.as_str()));
            entries.append(&mut self.parted);
        }
        entries
    }

    fn site(&mut self, name: &str) -> &mut Site {
        self.sites.entry(name.to_owned()).or_insert_with(|| {
            let laid = self.library.lay(&self.packs, &Packs::new());
            Site {
                inventory: Inventory::new(name, Arc::clone(&laid.knowledge), self.settings.clone()),
                packs: Packs::new(),
                laid,
                received: BTreeMap::new(),
                changed: BTreeSet::new(),
            }
        })
    }

    /// Puts all together that was restored.
    pub(crate) fn settle_all(&mut self, tally: &mut Tally) {
        self.settle(tally);
        for site in self.sites.values_mut() {
            site.inventory.settle();
        }
    }

    /// Gives each site the knowledge that it had when the memory was stored.
    fn settle(&mut self, tally: &mut Tally) {
        if !std::mem::take(&mut self.is_unsettled) {
            return;
        }
        for (name, site) in &mut self.sites {
            let laid = self.library.lay(&self.packs, &site.packs);
            for (pack, problem) in &laid.unusable {
                error!(site = name, pack, problem, "a knowledge pack cannot be used any more");
                tally.add("enricher_packs_unusable", 1);
            }
            site.inventory.adopt(Arc::clone(&laid.knowledge));
            site.laid = laid;
        }
    }
}

impl Site {
    /// What has to be stored of it for everything that was applied since the last call.
    fn take_changed(&mut self, name: &str) -> Vec<Entry> {
        let name = escape(name);
        let boots = std::mem::take(&mut self.changed).into_iter().map(|boot| {
            let value = self.received.get(&boot).map(Received::encode).unwrap_or_default();
            Entry { key: format!("received/{name}/{}/{}", escape(&boot.0), boot.1), value }
        });
        let mut entries: Vec<Entry> = boots.collect();
        let changed = self.inventory.take_changed_state().into_iter();
        entries.extend(
            changed.map(|entry| Entry { key: format!("inventory/{name}/{}", entry.key), value: entry.value }),
        );
        entries
    }

    fn forget_boots(&mut self, most: usize, tally: &mut Tally) {
        while self.received.len() > most.max(1) {
            let longest_unheard = self.received.iter().min_by_key(|(_, received)| received.last_heard());
            let Some(boot) = longest_unheard.map(|(boot, _)| boot.clone()) else { return };
            self.received.remove(&boot);
            self.changed.insert(boot);
            tally.add("enricher_boots_forgotten", 1);
        }
    }
}

/// What the alerter is told of a command.
pub(crate) fn forward(command: Command, at: LogMoment) -> Event {
    Event {
        source: Some(Position {
            incarnation: at.incarnation,
            partition: at.partition,
            offset: at.offset,
            index: 0,
        }),
        site: command.site.clone(),
        log_time: at.log_time,
        event_time: command.at,
        event: Some(event::Event::Command(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::fact::Fact as Stated;
    use wardwatch_proto::v1::{Counters, Endpoint, Fact, Flow};

    fn memory(limits: MemoryConfig) -> Memory {
        let knowledge = Arc::new(wardwatch_knowledge::Knowledge::builtin().expect("the built-in pack"));
        Memory::new(0, Arc::new(Library::new(knowledge)), wardwatch_inventory::Settings::default(), limits)
    }

    const MINUTE: u64 = 60 * 1_000_000_000;

    fn batch(site: &str, epoch: u64, sequence: u64) -> Batch {
        let end =
            |last: u8| Endpoint { mac: vec![0, 9, 0xfb, 0, 0, last], ip: vec![10, 0, 0, last], port: 104 };
        let counted = Counters { packets: 3, ..Counters::default() };
        let flow = Flow {
            id: 1,
            initiator: Some(end(1)),
            responder: Some(end(2)),
            from_initiator: Some(counted),
            from_responder: Some(counted),
            // Each boot another minute.
            start: epoch * MINUTE,
            end: epoch * MINUTE + 2_000,
            ..Flow::default()
        };
        let facts = vec![Fact { fact: Some(Stated::Flow(flow)) }];
        Batch { site: site.into(), sensor: "s/1 50%".into(), epoch, sequence, facts, ..Batch::default() }
    }

    fn moment(offset: u64) -> LogMoment {
        LogMoment { incarnation: 1, partition: 0, offset, log_time: offset }
    }

    #[test]
    fn a_resent_batch_gives_nothing_even_after_a_restart() {
        let mut before = memory(MemoryConfig::default());
        let mut tally = Tally::default();
        let first =
            before.apply(batch("a/b%2F", 7, 1), moment(0), &mut tally).expect("readable").expect("new");
        assert_eq!((first.flows.len(), first.devices.len()), (1, 2));
        assert!(before.apply(batch("a/b%2F", 7, 1), moment(1), &mut tally).expect("readable").is_none());

        let entries = before.take_changed();
        assert!(before.take_changed().is_empty(), "nothing changed since");
        let mut after = memory(MemoryConfig::default());
        for entry in entries.iter().rev() {
            after.restore(entry).expect("an entry of ours");
        }
        assert!(after.apply(batch("a/b%2F", 7, 1), moment(2), &mut tally).expect("readable").is_none());
        let again = after
            .apply(batch("a/b%2F", 8, 1), moment(3), &mut tally)
            .expect("readable")
            .expect("another boot");
        let described: Vec<&str> = first.devices.iter().map(|device| device.id.as_str()).collect();
        let seen: Vec<&str> = again.sightings.iter().map(|seen| &*seen.device).collect();
        assert_eq!(seen, described, "the devices are the same ones");
        assert!(again.devices.is_empty(), "and nothing else is different");
        assert!(again.events.is_empty(), "and nobody appeared");
    }

    #[test]
    fn what_grows_is_bounded() {
        let mut memory = memory(MemoryConfig { sites: 1, boots: 2, holes: 10, ..MemoryConfig::default() });
        let mut tally = Tally::default();
        for epoch in 0..3 {
            memory.apply(batch("a", epoch, 1), moment(epoch), &mut tally).expect("readable").expect("new");
        }
        let refused = memory.apply(batch("b", 0, 1), moment(9), &mut tally);
        assert_eq!(refused.expect_err("one site too many"), Unreadable::TooManySites);
        let forgotten: Vec<_> =
            memory.take_changed().into_iter().filter(|entry| entry.value.is_empty()).collect();
        assert_eq!(forgotten, [Entry { key: "received/a/s%2F1 50%25/0".into(), value: vec![] }]);
    }

    #[test]
    fn an_entry_of_an_unknown_kind_stops_the_partition() {
        for key in ["weather/a/b", "received/a/b", "received/a/b/not-a-number", ""] {
            let entry = Entry { key: key.into(), value: vec![] };
            let error = memory(MemoryConfig::default()).restore(&entry).expect_err("unknown");
            assert!(matches!(error, Error::UnknownEntry { .. }), "{key}: {error}");
        }
    }
}
