//! Dossiers and devices, and the books by which they are found.
//!
//! Everything here but the dossiers themselves and what was last concluded of devices follows from them and is
//! rebuilt after a restart; [`crate::placement`] says how.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;
use uuid::Uuid;
use wardwatch_knowledge::Knowledge;

use crate::claimants::Claimants;
use crate::conclusion::DeviceRecord;
use crate::counters::Counters;
use crate::device::Device;
use crate::dossier::Dossier;
use crate::hour::Clockwork;
use crate::identity::{DeviceKey, EndpointId, Mac, is_made_from};
use crate::imported::Imports;
use crate::lookup::Lookup;
use crate::network;
use crate::retirement::Retirement;
use crate::ruling::Rulings;
use crate::sameness::Identity;
use crate::scope::{Ip, Scope};
use crate::sensors::Sensors;
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::sighting::Sighted;
use crate::statement::StatementKey;

/// Scopes of one site; beyond, a sensor is making them up.
const MOST_SCOPES: usize = 1024;

/// Places of dossiers, in order. Most lists hold one or two, which take no memory of their own.
pub(crate) type Places = SmallVec<[u32; 4]>;

/// Dossiers and devices of one site.
#[derive(Debug)]
pub(crate) struct Register {
    pub(crate) site: Uuid,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) dossiers: Shelf<Dossier>,
    /// Beside each dossier, at the same index.
    pub(crate) links: Shelf<Link>,
    /// Third devices that a dossier told of, in order.
    pub(crate) children: HashMap<u32, Vec<u32>>,
    index: Lookup,
    pub(crate) interfaces: HashMap<Mac, Interface>,
    pub(crate) addresses: HashMap<Ip, AddressBook>,
    pub(crate) devices: Shelf<Device>,
    /// Devices by what they are recognised by.
    bases: Lookup,
    /// Devices by their ids.
    ids: Lookup,
    /// Devices that turned out to be part of another, and of which.
    pub(crate) wholes: HashMap<u32, u32>,
    /// The other way round.
    pub(crate) parts: HashMap<u32, BTreeSet<u32>>,
    /// How many decisions of people are kept.
    pub(crate) decided: usize,
    /// Devices that are retired.
    pub(crate) retired: HashMap<u32, Retirement>,
    pub(crate) sensors: Sensors,
    /// Names of the scopes that were met, and those whose name is to be stored.
    pub(crate) scopes: BTreeMap<Scope, Box<str>>,
    pub(crate) new_scopes: Vec<Scope>,
    /// What people ruled about which devices are one.
    pub(crate) rulings: Rulings,
    /// Dossiers that say of themselves what may identify a third device, in order.
    pub(crate) claimants: Claimants,
    /// Third devices by what would make them a device of the site.
    pub(crate) thirds: HashMap<Identity, Vec<u32>>,
    /// Dossiers by what rows of tables may find them by, in order.
    pub(crate) row_claims: Claimants,
    /// Rows of tables by what they look for.
    pub(crate) seekers: HashMap<Identity, BTreeSet<u32>>,
    /// Tables of other systems.
    pub(crate) imports: Imports,
    /// How many dossiers are hearsay.
    pub(crate) hearsay: usize,
    /// Who was sighted last at an address of its own.
    pub(crate) sighted: Option<Sighted>,
    pub(crate) clockwork: Clockwork,
    pub(crate) batch: Batch,
}

/// How a dossier hangs together with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) device: Option<u32>,
    /// The device by its own interface, address or key, which may be part of the one above.
    pub(crate) base: Option<u32>,
    is_touched: bool,
    /// Something about it is new, so that its device must be resolved again.
    pub(crate) has_news: bool,
}

/// What follows from an interface's dossier and addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    /// The dossiers of its addresses.
    pub(crate) addresses: Places,
    /// It forwards for others.
    pub(crate) is_router: bool,
    /// It answers ARP for others, so that none of its bindings is believed.
    pub(crate) is_proxy: bool,
}

/// What is known of one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressBook {
    pub(crate) dossiers: Places,
    /// Interfaces that it was bound to.
    pub(crate) owners: SmallVec<[Mac; 2]>,
}

