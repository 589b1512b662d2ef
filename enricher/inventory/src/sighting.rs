//! The dossier for whoever sends, is spoken of or told of; made where there is room.
//!
//! A sender exists. What is only spoken of is hearsay until it was sighted, and what a device tells of under a key is
//! sighted through its teller. A sender that is no device of the site has no dossier: behind an interface it makes that
//! look like a router's.

use crate::dossier::{Dossier, Sighting};
use crate::identity::{EndpointId, Mac};
use crate::network;
use crate::register::Register;
use crate::scope::Ip;

/// Addresses of one interface that are kept apart.
const MOST_ADDRESSES: usize = 128;
/// Interfaces that one address is kept apart for; beyond, somebody is making them up.
const MOST_INTERFACES: usize = 64;

/// Who was sighted last at an address of its own. What a device says of itself comes together, and sighting it once more at
/// the same time changes nothing, as long as its address belongs to the site.
#[derive(Clone, Debug)]
pub(crate) struct Sighted {
    sender: Sender,
    at: u32,
}

/// As it stood in frames or packets of these times.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sender {
    mac: Option<Mac>,
    ip: Option<Ip>,
    first: u64,
    last: u64,
}

impl Register {
    /// Somebody sent a frame or packet from here. The dossier that evidence about the sender belongs in; `None`
    /// where the sender is no device of the site, or there is no room.
    pub(crate) fn sight(&mut self, mac: Option<Mac>, ip: Option<Ip>, first: u64, last: u64) -> Option<u32> {
        let sender = Sender { mac, ip, first, last };
        if let Some(sighted) = self.sighted.as_ref().filter(|sighted| sighted.sender == sender) {
            return Some(sighted.at);
        }
        let at = self.sight_sender(&sender)?;
        if self.dossier(at).is_some_and(|dossier| matches!(dossier.id, EndpointId::Address(Some(_), _))) {
            self.sighted = Some(Sighted { sender, at });
        }
        Some(at)
    }

    fn sight_sender(&mut self, &Sender { mac, ip, first, last }: &Sender) -> Option<u32> {
        let ip = ip.filter(|ip| network::is_host(ip.ip));
        let Some(mac) = mac else {
            let ip = ip.filter(|ip| !self.is_outside(*ip))?;
            return self.sight_at(EndpointId::Address(None, ip), first, last);
        };
        let interface = self.sight_at(EndpointId::Interface(mac), first, last);
        let Some(ip) = ip else { return interface };
        if self.is_outside(ip) {
            let interface = interface?;
            if self.dossier_mut(interface)?.sent_from_outside(ip, first, last) {
                self.touch(interface, false);
            }
            return None;
        }
        let own = EndpointId::Address(Some(mac), ip);
        if self.find(&own).is_some() || !self.is_crowded(mac, ip) {
            return self.sight_at(own, first, last);
        }
        self.settle_router(mac);
        if self.interfaces.get(&mac).is_some_and(|known| known.is_router) {
            return self.sight_at(EndpointId::Address(None, ip), first, last);
        }
        self.counters.addresses_merged += 1;
        interface
    }

    /// Somebody speaks of this address or interface. The dossier for it, which makes no device by itself.
    pub(crate) fn hear_of(&mut self, mac: Option<Mac>, ip: Option<Ip>) -> Option<u32> {
        let ip = ip.filter(|ip| network::is_host(ip.ip));
        match (ip, mac) {
            (Some(ip), _) if !self.is_outside(ip) => self.open(EndpointId::Address(None, ip), true),
            (None, Some(mac)) => self.open(EndpointId::Interface(mac), true),
            _ => None,
        }
    }

    /// A device tells of another by a key.
    pub(crate) fn tell_of(&mut self, id: EndpointId, teller: u32, at: u64) -> Option<u32> {
        let children = self.children_of(teller);
        let is_known = self.find(&id).is_some_and(|known| children.binary_search(&known).is_ok());
        if !is_known && children.len() >= self.settings.third_devices_per_teller {
            self.counters.third_devices_full += 1;
            return None;
        }
        let teller_id = self.dossier(teller)?.id.clone();
        let third = self.sight_at(id, at, at)?;
        if self.dossier_mut(third)?.told_by(&teller_id, at) {
            self.touch(third, true);
        }
        let told = self.dossier(third)?;
        let is_teller = told.tellers.iter().any(|(known, _)| *known == teller_id);
        let key = match &told.id {
            EndpointId::Third(Some(_), key) => Some(key.clone()),
            _ => None,
        };
        let children = self.children.entry(teller).or_default();
        if is_teller && let Err(place) = children.binary_search(&third) {
            children.insert(place, third);
            if let Some(key) = key {
                self.judge_tellers_of(teller, &key);
            }
        }
        Some(third)
    }

    pub(crate) fn sight_at(&mut self, id: EndpointId, first: u64, last: u64) -> Option<u32> {
        let at = self.open(id, false)?;
        match self.dossiers.get_mut(at as usize)?.sight(first, last) {
            Sighting::First => {
                self.hearsay = self.hearsay.saturating_sub(1);
                self.touch(at, true);
                self.place_again(at);
                self.place_rows_of(at);
            }
            Sighting::Later => self.touch(at, false),
            Sighting::Known => {}
        }
        Some(at)
    }

    /// The dossier of an endpoint, made where there is room. It is hearsay until it is sighted.
    fn open(&mut self, id: EndpointId, is_hearsay: bool) -> Option<u32> {
        if let Some(at) = self.find(&id) {
            return Some(at);
        }
        if self.dossiers.len() - self.imports.dossiers >= self.settings.endpoints {
            self.counters.endpoints_full += 1;
            return None;
        }
        if is_hearsay && self.hearsay >= self.settings.hearsay {
            self.counters.hearsay_full += 1;
            return None;
        }
        self.hearsay += 1;
        let at = self.enter(Dossier::new(id));
        self.place(at);
        Some(at)
    }

    fn is_crowded(&self, mac: Mac, ip: Ip) -> bool {
        self.interfaces.get(&mac).is_some_and(|known| known.addresses.len() >= MOST_ADDRESSES)
            || self.addresses.get(&ip).is_some_and(|book| book.dossiers.len() >= MOST_INTERFACES)
    }
}
