//! What is different after a message, and what is told of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use wardwatch_knowledge::Knowledge;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::event::Event as Kind;
use wardwatch_proto::v1::{DeviceAppeared, DeviceChanged, DeviceSummary, Event, Finding, Position};

use crate::choice::{trust, words};
use crate::chosen::Chosen;
use crate::conclusion::{
    AttributeRecord, Change, Conclusions, DeviceRecord, LogMoment, RowRecord, SightingRecord, Why,
};
use crate::details;
use crate::device::Device;
use crate::dossier::{self, FindingKey};
use crate::intake::{End, Pending};
use crate::known::Known;
use crate::profile::{self, Profile};
use crate::register::{Batch, Register};
use crate::retirement;
use crate::statement::{InOrder, Statement, StatementKey};
use crate::summary::{full, summary};

/// Conclusions being drawn from one message.
pub(crate) struct Concluding<'a> {
    pub(crate) register: &'a mut Register,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) site: &'a str,
    pub(crate) sensor: &'a str,
    pub(crate) at: LogMoment,
    /// Event time of the newest fact.
    pub(crate) newest: u64,
    pub(crate) conclusions: Conclusions,
    /// Rows of tables that are to be told of.
    pub(crate) rows: BTreeSet<u32>,
}

/// What happened to one device.
#[derive(Debug, Default)]
struct Affected {
    /// In any order, and perhaps more than once.
    statements: Vec<StatementKey>,
    has_news: bool,
    /// Where a dossier of it went.
    gone_to: Option<u32>,
}

