//! What comes of a command.

use std::sync::Arc;

use wardwatch_inventory::{Conclusions, Inventory, LogMoment, NotImported, Undecided};
use wardwatch_knowledge::Knowledge;
use wardwatch_processor::Tally;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AddNote, AttachDocument, Command, ImportTable, LoadKnowledgePack, Protocol};

use super::{Memory, Site, Told};
use crate::library::{Pack, Packs};

/// Packs that are kept for a site, and for all sites.
const MOST_PACKS: usize = 16;
/// Changes of devices that are told of one command: all of them must stand in one insert. The devices beyond are
/// concluded anew like the others.
const MOST_CHANGES: usize = 400_000;

/// What came of a command; the words stand in the table `commands`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Applied,
    /// It is for the alerter, which was told.
    Forwarded,
    /// Nothing came of it.
    Ignored,
}

impl Outcome {
    /// The word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Forwarded => "forwarded",
            Self::Ignored => "ignored",
        }
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ruling {
    pub(crate) outcome: Outcome,
    /// Why nothing came of it, or what is worth knowing, in a word.
    pub(crate) reason: &'static str,
    /// The same in a sentence, where a word does not say it.
    pub(crate) problem: String,
    /// The device that a note is on from now on; empty for all else.
    pub(crate) noted: String,
    /// What each site concluded from it, in the order of the sites.
    pub(crate) concluded: Vec<(String, Conclusions)>,
    /// What is told of a document that it is about.
    pub(crate) document: Option<Told>,
}

impl Ruling {
    fn applied(concluded: Vec<(String, Conclusions)>) -> Self {
        let (problem, noted) = (String::new(), String::new());
        Self { outcome: Outcome::Applied, reason: "", problem, noted, concluded, document: None }
    }

    fn ignored(reason: &'static str) -> Self {
        Self { outcome: Outcome::Ignored, reason, ..Self::applied(Vec::new()) }
    }
}

impl Memory {
    /// Does what a command asks for. `None` when that has been done before.
    pub(crate) fn command(&mut self, command: &Command, at: LogMoment, tally: &mut Tally) -> Option<Ruling> {
        self.settle(tally);
        if self.recent.holds(&command.id) {
            return None;
        }
        let forgotten = self.recent.remember(&command.id, at, self.limits.commands);
        tally.add("enricher_commands_forgotten", forgotten);
        let mut ruling = match &command.action {
            Some(Action::OverrideAttribute(wanted)) => self.at_site(command, |inventory| {
                inventory.decide(wanted, &command.author, command.at, at).map_err(Undecided::word)
            }),
            Some(Action::LoadKnowledgePack(load)) => self.load(load, command, at),
            Some(Action::RuleSameness(wanted)) => self.at_site(command, |inventory| {
                inventory.rule(wanted, &command.author, command.at, at).map_err(Undecided::word)
            }),
            Some(Action::AddNote(note)) => self.add_note(note, command),
            Some(Action::AttachDocument(part)) => self.attach(part, command, at),
            Some(Action::WithdrawDocument(wanted)) => {
                ruled(self.documents.withdraw(&command.site, &wanted.document, command), command, at)
            }
            Some(Action::ImportTable(table)) => self.import(table, command, at),
            Some(Action::WithdrawImport(wanted)) => self.at_site(command, |inventory| {
                inventory.withdraw_import(&wanted.import, command.at, at).map_err(NotImported::word)
            }),
            Some(Action::AcknowledgeAlert(_) | Action::ReopenAlert(_)) | None => {
                Ruling { outcome: Outcome::Forwarded, ..Ruling::applied(Vec::new()) }
            }
        };
        self.forget_site_of_nothing(&command.site);
        number(&mut ruling.concluded, tally);
        Some(ruling)
    }

    /// Does something at a site that is known, and concludes from it.
    fn at_site(
        &mut self,
        command: &Command,
        work: impl FnOnce(&mut Inventory) -> Result<Conclusions, &'static str>,
    ) -> Ruling {
        let Some(site) = self.sites.get_mut(&command.site) else { return Ruling::ignored("unknown-site") };
        match work(&mut site.inventory) {
            Ok(conclusions) => Ruling::applied(vec![(command.site.clone(), conclusions)]),
            Err(reason) => Ruling::ignored(reason),
        }
    }

    /// A note is written down and decides nothing, so that nothing of it is kept here.
    fn add_note(&mut self, note: &AddNote, command: &Command) -> Ruling {
        let Some(site) = self.sites.get_mut(&command.site) else { return Ruling::ignored("unknown-site") };
        match site.inventory.whole(&note.device) {
            Ok(noted) => Ruling { noted, ..Ruling::applied(Vec::new()) },
            Err(undecided) => Ruling::ignored(undecided.word()),
        }
    }

    fn attach(&mut self, part: &AttachDocument, command: &Command, at: LogMoment) -> Ruling {
        // The knowledge that is in force where the document is for.
        let none = Packs::new();
        let own = self.sites.get(&command.site).map_or(&none, |site| &site.packs);
        let knowledge = Arc::clone(&self.library.lay(&self.packs, own).knowledge);
        let manufacturer = knowledge.manufacturer(&part.manufacturer, Protocol::Unspecified);
        let manufacturer = manufacturer.unwrap_or(&part.manufacturer);
        ruled(self.documents.attach(part, manufacturer, command), command, at)
    }