/// What happened since the last conclusions.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Dossiers, each once.
    pub(crate) touched: Vec<u32>,
    /// Dossiers and the devices that they left.
    pub(crate) moved: Vec<(u32, Option<u32>)>,
    /// Bases about which something changed that may join them with others, or no longer.
    pub(crate) suspects: BTreeSet<u32>,
    /// Devices, and what rows of tables say of them no longer.
    pub(crate) dropped: Vec<(u32, Vec<StatementKey>)>,
}

impl Register {
    pub(crate) fn new(site: Uuid, knowledge: Arc<Knowledge>, settings: Settings) -> Self {
        Self {
            site,
            knowledge,
            settings,
            counters: Counters::default(),
            dossiers: Shelf::default(),
            links: Shelf::default(),
            children: HashMap::new(),
            index: Lookup::default(),
            interfaces: HashMap::new(),
            addresses: HashMap::new(),
            devices: Shelf::default(),
            bases: Lookup::default(),
            ids: Lookup::default(),
            wholes: HashMap::new(),
            parts: HashMap::new(),
            decided: 0,
            retired: HashMap::new(),
            sensors: Sensors::default(),
            scopes: BTreeMap::new(),
            new_scopes: Vec::new(),
            rulings: Rulings::default(),
            claimants: Claimants::default(),
            thirds: HashMap::new(),
            row_claims: Claimants::default(),
            seekers: HashMap::new(),
            imports: Imports::default(),
            hearsay: 0,
            sighted: None,
            clockwork: Clockwork::default(),
            batch: Batch::default(),
        }
    }

    /// The scope of this name, which is remembered; the default one where there is no room for another.
    pub(crate) fn scope(&mut self, name: &str) -> Scope {
        let scope = Scope::named(name);
        if scope == Scope::default() || self.scopes.contains_key(&scope) {
            return scope;
        }
        if self.scopes.len() >= MOST_SCOPES {
            self.counters.scopes_full += 1;
            return Scope::default();
        }
        self.scopes.insert(scope, name.into());
        self.new_scopes.push(scope);
        scope
    }

    /// Whether the site has this address by configuration.
    pub(crate) fn is_inside(&self, ip: Ip) -> bool {
        self.settings.networks.iter().any(|network| network.contains(&ip.ip))
    }

    /// Whether it is a host's address that is neither of the site's networks nor bound to an interface here.
    pub(crate) fn is_outside(&self, ip: Ip) -> bool {
        network::is_host(ip.ip)
            && !self.is_inside(ip)
            && self.addresses.get(&ip).is_none_or(|at| at.owners.is_empty())
    }

    pub(crate) fn find(&self, id: &EndpointId) -> Option<u32> {
        self.index.find(id, |at| self.dossier(at).map(|dossier| &dossier.id))
    }

    /// The device that is recognised by this, whether or not it is part of another.
    pub(crate) fn find_base(&self, key: &DeviceKey) -> Option<u32> {
        self.bases.find(key, |at| self.devices.get(at as usize).map(|device| &device.key))
    }

    /// The device of this id.
    pub(crate) fn find_device(&self, id: &Uuid) -> Option<u32> {
        self.ids.find(id, |at| self.devices.get(at as usize).map(|device| &device.id))
    }

    /// Whether a dossier is a row of a table.
    pub(crate) fn is_row(&self, at: u32) -> bool {
        self.dossier(at).is_some_and(|dossier| matches!(dossier.id, EndpointId::Row(..)))
    }

    pub(crate) fn dossier(&self, at: u32) -> Option<&Dossier> {
        self.dossiers.get(at as usize)
    }

    pub(crate) fn dossier_mut(&mut self, at: u32) -> Option<&mut Dossier> {
        self.dossiers.get_mut(at as usize)
    }

    pub(crate) fn link_mut(&mut self, at: u32) -> Option<&mut Link> {
        self.links.get_mut(at as usize)
    }

