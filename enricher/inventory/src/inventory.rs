//! Everything known about one site.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message as _;
use uuid::Uuid;
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::event::Event as Kind;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{DeviceAppeared, DeviceSummary, Endpoint, Event, Fact, Position};
use wardwatch_proto::{address, v1};

use crate::conclusion::{Conclusions, DeviceRecord, EnrichedFlow, LogMoment};
use crate::network;
use crate::settings::Settings;
use crate::state::{StateEntry, StateError};

/// A device as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    record: DeviceRecord,
}

impl Device {
    /// What is known of it.
    pub fn record(&self) -> &DeviceRecord {
        &self.record
    }
}

/// Everything known about one site.
#[derive(Debug)]
pub struct Inventory {
    site: String,
    namespace: Uuid,
    knowledge: Arc<Knowledge>,
    settings: Settings,
    devices: BTreeMap<String, Device>,
    changed: BTreeSet<String>,
}

impl Inventory {
    /// An empty inventory.
    pub fn new(site: &str, knowledge: Arc<Knowledge>, settings: Settings) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_OID, site.as_bytes());
        Self {
            site: site.to_owned(),
            namespace,
            knowledge,
            settings,
            devices: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// Takes in one state entry; the order of entries does not matter.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), StateError> {
        let Some(id) = key.strip_prefix("device/") else {
            return Err(StateError::UnknownKind { key: key.to_owned() });
        };
        if value.is_empty() {
            self.devices.remove(id);
            return Ok(());
        }
        let record = DeviceRecord::decode(value)
            .map_err(|error| StateError::Unreadable { key: key.to_owned(), problem: error.to_string() })?;
        self.devices.insert(id.to_owned(), Device { record });
        Ok(())
    }

    /// Facts in, conclusions out.
    pub fn apply(&mut self, sensor: &str, facts: &[Fact], at: LogMoment) -> Conclusions {
        let mut conclusions = Conclusions::default();
        let mut touched = BTreeSet::new();
        let mut appeared = BTreeSet::new();
        for fact in facts {
            let Some(Stated::Flow(flow)) = &fact.fact else { continue };
            let mut side = |endpoint: Option<&Endpoint>, counters: Option<&v1::Counters>| {
                let spoke = counters.is_some_and(|counters| counters.packets > 0);
                let id = endpoint.and_then(|endpoint| self.identify(endpoint)).unwrap_or_default();
                if !id.is_empty() && spoke {
                    let known = self.devices.contains_key(&id);
                    let device = self.devices.entry(id.clone()).or_default();
                    if !known {
                        device.record.id.clone_from(&id);
                        device.record.first_seen = flow.start;
                        device.record.knowledge = self.knowledge.version().to_owned();
                        appeared.insert(id.clone());
                    }
                    device.record.first_seen = device.record.first_seen.min(flow.start);
                    device.record.last_seen = device.record.last_seen.max(flow.end);
                    insert_sorted(&mut device.record.sensors, sensor);
                    if let Some(endpoint) = endpoint {
                        insert_sorted(&mut device.record.macs, &address::mac_text(&endpoint.mac));
                        insert_sorted(&mut device.record.ips, &address::ip_text(&endpoint.ip));
                    }
                    touched.insert(id.clone());
                }
                if self.devices.contains_key(&id) { id } else { String::new() }
            };
            let initiator_device = side(flow.initiator.as_ref(), flow.from_initiator.as_ref());
            let responder_device = side(flow.responder.as_ref(), flow.from_responder.as_ref());
            conclusions.flows.push(EnrichedFlow { flow: flow.clone(), initiator_device, responder_device });
        }
        for id in &appeared {
            let index = conclusions.events.len() as u32;
            let Some(device) = self.devices.get(id) else { continue };
            let summary = DeviceSummary {
                id: id.clone(),
                macs: device.record.macs.clone(),
                ips: device.record.ips.clone(),
                ..Default::default()
            };
            conclusions.events.push(Event {
                source: Some(Position {
                    incarnation: at.incarnation,
                    partition: at.partition,
                    offset: at.offset,
                    index,
                }),
                site: self.site.clone(),
                log_time: at.log_time,
                event_time: device.record.first_seen,
                event: Some(Kind::DeviceAppeared(DeviceAppeared { device: Some(summary) })),
            });
        }
        conclusions.devices = touched
            .iter()
            .filter_map(|id| self.devices.get(id))
            .map(|device| device.record.clone())
            .collect();
        self.changed.extend(touched);
        conclusions
    }

    /// Entries changed since the last call.
    pub fn take_changed_state(&mut self) -> Vec<StateEntry> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .filter_map(|id| {
                let value = self.devices.get(&id)?.record.encode_to_vec();
                Some(StateEntry { key: format!("device/{id}"), value })
            })
            .collect()
    }

    /// Every device, by id.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    fn identify(&self, endpoint: &Endpoint) -> Option<String> {
        let mac = address::mac_text(&endpoint.mac);
        let key = if mac.is_empty() {
            let ip = address::ip(&endpoint.ip).filter(|ip| network::is_host(*ip))?;
            let own = self.settings.networks.iter().any(|network| network.contains(&ip));
            own.then(|| format!("ip:{ip}"))?
        } else {
            format!("mac:{mac}")
        };
        Some(Uuid::new_v5(&self.namespace, key.as_bytes()).to_string())
    }
}

fn insert_sorted(list: &mut Vec<String>, value: &str) {
    if let Err(at) = list.binary_search_by(|known| known.as_str().cmp(value)) {
        if !value.is_empty() {
            list.insert(at, value.to_owned());
        }
    }
}
