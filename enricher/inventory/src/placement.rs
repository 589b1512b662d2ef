//! Which device a dossier belongs to.
//!
//! The answer is a function of the evidence alone: which addresses ARP and DHCP bound to which interfaces, which
//! addresses were seen in which interfaces' frames, and which of these came together. The order in which it came
//! does not matter. Whenever an input of the function changes, the dossiers concerned are placed again.
//!
//! 1. An address that is bound to interfaces belongs to the one whose frames it stands in; else, to the one that had
//!    it last.
//! 2. An address that is not bound belongs to the interface in whose frames it is seen, unless that is a router.
//! 3. Behind a router, an address belongs to the only other interface it is seen at (another sensor sees the far
//!    side); failing that it is a device of its own, if it is of the site's networks.
//! 4. What is told of as behind a device belongs to a device of its own there, unless it is the device itself
//!    ([`crate::itself`]).
//!
//! A router is an interface in whose frames more addresses were in use within an hour of each other than one host
//! has; addresses outside the site count. An interface to which ARP binds more addresses than one host has answers for
//! others (proxy ARP): it is a router, and none of its bindings is believed.

use std::collections::BTreeSet;

use wardwatch_proto::v1::Attribute;

use crate::device::Device;
use crate::dossier::{self, Dossier, Interval, most_at_once};
use crate::hour::Times;
use crate::identity::{DeviceKey, EndpointId, Mac};
use crate::imported::Match;
use crate::joining::Joint;
use crate::network;
use crate::register::{Register, is_own};
use crate::scope::Ip;

/// Addresses in use within this time of each other are in use together: one hour.
const TOGETHER: u64 = 3600 * 1_000_000_000;

impl Register {
    /// Puts a dossier with its device, and what it told of with it.
    pub(crate) fn place(&mut self, at: u32) {
        let base = self.key_of(at).map(|key| self.device_for(key));
        self.base(at, base);
        let target = base.map(|base| self.joined(base));
        let Some(link) = self.links.get_mut(at as usize) else { return };
        let before = link.device;
        if before == target {
            return;
        }
        link.device = target;
        let children = self.children_of(at).to_vec();
        if let Some(device) = before.and_then(|device| self.devices.get_mut(device as usize)) {
            device.leaves(at);
        }
        if let Some(device) = target.and_then(|device| self.devices.get_mut(device as usize))
            && let Err(place) = device.members.binary_search(&at)
        {
            device.members.insert(place, at);
        }
        self.batch.moved.push((at, before));
        self.touch(at, true);
        for child in children {
            self.touch(child, true);
            self.place(child);
        }
        self.place_thirds_of(at);
        self.place_rows_of(at);
    }

    /// Notes which interface, address or key a dossier is of; what may be joined by it is judged anew.
    pub(crate) fn base(&mut self, at: u32, base: Option<u32>) {
        let Some(link) = self.links.get_mut(at as usize) else { return };
        let before = std::mem::replace(&mut link.base, base);
        if before == base {
            return;
        }
        if let Some(device) = before.and_then(|before| self.devices.get_mut(before as usize)) {
            device.roots.retain(|root| *root != at);
        }
        if let Some(device) = base.and_then(|base| self.devices.get_mut(base as usize))
            && let Err(place) = device.roots.binary_search(&at)
        {
            device.roots.insert(place, at);
        }
        let has_identity = self.identities_of(at).next().is_some();
        let is_joined = |of: Option<u32>| {
            of.and_then(|of| self.devices.get(of as usize))
                .is_some_and(|device| *device.joint() != Joint::ALONE)
        };
        if has_identity || is_joined(before) || is_joined(base) {
            self.batch.suspects.extend(before);
            self.suspect_alike(at);
        }
    }

    /// The device that a base stands under.
    fn joined(&self, base: u32) -> u32 {
        self.devices.get(base as usize).and_then(|device| device.joint().under).unwrap_or(base)
    }

    /// Places a dossier that has begun to exist, and all that depends on it.
    pub(crate) fn place_again(&mut self, at: u32) {
        match self.dossiers.get(at as usize).map(|dossier| &dossier.id) {
            Some(EndpointId::Address(_, ip)) => {
                let ip = *ip;
                self.place_all_at(ip);
            }
            Some(_) => self.place(at),
            None => {}
        }
    }

    pub(crate) fn place_all_at(&mut self, ip: Ip) {
        for at in self.addresses.get(&ip).map(|book| book.dossiers.clone()).unwrap_or_default() {
            self.place(at);
        }
        if self.imports.has_tables() {
            self.place_rows(&(Attribute::IpAddress, ip.to_string().into()));
        }
    }

