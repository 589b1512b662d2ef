//! A device: the dossiers that it is made of, and what was last concluded from them.

use std::sync::Arc;

use uuid::Uuid;

use crate::conclusion::DeviceRecord;
use crate::decision::Decisions;
use crate::identity::DeviceKey;
use crate::joining::Joint;

/// A device as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub(crate) id: Uuid,
    /// The same as people read it, shared by all rows that name the device.
    name: Arc<str>,
    pub(crate) key: DeviceKey,
    /// Indices of its dossiers, in order. Not part of the state: it follows from the dossiers.
    pub(crate) members: Vec<u32>,
    /// Indices of the dossiers that are of this interface, address or key, whatever device that is part of.
    pub(crate) roots: Vec<u32>,
    /// What it was joined with. It follows from the dossiers and from rulings.
    pub(crate) joint: Joint,
    /// As it was last concluded; empty until it exists.
    pub(crate) record: DeviceRecord,
    /// The value shown of each attribute that has one value at a time.
    pub(crate) chosen: Vec<(i32, String)>,
    /// The hour of event time in which it was last resolved.
    pub(crate) resolved_hour: u64,
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
            members: Vec::new(),
            roots: Vec::new(),
            joint: Joint::default(),
            record: DeviceRecord::default(),
            chosen: Vec::new(),
            resolved_hour: 0,
            decisions: Decisions::new(),
        }
    }

    /// A dossier is no longer of it.
    pub(crate) fn leaves(&mut self, dossier: u32) {
        if let Ok(place) = self.members.binary_search(&dossier) {
            self.members.remove(place);
        }
    }

    /// What is known of it.
    pub fn record(&self) -> &DeviceRecord {
        &self.record
    }

    /// Its id, as it stands in its record; empty until that exists.
    pub(crate) fn name(&self) -> Arc<str> {
        if self.has_appeared() { Arc::clone(&self.name) } else { Arc::default() }
    }

    /// Whether it was ever told of: what is known from hearsay alone is no device yet.
    pub(crate) fn has_appeared(&self) -> bool {
        !self.record.id.is_empty()
    }
}
