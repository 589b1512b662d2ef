//! Events in, alerts out: the alerts of one site, and what becomes of them.
//!
//! An alert lives as long as its matter: the first event raises it, a later one repeats it, a person acknowledges it,
//! and may open it again.
//! An event that is not later on the wire than what is known adds nothing, so that a capture played twice, or a message
//! read twice, leaves everything as it was.

use std::collections::BTreeMap;

use prost::Message as _;
use uuid::Uuid;
use wardwatch_proto::v1::{Alert, Command, Event, Position, Status, command, event};

use crate::detectors::{self, Detector, Verdict};

/// Most pieces of evidence that an alert keeps: the first ones, since they raised it.
const EVIDENCE: usize = 16;

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Raised,
    /// It was seen again.
    Repeated,
    /// A person knows.
    Acknowledged,
    /// A person wants it looked at again.
    Reopened,
}

impl Action {
    /// The word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Repeated => "repeated",
            Self::Acknowledged => "acknowledged",
            Self::Reopened => "reopened",
        }
    }
}

/// An alert after something became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// What became of it.
    pub action: Action,
    /// How it is now.
    pub alert: Alert,
    /// When, in nanoseconds since the Unix epoch: on the wire, or of the command.
    pub at: u64,
    /// Who did it, and what they noted; empty where no person did.
    pub author: String,
    /// See `author`.
    pub note: String,
    /// What gave rise to it.
    pub source: Position,
}

/// The alerts of one site.
#[derive(Debug)]
pub struct Judge {
    site: String,
    namespace: Uuid,
    detectors: Vec<Box<dyn Detector>>,
    alerts: BTreeMap<String, Alert>,
    commands: u64,
}

impl Judge {
    /// A site of which nothing is known.
    pub fn new(site: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("wardwatch alerts {site}").as_bytes());
        Self {
            site: site.to_owned(),
            namespace,
            detectors: detectors::all(),
            alerts: BTreeMap::new(),
            commands: 0,
        }
    }

    /// Takes an alert back out of the stored state.
    pub fn restore(&mut self, encoded: &[u8]) -> Result<(), prost::DecodeError> {
        let alert = Alert::decode(encoded)?;
        self.alerts.insert(alert.id.clone(), alert);
        Ok(())
    }

    /// Judges one event. `source` is its place in `wardwatch.events`.
    pub fn apply(&mut self, event: &Event, source: Position) -> Vec<Update> {
        if let Some(event::Event::Command(command)) = &event.event {
            return self.obey(command, source).into_iter().collect();
        }
        let verdicts: Vec<_> = self
            .detectors
            .iter()
            .filter_map(|detector| Some((detector.about(), detector.judge(event)?)))
            .collect();
        verdicts
            .into_iter()
            .filter_map(|(about, verdict)| self.judged(about, verdict, event, source))
            .collect()
    }

    /// The alert of this id.
    pub fn alert(&self, id: &str) -> Option<&Alert> {
        self.alerts.get(id)
    }

    /// Where there are more alerts than this, forgets enough that a tenth of the room is free: acknowledged ones first, of
    /// these the ones not seen for longest. Gives the ids of the forgotten.
    ///
    /// The last alert stays whatever the bound.
    pub fn forget_beyond(&mut self, most: usize) -> Vec<String> {
        let most = most.max(1);
        if self.alerts.len() <= most {
            return Vec::new();
        }
        let mut by_worth: Vec<_> = self
            .alerts
            .values()
            .map(|alert| (alert.status() != Status::Acknowledged, alert.last_seen, alert.id.clone()))
            .collect();
        by_worth.sort_unstable();
        by_worth.truncate(self.alerts.len() - (most - most / 10));
        let forgotten: Vec<String> = by_worth.into_iter().map(|(_, _, id)| id).collect();
        for id in &forgotten {
            self.alerts.remove(id);
        }
        forgotten
    }

    /// Commands that named an alert which is not known: nothing came of them.
    pub fn unknown_alerts(&self) -> u64 {
        self.commands
    }

    fn judged(
        &mut self,
        about: &detectors::About,
        verdict: Verdict,
        event: &Event,
        source: Position,
    ) -> Option<Update> {
        let mut verdict = verdict;
        // An alert names its devices; what else is known of them is kept elsewhere.
        for device in std::iter::once(&mut verdict.device).chain(&mut verdict.peer) {
            device.details = None;
        }
        let id = self.id_of(about.name, &verdict);
        let at = event.event_time;
        let action = match self.alerts.get_mut(&id) {
            None => {
                let alert = self.raise(&id, about, verdict, at);
                self.alerts.insert(id.clone(), alert);
                Action::Raised
            }
            Some(known) if at > known.last_seen => {
                known.last_seen = at;
                known.device = Some(verdict.device);
                for evidence in verdict.evidence {
                    if known.evidence.len() < EVIDENCE && !known.evidence.contains(&evidence) {
                        known.evidence.push(evidence);
                    }
                }
                Action::Repeated
            }
            Some(_) => return None,
        };
        let alert = self.alerts.get_mut(&id)?;
        alert.last_source = Some(source);
        let (author, note) = (String::new(), String::new());
        Some(Update { action, alert: alert.clone(), at, author, note, source })
    }

    fn raise(&self, id: &str, about: &detectors::About, verdict: Verdict, at: u64) -> Alert {
        Alert {
            id: id.to_owned(),
            site: self.site.clone(),
            detector: about.name.to_owned(),
            severity: about.severity.into(),
            status: Status::Open.into(),
            device: Some(verdict.device),
            peer: verdict.peer,
            title: about.title.to_owned(),
            explanation: verdict.explanation,
            evidence: verdict.evidence.into_iter().take(EVIDENCE).collect(),
            remedy: about.remedy.to_owned(),
            attack_technique: about.attack.map(|(technique, _)| technique.to_owned()).unwrap_or_default(),
            first_seen: at,
            last_seen: at,
            ..Alert::default()
        }
    }

    /// Does what a person wants; nothing where the alert is not known or is so already.
    fn obey(&mut self, command: &Command, source: Position) -> Option<Update> {
        let (action, id, note) = match &command.action {
            Some(command::Action::AcknowledgeAlert(said)) => (Action::Acknowledged, &said.alert, &said.note),
            Some(command::Action::ReopenAlert(said)) => (Action::Reopened, &said.alert, &said.note),
            _ => return None,
        };
        let author = &command.author;
        let Some(alert) = self.alerts.get_mut(id) else {
            self.commands += 1;
            return None;
        };
        let is_acknowledged = alert.status() == Status::Acknowledged;
        if action == Action::Acknowledged {
            if is_acknowledged && alert.acknowledged_by == *author && alert.note == *note {
                return None;
            }
            alert.set_status(Status::Acknowledged);
            alert.acknowledged_by.clone_from(author);
            alert.note.clone_from(note);
        } else {
            if !is_acknowledged {
                return None;
            }
            alert.set_status(Status::Open);
            alert.acknowledged_by.clear();
            alert.note.clear();
        }
        alert.last_source = Some(source);
        let (alert, author, note) = (alert.clone(), author.clone(), note.clone());
        Some(Update { action, alert, at: command.at, author, note, source })
    }

    /// The same for the same matter, whenever and by whomever it is seen.
    fn id_of(&self, detector: &str, verdict: &Verdict) -> String {
        let what = [detector, &verdict.device.id, &verdict.matter].join("\n");
        Uuid::new_v5(&self.namespace, what.as_bytes()).to_string()
    }
}

#[cfg(test)]
mod tests;