    /// Judges anew which of the interfaces are routers of which, or of whose addresses, something new is known.
    pub(crate) fn settle_routers(&mut self) {
        let touched = self.batch.touched.iter().filter_map(|at| self.dossiers.get(*at as usize));
        let macs = touched.filter_map(|dossier| match dossier.id {
            EndpointId::Interface(mac) | EndpointId::Address(Some(mac), _) => Some(mac),
            _ => None,
        });
        for mac in macs.collect::<BTreeSet<_>>() {
            self.settle_router(mac);
        }
    }

    /// Judges everything anew, after the dossiers were restored.
    pub(crate) fn settle_all(&mut self) {
        self.count_hearsay();
        let mut macs = Vec::new();
        for at in 0..self.dossiers.len() {
            let Some(dossier) = self.dossiers.get(at) else { continue };
            if let EndpointId::Interface(mac) = dossier.id {
                macs.push(mac);
                let is_proxy = dossier.bindings.len() > self.settings.bound_addresses;
                for binding in &dossier.bindings {
                    let owners = &mut self.addresses.entry(binding.ip).or_default().owners;
                    if !owners.contains(&mac) {
                        owners.push(mac);
                        owners.sort_unstable();
                    }
                }
                self.interfaces.entry(mac).or_default().is_proxy = is_proxy;
            }
            for (teller, _) in dossier.tellers.clone() {
                if let Some(teller) = self.find(&teller) {
                    self.children.entry(teller).or_default().push(at as u32);
                }
            }
        }
        for children in self.children.values_mut() {
            children.sort_unstable();
            children.dedup();
        }
        self.enter_claims();
        self.enter_row_claims();
        macs.sort_unstable();
        for mac in macs {
            self.settle_router(mac);
        }
        for at in 0..self.dossiers.len() as u32 {
            self.place(at);
        }
        let ruled = self.rulings.all().filter_map(|id| self.find_device(&id));
        self.batch.suspects.extend(ruled.collect::<Vec<_>>());
        self.settle_joints();
        self.stand_all();
        self.enter_parts();
        self.take_times();
    }

    /// The device at an end of a flow at the time of the flow. What did not answer need not exist, so it is only
    /// looked up where it is known.
    pub(crate) fn device_at(&self, mac: Option<Mac>, ip: Option<Ip>, at: u64, answered: bool) -> Option<u32> {
        let ip = ip.filter(|ip| network::is_host(ip.ip));
        let key = match (mac, ip) {
            (None, None) => return None,
            (Some(mac), None) => DeviceKey::Mac(mac),
            (Some(mac), Some(ip)) => {
                let is_seen = answered && self.find(&EndpointId::Address(Some(mac), ip)).is_some();
                self.key_at(is_seen.then_some(mac), ip, Some(at))?
            }
            (None, Some(ip)) => self.key_at(None, ip, Some(at))?,
        };
        let device = self.joined(self.find_base(&key)?);
        self.devices.get(device as usize).filter(|known| self.is_real(known)).map(|_| device)
    }

    /// Whether there is more than hearsay about a device.
    pub(crate) fn is_real(&self, device: &Device) -> bool {
        self.sighted(device).next().is_some()
    }

    /// The dossiers that are sightings of a device: what others tell of it is none, unless it is known from that alone.
    pub(crate) fn sighted(&self, device: &Device) -> impl Iterator<Item = &Dossier> {
        let is_third = matches!(device.key, DeviceKey::Third(..));
        let dossiers = device.members.iter().filter_map(|at| self.dossiers.get(*at as usize));
        dossiers.filter(move |dossier| {
            dossier.exists
                && !matches!(dossier.id, EndpointId::Row(..))
                && (is_third || !matches!(dossier.id, EndpointId::Third(..)))
        })
    }

    /// Between which event times a device was seen.
    pub(crate) fn seen(&self, device: &Device) -> (u64, u64) {
        dossier::seen(self.sighted(device))
    }

    /// The times that a device is described from.
    pub(crate) fn times_of(&self, device: &Device) -> Times {
        self.clockwork.times(device.members.iter().filter_map(|at| self.dossier(*at)))
    }

    /// What is known of devices that stand for themselves was described from the times that were restored, and only told
    /// anew since where these differ; when they were seen last is not stored each time.
    fn take_times(&mut self) {
        for at in 0..self.devices.len() as u32 {
            let Some(device) = self.devices.get(at as usize) else { continue };
            if !device.stands_for_itself() || !self.is_real(device) {
                continue;
            }
            let (times, (_, last_seen)) = (self.times_of(device), self.seen(device));
            if let Some(device) = self.devices.get_mut(at as usize) {
                device.times = times;
                device.known.last_seen = last_seen;
            }
        }
    }