impl Concluding<'_> {
    /// Brings every device up to date that the batch touched. The indices of those that changed, in the order of their ids.
    pub(crate) fn devices(&mut self, batch: &Batch) -> Vec<u32> {
        let mut affected = self.affected(batch);
        self.settle_parts(&mut affected);
        self.each(affected)
    }

    /// Brings every device up to date after the knowledge has changed.
    pub(crate) fn all(&mut self, batch: &Batch, before: &Knowledge) -> Vec<u32> {
        let mut affected = self.affected(batch);
        for (at, device) in (0_u32..).zip(&self.register.devices) {
            if !device.has_appeared() && !self.register.is_real(device) {
                continue;
            }
            let entry = affected.entry(at).or_default();
            entry.has_news = true;
            let members = device.members.iter().filter_map(|at| self.register.dossier(*at));
            for statement in members.flat_map(|dossier| dossier.statements.iter()) {
                let (attribute, ..) = words(statement);
                let is_many = |knowledge: &Knowledge| knowledge.has_many_values(attribute);
                if trust(before, statement) != trust(self.knowledge, statement)
                    || is_many(before) != is_many(self.knowledge)
                {
                    entry.statements.push(statement.key.clone());
                }
            }
        }
        self.settle_parts(&mut affected);
        self.each(affected)
    }

    /// Brings one device up to date, about which a person decided.
    pub(crate) fn decided(&mut self, device: u32) {
        self.each(BTreeMap::from([(device, Affected { has_news: true, ..Affected::default() })]));
    }

    /// The indices of the devices that changed, in the order of their ids.
    fn each(&mut self, mut affected: BTreeMap<u32, Affected>) -> Vec<u32> {
        let mut order: Vec<(uuid::Uuid, u32)> = affected
            .keys()
            .filter_map(|at| Some((self.register.devices.get(*at as usize)?.id, *at)))
            .collect();
        order.sort_unstable();
        self.conclusions.devices.reserve(affected.len());
        self.conclusions
            .attributes
            .reserve(affected.values().map(|affected| affected.statements.len()).sum::<usize>());
        let order = order.into_iter().map(|(_, at)| at);
        order.filter(|at| affected.remove(at).is_some_and(|affected| self.device(*at, affected))).collect()
    }

    fn affected(&mut self, batch: &Batch) -> BTreeMap<u32, Affected> {
        let mut affected: BTreeMap<u32, Affected> = BTreeMap::new();
        for (dossier, before) in &batch.moved {
            let now = self.register.links.get(*dossier as usize).and_then(|link| link.device);
            let Some(known) = self.register.dossier(*dossier) else { continue };
            let keys: Vec<StatementKey> =
                known.statements.iter().map(|statement| statement.key.clone()).collect();
            for device in [*before, now].into_iter().flatten() {
                let entry = affected.entry(device).or_default();
                entry.has_news = true;
                entry.statements.extend(keys.iter().cloned());
            }
            if let (Some(before), Some(now)) = (before.filter(|before| Some(*before) != now), now) {
                let entry = affected.entry(before).or_default();
                // Where dossiers went to several devices, the first by id stands for them.
                let id = |at: u32| self.register.devices.get(at as usize).map(|device| device.id);
                if entry.gone_to.is_none_or(|known| id(now) < id(known)) {
                    entry.gone_to = Some(now);
                }
            }
        }
        for (device, keys) in &batch.dropped {
            let entry = affected.entry(*device).or_default();
            entry.has_news = true;
            entry.statements.extend(keys.iter().cloned());
        }
        for dossier in &batch.touched {
            let Some(link) = self.register.link_mut(*dossier) else { continue };
            let has_news = std::mem::take(&mut link.has_news);
            let device = link.device;
            let touched = self.register.dossier_mut(*dossier).map(|known| known.statements.take_touched());
            if let Some(device) = device {
                let entry = affected.entry(device).or_default();
                entry.has_news |= has_news;
                entry.statements.extend(touched.unwrap_or_default());
            }
        }
        affected
    }

    /// Notes which devices are part of which, before any is described. Who loses a decision by that is described, too.
    fn settle_parts(&mut self, affected: &mut BTreeMap<u32, Affected>) {
        // As it was before any of them became part of another: devices come in the order in which they were met.
        let decided: BTreeSet<u32> =
            affected.keys().copied().filter(|at| !self.register.decisions(*at).is_empty()).collect();
        let mut bereft = Vec::new();
        for (at, affected) in affected.iter() {
            let Some(device) = self.register.devices.get(*at as usize) else { continue };
            let is_joined = device.joint().under.is_some();
            let is_part = (device.has_appeared() || is_joined) && !self.register.is_real(device);
            let before = device.known.superseded_by;
            let whole = is_part
                .then(|| device.joint().under.or(affected.gone_to).or_else(|| self.register.whole_of(before)))
                .flatten();
            let left = self.register.is_part_of(*at, whole);
            if decided.contains(at) {
                bereft.extend(left);
            }
        }
        for at in bereft {
            affected.entry(at).or_default().has_news = true;
        }
    }

    /// Whether it changed.
    fn device(&mut self, at: u32, affected: Affected) -> bool {
        let Some(device) = self.register.devices.get(at as usize) else { return false };
        let is_real = self.register.is_real(device);
        match (is_real, device.has_appeared()) {
            // What is joined at once was never told of by itself, and is to be found by its id all the same.
            (false, false) if device.joint().under.is_none() => false,
            (false, _) => {
                self.superseded(at, affected);
                true
            }
            (true, had_appeared) => self.present(at, affected, had_appeared),
        }
    }

    /// Nothing but hearsay is left of it: its evidence has moved to another device.
    fn superseded(&mut self, at: u32, affected: Affected) {
        let under = self.register.devices.get(at as usize).and_then(|device| device.joint().under);
        let now = under.or(affected.gone_to).and_then(|to| self.register.devices.get(to as usize));
        let superseded_by = now.map(|device| device.id.to_string()).unwrap_or_default();
        let (first_seen, last_seen) = self.seen_at_roots(at);
        let Some(device) = self.register.devices.get_mut(at as usize) else { return };
        let (kept, is_new) = (device.kept(), !device.has_appeared());
        let before = kept.superseded_by;
        let mut record = DeviceRecord {
            id: device.id.to_string(),
            name: if is_new { device.key.to_string() } else { kept.name },
            first_seen: if is_new { first_seen } else { kept.first_seen },
            last_seen: if is_new { last_seen } else { kept.last_seen },
            knowledge: self.knowledge.version().to_owned(),
            superseded_by: if superseded_by.is_empty() { before.clone() } else { superseded_by },
            ..DeviceRecord::default()
        };
        let (statement, evidence) = match device.joint().why.as_deref() {
            Some((_, likely)) => (likely.because.clone(), likely.evidence.clone()),
            None => (
                "its address belongs to another device, by ARP, DHCP or what was seen since".to_owned(),
                String::new(),
            ),
        };
        record.why = vec![Why {
            field: "superseded_by".to_owned(),
            value: record.superseded_by.clone(),
            statement,
            evidence,
            confidence: 90,
        }];
        device.chosen = Chosen::default();
        device.known = Known::of(&mut record, |_| true);
        self.statements(at, affected.statements, true);
        if record.superseded_by != before {
            let after = record.superseded_by.clone();
            self.changed(&record, "superseded_by", before, after);
        }
        self.conclusions.devices.push(record);
    }

    /// Whether it changed: what is said of it again changes nothing about itself.
    fn present(&mut self, at: u32, affected: Affected, had_appeared: bool) -> bool {
        let Some(device) = self.register.devices.get(at as usize) else { return false };
        let (first_seen, last_seen) = self.register.seen(device);
        let mut statements = affected.statements;
        let known = &device.known;
        let was_superseded = known.superseded_by.is_some();
        let times = self.register.times_of(device);
        let is_as_described = had_appeared
            && !affected.has_news
            && !was_superseded
            && known.first_seen == first_seen
            && device.times == times
            && !self.register.is_back(at, device);
        if is_as_described {
            self.statements(at, statements, true);
            self.seen_again(at, last_seen);
            return false;
        }
        self.rows.extend(device.members.iter().filter(|member| self.register.is_row(**member)));
        let Profile { mut record, chosen } = profile::describe(self.register, at, device, self.knowledge);
        statements.extend(self.reconsidered(device, &chosen, !had_appeared || was_superseded));
        let Some(device) = self.register.devices.get_mut(at as usize) else { return false };
        device.chosen = chosen;
        device.times = times;
        let is_kept = |detail: &str| self.knowledge.tells_changes_of(detail) || retirement::reads(detail);
        let now = Known::of(&mut record, is_kept);
        let is_different = !device.known.is_as(&now);
        let before = is_different.then(|| device.kept());
        let superseded_by = std::mem::replace(&mut device.known, now).superseded_by;
        self.register.keep_retirement(at, &record);
        self.statements(at, statements, had_appeared);
        if had_appeared {
            if let Some(whole) = superseded_by {
                self.changed(&record, "superseded_by", whole.to_string(), String::new());
            } else if let Some(before) = before {
                self.differences(&before, &record);
            }
        } else {
            let device = Some(full(&record));
            self.tell(record.first_seen, Kind::DeviceAppeared(DeviceAppeared { device }));
        }
        self.conclusions.devices.push(record);
        true
    }

    /// It is as it was described; it may have been seen in another minute.
    fn seen_again(&mut self, at: u32, last_seen: u64) {
        let Some(device) = self.register.devices.get_mut(at as usize) else { return };
        if device.known.last_seen != last_seen {
            device.known.last_seen = last_seen;
            self.conclusions.sightings.push(SightingRecord { device: device.id_text(), last_seen });
        }
    }

    /// Tells what is different of a device.
    fn differences(&mut self, before: &DeviceRecord, after: &DeviceRecord) {
        let knowledge = self.knowledge;
        let details = knowledge.profile().iter().filter(|field| field.is_told).map(|field| &*field.name);
        let is_column = |name: &str| details::COLUMNS.iter().any(|column| column.name == name);
        let columns = details::COLUMNS.iter().filter(|column| column.is_told).map(|column| column.name);
        for field in columns.chain(details.filter(|name| !is_column(name))) {
            let (before, now) = (details::value_of(before, field), details::value_of(after, field));
            if before != now {
                self.changed(after, field, before.into_owned(), now.into_owned());
            }
        }
        if before.score != after.score {
            self.changed(after, "score", before.score.to_string(), after.score.to_string());
        }
    }

    /// Between which event times the interface, address or key itself was seen, whatever device it is part of.
    fn seen_at_roots(&self, at: u32) -> (u64, u64) {
        let roots = self.register.devices.get(at as usize).map(|device| device.roots.as_slice());
        let seen = roots.unwrap_or_default().iter().filter_map(|root| self.register.dossier(*root));
        dossier::seen(seen.filter(|root| root.exists))
    }

    /// The statements whose standing is another: those for a value that is now shown or no longer is, or all.
    fn reconsidered(&self, device: &Device, chosen: &Chosen, all: bool) -> Vec<StatementKey> {
        if !all && device.chosen == *chosen {
            return Vec::new();
        }
        let differs = |key: &StatementKey| is_shown(&device.chosen, key) != is_shown(chosen, key);
        let members = device.members.iter().filter_map(|at| self.register.dossier(*at));
        let keys = members.flat_map(|dossier| dossier.statements.iter()).map(|statement| &statement.key);
        keys.filter(|key| all || differs(key)).cloned().collect()
    }

    /// Writes what is now known of statements about a device; what is no longer said of it is withdrawn.
    fn statements(&mut self, at: u32, mut keys: Vec<StatementKey>, may_withdraw: bool) {
        keys.sort_unstable();
        keys.dedup();
        let Some(device) = self.register.devices.get(at as usize) else { return };
        let is_here = self.register.is_real(device);
        let members = device.members.iter().filter(|_| is_here);
        let members = members.filter_map(|at| self.register.dossier(*at));
        let mut members: Vec<InOrder<'_>> = members.map(|dossier| dossier.statements.in_order()).collect();
        for key in keys {
            let mut merged: Option<Cow<'_, Statement>> = None;
            for next in members.iter_mut().filter_map(|member| member.find(&key)) {
                match &mut merged {
                    None => merged = Some(Cow::Borrowed(next)),
                    Some(merged) => merged.to_mut().merge(next),
                }
            }
            if merged.is_none() && !may_withdraw {
                continue;
            }
            let record = self.record(device, key, merged);
            self.conclusions.attributes.push(record);
        }
    }

    fn record(
        &self,
        device: &Device,
        key: StatementKey,
        merged: Option<Cow<'_, Statement>>,
    ) -> AttributeRecord {
        let statement = merged.unwrap_or_else(|| Cow::Owned(Statement::withdrawn(key.clone())));
        let (attribute, protocol, role) = words(&statement);
        let is_said = statement.count > 0;
        let is_shown = self.knowledge.has_many_values(attribute) || is_shown(&device.chosen, &key);
        AttributeRecord {
            device: device.id_text(),
            attribute: attribute.name(),
            value: key.value,
            protocol: protocol.name(),
            sensor: key.sensor,
            role: role.name(),
            teller: statement.teller,
            first_seen: statement.first_seen,
            last_seen: statement.last_seen,
            count: statement.count,
            confidence: if is_said { trust(self.knowledge, &statement).confidence } else { 0 },
            chosen: is_said && is_shown,
        }
    }

    /// Tells of the rows of tables that came, went, moved, or are about a device that was described anew.
    pub(crate) fn rows(&mut self, batch: &Batch) {
        let touched = batch.touched.iter().chain(batch.moved.iter().map(|(at, _)| at));
        self.rows.extend(touched.filter(|at| self.register.is_row(**at)));
        let gone = std::mem::take(&mut self.register.imports.gone).into_iter();
        let gone = gone.map(|(import, line)| RowRecord {
            import,
            line,
            state: "withdrawn".to_owned(),
            ..RowRecord::default()
        });
        let standing =
            std::mem::take(&mut self.rows).into_iter().filter_map(|at| self.register.row_record(at));
        let mut rows: Vec<RowRecord> = standing.chain(gone).collect();
        // A row that stands beats one that went.
        rows.sort_by(|a, b| {
            (&a.import, a.line, a.source.is_empty()).cmp(&(&b.import, b.line, b.source.is_empty()))
        });
        rows.dedup_by(|next, first| (&next.import, next.line) == (&first.import, first.line));
        self.conclusions.rows = rows;
    }

    /// Tells the findings of devices of the site that are new or go on.
    pub(crate) fn findings(
        &mut self,
        findings: Vec<Pending>,
        peers: impl Fn(&Register, &Pending) -> Option<End>,
    ) {
        let again_after =
            u64::try_from(self.register.settings.repeat_findings_after.as_nanos()).unwrap_or(u64::MAX);
        for pending in findings {
            let device = self.register.links.get(pending.dossier as usize).and_then(|link| link.device);
            let Some(subject) = device.and_then(|device| self.summary_of(device)) else { continue };
            let peer = peers(self.register, &pending).unwrap_or_default();
            let key = FindingKey {
                attribute: pending.attribute.into(),
                value: pending.value.clone(),
                protocol: pending.protocol.into(),
                peer: peer.ip.map(|ip| ip.ip.to_string()).unwrap_or_default(),
            };
            let Some(dossier) = self.register.dossier_mut(pending.dossier) else { continue };
            let (is_worth_telling, forgot) = dossier.is_worth_telling(key, pending.at, again_after);
            self.register.counters.findings_forgotten += u64::from(forgot);
            if is_worth_telling {
                let peer = self.peer_summary(peer, pending.at);
                let finding = Finding {
                    device: Some(subject),
                    peer,
                    attribute: pending.attribute.into(),
                    value: pending.value,
                    protocol: pending.protocol.into(),
                    sensor: self.sensor.to_owned(),
                };
                self.tell(pending.at, Kind::Finding(finding));
            }
        }
    }

    /// The other end of a finding: a device of the site, or at least its address.
    fn peer_summary(&self, peer: End, at: u64) -> Option<DeviceSummary> {
        let device = self.register.device_at(peer.mac, peer.ip, at, true);
        let known = device.and_then(|device| self.summary_of(device));
        known.or_else(|| {
            peer.ip.map(|ip| DeviceSummary {
                name: ip.ip.to_string(),
                ips: vec![ip.ip.to_string()],
                ..DeviceSummary::default()
            })
        })
    }

    fn summary_of(&self, device: u32) -> Option<DeviceSummary> {
        let device = self.register.devices.get(device as usize).filter(|device| device.has_appeared())?;
        Some(summary(&device.kept()))
    }

    fn changed(&mut self, record: &DeviceRecord, field: &str, before: String, after: String) {
        let change = Change {
            device: record.id.clone(),
            field: field.to_owned(),
            before: before.clone(),
            after: after.clone(),
            at: self.newest,
        };
        self.conclusions.changes.push(change);
        let changed = DeviceChanged { device: Some(full(record)), field: field.to_owned(), before, after };
        self.tell(self.newest, Kind::DeviceChanged(changed));
    }

    fn tell(&mut self, event_time: u64, event: Kind) {
        let LogMoment { incarnation, partition, offset, log_time } = self.at;
        let index = self.conclusions.events.len() as u32;
        self.conclusions.events.push(Event {
            source: Some(Position { incarnation, partition, offset, index }),
            site: self.site.to_owned(),
            log_time,
            event_time,
            event: Some(event),
        });
    }
}

fn is_shown(chosen: &Chosen, key: &StatementKey) -> bool {
    chosen.shows(key.attribute, &key.value)
}