    /// Third devices that a dossier told of, in order.
    pub(crate) fn children_of(&self, at: u32) -> &[u32] {
        self.children.get(&at).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes that something about a dossier changed.
    pub(crate) fn touch(&mut self, at: u32, has_news: bool) {
        let Some(link) = self.links.get_mut(at as usize) else { return };
        link.has_news |= has_news;
        if !std::mem::replace(&mut link.is_touched, true) {
            self.batch.touched.push(at);
        }
    }

    /// What happened since the last call.
    pub(crate) fn take_batch(&mut self) -> Batch {
        let batch = std::mem::take(&mut self.batch);
        for at in &batch.touched {
            if let Some(link) = self.links.get_mut(*at as usize) {
                link.is_touched = false;
            }
        }
        batch
    }

    /// Goes on with another knowledge: third devices are entered anew under what would make them a device of the site.
    pub(crate) fn learn(&mut self, knowledge: &Arc<Knowledge>) {
        self.knowledge = Arc::clone(knowledge);
        self.thirds.clear();
        let keys: Vec<(u32, Box<str>)> = (0_u32..)
            .zip(&self.dossiers)
            .filter_map(|(at, dossier)| match &dossier.id {
                EndpointId::Third(None, key) => Some((at, key.clone())),
                _ => None,
            })
            .collect();
        for (at, key) in keys {
            self.enter_third(at, &key);
        }
    }

    /// Judges anew which third devices are devices of the site, and which devices are one.
    pub(crate) fn claim_anew(&mut self) {
        self.claimants.clear();
        self.enter_claims();
        let is_third = |dossier: &Dossier| matches!(dossier.id, EndpointId::Third(..));
        let thirds: Vec<u32> = (0_u32..)
            .zip(&self.dossiers)
            .filter_map(|(at, dossier)| is_third(dossier).then_some(at))
            .collect();
        for at in thirds {
            self.place(at);
        }
        // Makers may be spelled otherwise, and other things may weigh.
        self.batch.suspects.extend(0..self.devices.len() as u32);
        self.place_all_rows();
    }

    /// Puts a dossier from the state in its place in the books.
    pub(crate) fn restore_dossier(&mut self, dossier: Dossier) {
        self.sighted = None;
        match self.find(&dossier.id) {
            Some(at) => {
                if let Some(known) = self.dossier_mut(at) {
                    *known = dossier;
                }
            }
            None => {
                self.enter(dossier);
            }
        }
    }

    /// Puts a device from the state in its place in the books; its dossiers find it by its key.
    pub(crate) fn restore_device(&mut self, device: Device, record: &DeviceRecord) {
        let at = if let Some(at) = self.find_base(&device.key) {
            if let Some(known) = self.devices.get_mut(at as usize) {
                *known = device;
            }
            at
        } else {
            self.enter_device(device)
        };
        self.keep_retirement(at, record);
    }

    /// Puts a device into the books that is not there yet.
    pub(crate) fn enter_device(&mut self, device: Device) -> u32 {
        let at = self.devices.len() as u32;
        self.devices.push(device);
        let Self { devices, bases, ids, .. } = self;
        bases.enter(at, |at| devices.get(at as usize).map(|device| &device.key));
        ids.enter(at, |at| devices.get(at as usize).map(|device| &device.id));
        at
    }

    pub(crate) fn count_hearsay(&mut self) {
        self.hearsay = self
            .dossiers
            .iter()
            .filter(|dossier| !dossier.exists && !matches!(dossier.id, EndpointId::Row(..)))
            .count();
    }

    pub(crate) fn enter(&mut self, dossier: Dossier) -> u32 {
        let at = self.dossiers.len() as u32;
        match &dossier.id {
            EndpointId::Interface(mac) => {
                self.interfaces.entry(*mac).or_default();
            }
            EndpointId::Address(mac, ip) => {
                if let Some(mac) = mac {
                    self.interfaces.entry(*mac).or_default().addresses.push(at);
                }
                self.addresses.entry(*ip).or_default().dossiers.push(at);
            }
            EndpointId::Third(Some(_), _) | EndpointId::Row(..) => {}
            EndpointId::Third(None, key) => self.enter_third(at, key),
        }
        self.dossiers.push(dossier);
        self.links.push(Link::default());
        self.enter_in_lookup(at);
        at
    }

    /// A dossier is found by its id from now on.
    pub(crate) fn enter_in_lookup(&mut self, at: u32) {
        let Self { dossiers, index, .. } = self;
        index.enter(at, |at| dossiers.get(at as usize).map(|dossier| &dossier.id));
    }

    /// A dossier is no longer found.
    pub(crate) fn strike_out(&mut self, at: u32) {
        let Self { dossiers, index, .. } = self;
        index.remove(at, |at| dossiers.get(at as usize).map(|dossier| &dossier.id));
    }
}

/// Whether the frame's source is the address's owner whatever else is known: no router forwards it, or it is made
/// from the MAC address.
pub(crate) fn is_own(ip: Ip, mac: Mac) -> bool {
    network::is_link_local(ip.ip) || is_made_from(ip.ip, mac)
}