    /// A table may come before the first sensor of its site.
    fn import(&mut self, table: &ImportTable, command: &Command, at: LogMoment) -> Ruling {
        if !self.sites.contains_key(&command.site) && self.sites.len() >= self.limits.sites {
            return Ruling::ignored("too-many-sites");
        }
        self.site(&command.site);
        self.at_site(command, |inventory| {
            inventory.import(table, &command.author, command.at, at).map_err(NotImported::word)
        })
    }

    fn load(&mut self, load: &LoadKnowledgePack, command: &Command, at: LogMoment) -> Ruling {
        let scope = &command.site;
        let is_new_site = !scope.is_empty() && !self.sites.contains_key(scope);
        if is_new_site && self.sites.len() >= self.limits.sites {
            return Ruling::ignored("too-many-sites");
        }
        let mut packs = self.packs_of(scope).cloned().unwrap_or_default();
        let known = packs.get(&load.name);
        if load.content.is_empty() {
            if packs.remove(&load.name).is_none() {
                return Ruling::ignored("unknown-pack");
            }
        } else {
            if known.is_some_and(|known| known.sha256 == load.sha256) {
                return Ruling { reason: "already-loaded", ..Ruling::applied(Vec::new()) };
            }
            if known.is_none() && packs.len() >= MOST_PACKS {
                return Ruling::ignored("too-many-packs");
            }
            let content = String::from_utf8_lossy(&load.content).into_owned();
            packs.insert(load.name.clone(), Pack { sha256: load.sha256.clone(), content });
        }
        let loaded = packs.contains_key(&load.name).then_some(load.name.as_str());
        if let Some(problem) = self.spoils(scope, &packs, loaded) {
            return Ruling { problem, ..Ruling::ignored("bad-pack") };
        }
        if scope.is_empty() {
            self.packs = packs;
        } else {
            self.site(scope).packs = packs;
        }
        self.changed_packs.insert((scope.clone(), load.name.clone()));
        let (library, of_all) = (&self.library, &self.packs);
        let mut concluded = Vec::new();
        for (name, site) in &mut self.sites {
            let laid = library.lay(of_all, &site.packs);
            if (scope.is_empty() || name == scope) && site.differs(&laid.knowledge) {
                let knowledge = Arc::clone(&laid.knowledge);
                concluded.push((name.clone(), site.inventory.learn(knowledge, command.at, at)));
                site.laid = laid;
            }
        }
        Ruling::applied(concluded)
    }

    /// A site that was known by a pack or a table alone is unknown again without it, as it will be after a restart: nothing
    /// is stored of it.
    fn forget_site_of_nothing(&mut self, name: &str) {
        if self.sites.get(name).is_some_and(Site::is_nothing)
            && let Some(mut site) = self.sites.remove(name)
        {
            self.parted.extend(site.take_changed(name));
        }
    }

    /// The packs for a site, or for all.
    fn packs_of(&self, scope: &str) -> Option<&Packs> {
        if scope.is_empty() { Some(&self.packs) } else { self.sites.get(scope).map(|site| &site.packs) }
    }

    /// Why these packs cannot be used in place of those that are there: the one that is loaded cannot be used, or another
    /// could be no longer.
    fn spoils(&self, scope: &str, packs: &Packs, loaded: Option<&str>) -> Option<String> {
        let none = Packs::new();
        let compare = |of_all: (&Packs, &Packs), of_site: (&Packs, &Packs)| {
            let before = self.library.lay(of_all.0, of_site.0);
            let after = self.library.lay(of_all.1, of_site.1);
            let is_spoiled = |name: &str| loaded == Some(name) || !before.unusable.contains_key(name);
            let spoiled = after.unusable.iter().find(|(name, _)| is_spoiled(name));
            spoiled.map(|(_, problem)| problem.chars().take(1000).collect())
        };
        if !scope.is_empty() {
            let own = self.packs_of(scope).unwrap_or(&none);
            return compare((&self.packs, &self.packs), (own, packs));
        }
        let of_all = (&self.packs, packs);
        compare(of_all, (&none, &none))
            .or_else(|| self.sites.values().find_map(|site| compare(of_all, (&site.packs, &site.packs))))
    }
}

impl Site {
    /// Whether nothing is known of it that would be stored.
    fn is_nothing(&self) -> bool {
        self.packs.is_empty() && self.received.is_empty() && !self.inventory.has_tables()
    }

    /// Whether this is other knowledge than the site was concluded with.
    fn differs(&self, knowledge: &Arc<Knowledge>) -> bool {
        !Arc::ptr_eq(&self.laid.knowledge, knowledge)
    }
}

/// What is told of a document. A command for all sites stands in every partition; the rows are the first one's to write.
fn ruled(told: Result<Told, &'static str>, command: &Command, at: LogMoment) -> Ruling {
    match told {
        Err(reason) => Ruling::ignored(reason),
        Ok(told) => {
            let is_writer = !command.site.is_empty() || at.partition == 0;
            Ruling { document: is_writer.then_some(told), ..Ruling::applied(Vec::new()) }
        }
    }
}

/// Gives what several sites concluded from one message one numbering, and leaves out what does not fit one insert.
fn number(concluded: &mut [(String, Conclusions)], tally: &mut Tally) {
    let (mut events, mut changes) = (0, 0);
    for (_, conclusions) in concluded {
        for event in &mut conclusions.events {
            if let Some(source) = &mut event.source {
                source.index += events;
            }
        }
        events += conclusions.events.len() as u32;
        let room = MOST_CHANGES - changes;
        tally.add("enricher_changes_untold", conclusions.changes.len().saturating_sub(room));
        conclusions.changes.truncate(room);
        changes += conclusions.changes.len();
    }
}
