//! Dossiers and devices, and the books by which they are found.
//!
//! Everything here but the dossiers themselves and what was last concluded of devices follows from them and is
//! rebuilt after a restart; [`crate::placement`] says how.

use std::net::IpAddr;

use hashbrown::HashMap;
use uuid::Uuid;

use crate::counters::Counters;
use crate::device::Device;
use crate::dossier::{Dossier, Interval, extend, remove_oldest};
use crate::identity::{DeviceKey, EndpointId, Mac, is_made_from};
use crate::network;
use crate::settings::Settings;

/// Addresses of one interface that are kept apart.
const MOST_ADDRESSES: usize = 128;
/// A binding may be given up for newer ones when it has not been seen for this long: 7 days.
const STALE_BINDING: u64 = 7 * 86_400 * 1_000_000_000;

/// Dossiers and devices of one site.
#[derive(Debug)]
pub(crate) struct Register {
    pub(crate) site: Uuid,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) dossiers: Vec<Dossier>,
    /// Beside each dossier, at the same index.
    pub(crate) links: Vec<Link>,
    pub(crate) index: HashMap<EndpointId, u32>,
    pub(crate) interfaces: HashMap<Mac, Interface>,
    pub(crate) addresses: HashMap<IpAddr, AddressBook>,
    pub(crate) devices: Vec<Device>,
    pub(crate) device_index: HashMap<DeviceKey, u32>,
    /// How many dossiers are hearsay.
    hearsay: usize,
    pub(crate) batch: Batch,
}

/// How a dossier hangs together with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) device: Option<u32>,
    /// Third devices that it told of, in order.
    pub(crate) children: Vec<u32>,
    is_touched: bool,
    /// Something about it is new, so that its device must be resolved again.
    pub(crate) has_news: bool,
}

/// What follows from an interface's dossier and addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    /// The dossiers of its addresses.
    pub(crate) addresses: Vec<u32>,
    /// It forwards for others.
    pub(crate) is_router: bool,
    /// It answers ARP for others, so that none of its bindings is believed.
    pub(crate) is_proxy: bool,
}

/// What is known of one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressBook {
    pub(crate) dossiers: Vec<u32>,
    /// Interfaces that it was bound to.
    pub(crate) owners: Vec<Mac>,
}

/// What happened since the last conclusions.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Dossiers, each once.
    pub(crate) touched: Vec<u32>,
    /// Dossiers and the devices that they left.
    pub(crate) moved: Vec<(u32, Option<u32>)>,
}

impl Register {
    pub(crate) fn new(site: Uuid, settings: Settings) -> Self {
        Self {
            site,
            settings,
            counters: Counters::default(),
            dossiers: Vec::new(),
            links: Vec::new(),
            index: HashMap::new(),
            interfaces: HashMap::new(),
            addresses: HashMap::new(),
            devices: Vec::new(),
            device_index: HashMap::new(),
            hearsay: 0,
            batch: Batch::default(),
        }
    }

    /// Whether the site has this address by configuration.
    pub(crate) fn is_inside(&self, ip: IpAddr) -> bool {
        self.settings.networks.iter().any(|network| network.contains(&ip))
    }

    /// Whether it is a host's address that is neither of the site's networks nor bound to an interface here.
    pub(crate) fn is_outside(&self, ip: IpAddr) -> bool {
        network::is_host(ip)
            && !self.is_inside(ip)
            && self.addresses.get(&ip).is_none_or(|at| at.owners.is_empty())
    }

