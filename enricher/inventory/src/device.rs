//! A device: the dossiers that it is made of, and what was last concluded from them.

use std::sync::Arc;

use uuid::Uuid;
use wardwatch_knowledge::Knowledge;

use crate::chosen::Chosen;
use crate::conclusion::DeviceRecord;
use crate::decision::Decisions;
use crate::hour::Times;
use crate::identity::DeviceKey;
use crate::joining::Joint;
use crate::known::Known;
use crate::profile;
use crate::register::{Places, Register};

/// A device as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Device {
    pub(crate) id: Uuid,
    /// The same as people read it, shared by all rows that name the device.
    name: Arc<str>,
    pub(crate) key: DeviceKey,
    /// Indices of its dossiers, in order. Not part of the state: it follows from the dossiers.
    pub(crate) members: Places,
    /// Indices of the dossiers that are of this interface, address or key, whatever device that is part of.
    pub(crate) roots: Places,
    /// What it was joined with, for the few that are. It follows from the dossiers and from rulings.
    joint: Option<Box<Joint>>,
    /// As it was last concluded; empty until it exists.
    pub(crate) known: Known,
    /// The times that it was described from. They follow from the dossiers.
    pub(crate) times: Times,
    /// The value shown of each attribute that has one value at a time.
    pub(crate) chosen: Chosen,
    /// What people decided about it.
    pub(crate) decisions: Decisions,
}

impl Device {
    pub(crate) fn new(key: DeviceKey, site: &Uuid) -> Self {
        let id = key.id(site);
        Self {
            id,
            name: Arc::from(id.to_string()),
            key,
            members: Places::new(),
            roots: Places::new(),
            joint: None,
            known: Known::default(),
            times: Times::default(),
            chosen: Chosen::default(),
            decisions: Decisions::new(),
        }
    }

    /// What it was joined with.
    pub(crate) fn joint(&self) -> &Joint {
        const ALONE: &Joint = &Joint::ALONE;
        self.joint.as_deref().unwrap_or(ALONE)
    }

    /// It is joined otherwise from now on.
    pub(crate) fn join(&mut self, joint: Joint) {
        self.joint = (joint != Joint::ALONE).then(|| Box::new(joint));
    }

    /// A dossier is no longer of it.
    pub(crate) fn leaves(&mut self, dossier: u32) {
        if let Ok(place) = self.members.binary_search(&dossier) {
            self.members.remove(place);
        }
    }

    /// What is kept of its record.
    pub(crate) fn kept(&self) -> DeviceRecord {
        self.known.record(&self.name)
    }

    /// Its id as people read it.
    pub(crate) fn id_text(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Whether it was told of and is not part of another.
    pub(crate) fn stands_for_itself(&self) -> bool {
        self.has_appeared() && self.known.superseded_by.is_none()
    }

    /// Its id, as it stands in its record; empty until that exists.
    pub(crate) fn name(&self) -> Arc<str> {
        if self.has_appeared() { Arc::clone(&self.name) } else { Arc::default() }
    }

    /// Whether it was ever told of: what is known from hearsay alone is no device yet.
    pub(crate) fn has_appeared(&self) -> bool {
        self.known.has_appeared
    }
}

/// A device that stands for itself, and all from which it is described.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    pub(crate) register: &'a Register,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) at: u32,
    pub(crate) device: &'a Device,
}

impl Described<'_> {
    /// What is known of it now. This is work: nothing but what changes are told by is kept.
    pub fn record(&self) -> DeviceRecord {
        profile::describe(self.register, self.at, self.device, self.knowledge).record
    }
}
