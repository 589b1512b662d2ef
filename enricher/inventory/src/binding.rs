//! Which interface has an address, by what ARP and DHCP say.
//!
//! A binding is an interval of event time on the interface's dossier, so that a lease that was read from a day-old
//! spool does not overwrite today's. How many addresses one interface may have, and how many interfaces one address,
//! is bounded; the longest unseen binding goes.

use crate::dossier::{Interval, Sighting, extend, remove_oldest};
use crate::identity::{EndpointId, Mac};
use crate::network;
use crate::register::Register;
use crate::scope::Ip;

/// A binding may be given up for newer ones when it has not been seen for this long: 7 days.
const STALE: u64 = 7 * 86_400 * 1_000_000_000;
/// Interfaces that one address may be bound to; beyond, somebody is making them up.
const MOST_OWNERS: usize = 16;

impl Register {
    /// ARP or DHCP bound an address to an interface.
    pub(crate) fn bind(&mut self, ip: Ip, mac: Mac, at: u64) {
        if !network::is_host(ip.ip) {
            return;
        }
        let Some(interface) = self.sight_at(EndpointId::Interface(mac), at, at) else { return };
        let owner_before = self.owner(ip, None);
        let most = self.settings.bound_addresses;
        let Some(dossier) = self.dossier_mut(interface) else { return };
        let is_new = extend(&mut dossier.bindings, ip, at, at) == Sighting::First;
        let given_up = make_room(&mut dossier.bindings, most);
        let is_proxy = dossier.bindings.len() > most;
        for old in given_up {
            self.release(old.ip, mac);
        }
        if is_new && self.binding(mac, ip).is_some() {
            self.own(ip, mac);
        }
        if self.interfaces.get(&mac).is_some_and(|known| known.is_proxy != is_proxy) {
            self.set_proxy(mac, is_proxy);
        }
        let owner = self.owner(ip, None);
        self.touch(interface, is_new);
        if is_new || owner != owner_before {
            self.place_all_at(ip);
            // The addresses that are listed of both have changed.
            for concerned in [owner_before, owner, Some(mac)].into_iter().flatten() {
                if let Some(at) = self.find(&EndpointId::Interface(concerned)) {
                    self.touch(at, true);
                }
            }
        }
    }

    /// The interface that has an address: at a time the one that was last seen with it then, or the first one after;
    /// otherwise the one that was last seen with it.
    pub(crate) fn owner(&self, ip: Ip, at: Option<u64>) -> Option<Mac> {
        let at = at.unwrap_or(u64::MAX);
        let owners = self.addresses.get(&ip)?.owners.iter();
        let believed = owners.filter_map(|mac| {
            let binding = self.binding(*mac, ip).filter(|_| !self.is_proxy(*mac))?;
            // Before its first sighting a binding is a guess, the worse the longer before.
            let fit = if binding.first <= at {
                (1, binding.last.min(at))
            } else {
                (0, u64::MAX - (binding.first - at))
            };
            Some((fit, binding.first, *mac))
        });
        believed.max().map(|(_, _, mac)| mac)
    }

    /// Whether an interface has an address now: nobody else has it by ARP or DHCP since.
    pub(crate) fn has_address(&self, mac: Mac, ip: Ip) -> bool {
        match self.owner(ip, None) {
            Some(owner) => owner == mac,
            None => !self.is_proxy(mac) || self.binding(mac, ip).is_none(),
        }
    }

    /// Whether ARP or DHCP bound an address to an interface, and is believed.
    pub(crate) fn is_bound(&self, mac: Mac, ip: Ip) -> bool {
        !self.is_proxy(mac) && self.binding(mac, ip).is_some()
    }

    /// Whether an interface answers ARP for others.
    pub(crate) fn is_proxy(&self, mac: Mac) -> bool {
        self.interfaces.get(&mac).is_some_and(|interface| interface.is_proxy)
    }

    /// Enters an interface among an address's owners; the longest unseen owner makes room.
    fn own(&mut self, ip: Ip, mac: Mac) {
        let book = self.addresses.entry(ip).or_default();
        if let Err(place) = book.owners.binary_search(&mac) {
            book.owners.insert(place, mac);
        }
        if book.owners.len() <= MOST_OWNERS {
            return;
        }
        let owners = book.owners.clone();
        let seen = owners.into_iter().filter_map(|owner| Some((self.binding(owner, ip)?.last, owner)));
        let Some((_, oldest)) = seen.min() else { return };
        if let Some(dossier) = self.find(&EndpointId::Interface(oldest)).and_then(|at| self.dossier_mut(at)) {
            dossier.bindings.retain(|binding| binding.ip != ip);
        }
        self.release(ip, oldest);
    }

    /// Strikes an interface from an address's owners, once the binding itself is gone.
    fn release(&mut self, ip: Ip, mac: Mac) {
        self.counters.bindings_evicted += 1;
        if let Some(book) = self.addresses.get_mut(&ip) {
            book.owners.retain(|owner| *owner != mac);
        }
        // An address that nobody has may not be the site's.
        self.sighted = None;
        self.place_all_at(ip);
        if let Some(at) = self.find(&EndpointId::Interface(mac)) {
            self.touch(at, true);
        }
    }

    fn set_proxy(&mut self, mac: Mac, is_proxy: bool) {
        if let Some(interface) = self.interfaces.get_mut(&mac) {
            interface.is_proxy = is_proxy;
        }
        self.settle_router(mac);
        let interface = self.find(&EndpointId::Interface(mac)).and_then(|at| self.dossier(at));
        for binding in interface.map(|dossier| dossier.bindings.clone()).unwrap_or_default() {
            self.place_all_at(binding.ip);
        }
        self.place_addresses_of(mac);
    }

    fn binding(&self, mac: Mac, ip: Ip) -> Option<Interval> {
        let interface = self.find(&EndpointId::Interface(mac))?;
        let bindings = &self.dossier(interface)?.bindings;
        bindings.binary_search_by(|binding| binding.ip.cmp(&ip)).ok().and_then(|at| bindings.get(at).copied())
    }
}

/// Gives up stale bindings beyond `most`, and fresh ones beyond one more: that one shows that it answers for others.
fn make_room(bindings: &mut Vec<Interval>, most: usize) -> Vec<Interval> {
    let newest = bindings.iter().map(|binding| binding.last).max().unwrap_or_default();
    let mut given_up = Vec::new();
    while bindings.len() > most {
        let has_stale = bindings.iter().any(|binding| binding.last.saturating_add(STALE) < newest);
        if bindings.len() == most + 1 && !has_stale {
            break;
        }
        given_up.extend(remove_oldest(bindings));
    }
    given_up
}