    pub(crate) fn find(&self, id: &EndpointId) -> Option<u32> {
        self.index.get(id).copied()
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

    /// Somebody sent a frame or packet from here. The dossier that evidence about the sender belongs in; `None`
    /// where the sender is no device of the site, or there is no room.
    pub(crate) fn sight(
        &mut self,
        mac: Option<Mac>,
        ip: Option<IpAddr>,
        first: u64,
        last: u64,
    ) -> Option<u32> {
        let ip = ip.filter(|ip| network::is_host(*ip));
        let Some(mac) = mac else {
            let ip = ip.filter(|ip| !self.is_outside(*ip))?;
            return self.sight_at(EndpointId::Address(None, ip), first, last);
        };
        let interface = self.sight_at(EndpointId::Interface(mac), first, last);
        let Some(ip) = ip else { return interface };
        if self.is_outside(ip) {
            if let Some(dossier) = interface.and_then(|at| self.dossier_mut(at)) {
                dossier.sent_from_outside(ip, first, last);
            }
            return None;
        }
        let own = EndpointId::Address(Some(mac), ip);
        if self.index.contains_key(&own) || !self.is_crowded(mac) {
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
    pub(crate) fn hear_of(&mut self, mac: Option<Mac>, ip: Option<IpAddr>) -> Option<u32> {
        let ip = ip.filter(|ip| network::is_host(*ip));
        match (ip, mac) {
            (Some(ip), _) if !self.is_outside(ip) => self.open(EndpointId::Address(None, ip), true),
            (None, Some(mac)) => self.open(EndpointId::Interface(mac), true),
            _ => None,
        }
    }

    /// A device tells of another by a key.
    pub(crate) fn tell_of(&mut self, id: EndpointId, teller: u32, at: u64) -> Option<u32> {
        let children =
            self.links.get(teller as usize).map(|link| link.children.as_slice()).unwrap_or_default();
        let is_known = self.find(&id).is_some_and(|known| children.binary_search(&known).is_ok());
        if !is_known && children.len() >= self.settings.third_devices_per_teller {
            self.counters.third_devices_full += 1;
            return None;
        }
        let teller_id = self.dossier(teller)?.id.clone();
        let third = self.sight_at(id, at, at)?;
        if self.dossier_mut(third)?.told_by(&teller_id, at) {
            self.link_mut(third)?.has_news = true;
        }
        let is_teller = self.dossier(third)?.tellers.iter().any(|(known, _)| *known == teller_id);
        let children = &mut self.link_mut(teller)?.children;
        if is_teller && let Err(place) = children.binary_search(&third) {
            children.insert(place, third);
        }
        Some(third)
    }

    /// ARP or DHCP bound an address to an interface.
    pub(crate) fn bind(&mut self, ip: IpAddr, mac: Mac, at: u64) {
        if !network::is_host(ip) {
            return;
        }
        let Some(interface) = self.sight_at(EndpointId::Interface(mac), at, at) else { return };
        let most = self.settings.bound_addresses;
        let Some(dossier) = self.dossier_mut(interface) else { return };
        let is_new = extend(&mut dossier.bindings, ip, at, at);
        let mut given_up: Vec<Interval> = Vec::new();
        let newest = dossier.bindings.iter().map(|binding| binding.last).max().unwrap_or(at);
        while dossier.bindings.len() > most {
            let is_stale = |binding: &Interval| binding.last.saturating_add(STALE_BINDING) < newest;
            if dossier.bindings.len() <= most + 1 && !dossier.bindings.iter().any(is_stale) {
                break;
            }
            given_up.extend(remove_oldest(&mut dossier.bindings));
        }
        let is_proxy = dossier.bindings.len() > most;
        self.counters.bindings_evicted += given_up.len() as u64;
        for old in given_up {
            if let Some(book) = self.addresses.get_mut(&old.ip) {
                book.owners.retain(|owner| *owner != mac);
            }
            self.place_all_at(old.ip);
        }
        let book = self.addresses.entry(ip).or_default();
        if !book.owners.contains(&mac)
            && self.dossiers.get(interface as usize).is_some_and(|d| d.is_bound(ip))
        {
            book.owners.push(mac);
            book.owners.sort_unstable();
        }
        let is_contested = book.owners.len() > 1;
        if self.interfaces.get(&mac).is_some_and(|known| known.is_proxy != is_proxy) {
            self.set_proxy(mac, is_proxy);
        }
        if is_new || is_contested {
            self.place_all_at(ip);
            for rival in self.addresses.get(&ip).map(|book| book.owners.clone()).unwrap_or_default() {
                if let Some(at) = self.find(&EndpointId::Interface(rival)) {
                    self.touch(at, true);
                }
            }
        }
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

    /// Puts a dossier from the state in its place in the books.
    pub(crate) fn restore_dossier(&mut self, dossier: Dossier) {
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
    pub(crate) fn restore_device(&mut self, device: Device) {
        if let Some(at) = self.device_index.get(&device.key) {
            if let Some(known) = self.devices.get_mut(*at as usize) {
                *known = device;
            }
        } else {
            self.device_index.insert(device.key.clone(), self.devices.len() as u32);
            self.devices.push(device);
        }
    }

    pub(crate) fn count_hearsay(&mut self) {
        self.hearsay = self.dossiers.iter().filter(|dossier| !dossier.exists).count();
    }

    fn sight_at(&mut self, id: EndpointId, first: u64, last: u64) -> Option<u32> {
        let at = self.open(id, false)?;
        if self.dossiers.get_mut(at as usize)?.sight(first, last) {
            self.hearsay = self.hearsay.saturating_sub(1);
            self.touch(at, true);
            self.place_again(at);
        } else {
            self.touch(at, false);
        }
        Some(at)
    }

    /// The dossier of an endpoint, made where there is room. It is hearsay until it is sighted.
    fn open(&mut self, id: EndpointId, is_hearsay: bool) -> Option<u32> {
        if let Some(at) = self.find(&id) {
            return Some(at);
        }
        if self.dossiers.len() >= self.settings.endpoints {
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

    fn enter(&mut self, dossier: Dossier) -> u32 {
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
            EndpointId::Third(..) => {}
        }
        self.index.insert(dossier.id.clone(), at);
        self.dossiers.push(dossier);
        self.links.push(Link::default());
        at
    }

    fn is_crowded(&self, mac: Mac) -> bool {
        self.interfaces.get(&mac).is_some_and(|known| known.addresses.len() >= MOST_ADDRESSES)
    }
}

impl Dossier {
    /// Of an interface: whether the address is bound to it.
    pub(crate) fn is_bound(&self, ip: IpAddr) -> bool {
        self.bindings.binary_search_by(|binding| binding.ip.cmp(&ip)).is_ok()
    }
}

/// Whether the frame's source is the address's owner whatever else is known: no router forwards it, or it is made
/// from the MAC address.
pub(crate) fn is_own(ip: IpAddr, mac: Mac) -> bool {
    network::is_link_local(ip) || is_made_from(ip, mac)
}