    /// What the device is recognised by that a dossier belongs to; `None` where it belongs to no device of the site.
    fn key_of(&self, at: u32) -> Option<DeviceKey> {
        match &self.dossiers.get(at as usize)?.id {
            EndpointId::Interface(mac) => Some(DeviceKey::Mac(*mac)),
            EndpointId::Address(mac, ip) => self.key_at(*mac, *ip, None),
            EndpointId::Third(None, key) => {
                let same = self.same_as(key).and_then(|device| self.devices.get(device as usize));
                Some(same.map_or_else(|| DeviceKey::Third(None, key.clone()), |device| device.key.clone()))
            }
            EndpointId::Row(..) => match self.match_of(at) {
                Match::Device { device, .. } => {
                    self.devices.get(device as usize).map(|device| device.key.clone())
                }
                _ => None,
            },
            EndpointId::Third(Some(teller), key) => {
                let teller = self.find(teller)?;
                let within = self.devices.get(self.links.get(teller as usize)?.device? as usize)?;
                if self.is_teller_itself(at, teller, key) {
                    return Some(within.key.clone());
                }
                Some(DeviceKey::Third(Some(within.id), key.clone()))
            }
        }
    }

    /// Who has an address, as seen in an interface's frames where it was; at a time, or now.
    fn key_at(&self, mac: Option<Mac>, ip: Ip, at: Option<u64>) -> Option<DeviceKey> {
        if let Some(mac) = mac
            && (is_own(ip, mac) || self.is_bound(mac, ip))
        {
            return Some(DeviceKey::Mac(mac));
        }
        if let Some(owner) = self.owner(ip, at) {
            return Some(DeviceKey::Mac(owner));
        }
        if !self.is_inside(ip) {
            return None;
        }
        if let Some(mac) = mac.filter(|mac| !self.is_router(*mac)) {
            return Some(DeviceKey::Mac(mac));
        }
        let mut holders = self.addresses.get(&ip)?.dossiers.iter().filter_map(|at| {
            let dossier = self.dossiers.get(*at as usize)?;
            match dossier.id {
                EndpointId::Address(Some(mac), _) if dossier.exists && !self.is_router(mac) => Some(mac),
                _ => None,
            }
        });
        match (holders.next(), holders.next()) {
            (Some(only), None) => Some(DeviceKey::Mac(only)),
            _ => Some(DeviceKey::Ip(ip)),
        }
    }

    pub(crate) fn is_router(&self, mac: Mac) -> bool {
        self.interfaces.get(&mac).is_some_and(|interface| interface.is_router)
    }

    pub(crate) fn settle_router(&mut self, mac: Mac) {
        let is_router = self.is_proxy(mac) || self.forwards(mac);
        let Some(interface) = self.interfaces.get_mut(&mac) else { return };
        if interface.is_router == is_router {
            return;
        }
        interface.is_router = is_router;
        if let Some(at) = self.find(&EndpointId::Interface(mac)) {
            self.touch(at, true);
        }
        self.place_addresses_of(mac);
    }

    pub(crate) fn place_addresses_of(&mut self, mac: Mac) {
        let dossiers =
            self.interfaces.get(&mac).map(|interface| interface.addresses.clone()).unwrap_or_default();
        for at in dossiers {
            self.place_again(at);
        }
    }

    /// Whether more addresses were in use together in its frames than one host has.
    fn forwards(&self, mac: Mac) -> bool {
        let Some(interface) = self.interfaces.get(&mac) else { return false };
        let own = self.find(&EndpointId::Interface(mac)).and_then(|at| self.dossiers.get(at as usize));
        let outside = own.map(|dossier| dossier.outside.as_slice()).unwrap_or_default();
        let (most4, most6) = (self.settings.unbound_ipv4, self.settings.unbound_ipv6);
        if interface.addresses.len() + outside.len() <= most4.min(most6) {
            return false;
        }
        let inside = interface.addresses.iter().filter_map(|at| {
            let dossier = self.dossiers.get(*at as usize).filter(|dossier| dossier.exists)?;
            let EndpointId::Address(_, ip) = dossier.id else { return None };
            Some(Interval { ip, first: dossier.first_seen, last: dossier.last_seen() })
        });
        let unbound: Vec<Interval> = inside
            .chain(outside.iter().copied())
            .filter(|seen| !is_own(seen.ip, mac) && !self.is_bound(mac, seen.ip))
            .collect();
        let together = |is_v4: bool| {
            let family = unbound.iter().filter(|seen| seen.ip.ip.is_ipv4() == is_v4);
            most_at_once(family.map(|seen| (seen.first, seen.last.max(seen.first))), TOGETHER)
        };
        together(true) > most4 || together(false) > most6
    }

    fn device_for(&mut self, key: DeviceKey) -> u32 {
        match self.find_base(&key) {
            Some(at) => at,
            None => self.enter_device(Device::new(key, &self.site)),
        }
    }
}
