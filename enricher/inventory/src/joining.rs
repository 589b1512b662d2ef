//! Interfaces and addresses that are one device: a device in a dock, with two network cards, or behind a router with
//! another address than yesterday.
//!
//! Each interface, and each address whose interface is hidden, is a device by itself: its *base*. Bases that say the same
//! of themselves ([`crate::likeness`]) are joined under one of them: one with an interface before one without, then the one
//! that was seen first. The others become part of it: their records name it and say why, and their ids lead to it. Which
//! are joined is a function of the evidence and of what people ruled, so it does not depend on the order in which it came,
//! and evidence that contradicts it takes devices apart again.

use std::collections::{BTreeMap, BTreeSet};

use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::Attribute;

use crate::claimants::Claimants;
use crate::conclusion::Why;
use crate::device::Device;
use crate::dossier::Dossier;
use crate::identity::{DeviceKey, EndpointId};
use crate::likeness::{Likely, Likeness};
use crate::register::{Link, Places, Register};
use crate::sameness::Identity;
use crate::shelf::Shelf;

/// Bases that may say the same before it means nothing.
const MOST_ALIKE: usize = 8;
/// Bases that are compared with each other; where more hang together by what they say, somebody is making it up.
const MOST_COMPARED: usize = 64;

/// What a base was joined with, and what it says that others say as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Joint {
    /// The base under which it stands; `None` for itself.
    pub(crate) under: Option<u32>,
    /// Those that stand under it.
    pub(crate) others: Vec<u32>,
    /// The device that it is most like, and why; empty where it stands alone.
    pub(crate) why: Option<Box<(u32, Likely)>>,
    /// What it says that a device says which it is not.
    pub(crate) cloned: Vec<Identity>,
    /// Others say what it says, or a person ruled about it, so that when it is in use matters.
    pub(crate) is_compared: bool,
}

impl Joint {
    /// That of most devices.
    pub(crate) const ALONE: Self =
        Self { under: None, others: Vec::new(), why: None, cloned: Vec::new(), is_compared: false };
}

/// Bases that hang together by what they say.
struct Group<'a> {
    register: &'a Register,
    bases: Vec<u32>,
    likenesses: Vec<Likeness>,
    cloned: BTreeSet<Identity>,
}

impl Register {
    /// Judges anew all bases about which something changed that matters for joining them.
    pub(crate) fn settle_joints(&mut self) {
        let mut open: BTreeSet<u32> = std::mem::take(&mut self.batch.suspects);
        let in_use = self.batch.touched.iter().filter_map(|at| {
            let base = self.links.get(*at as usize)?.base?;
            self.devices.get(base as usize)?.joint().is_compared.then_some(base)
        });
        open.extend(in_use);
        while let Some(base) = open.pop_first() {
            let group = self.group(base);
            for member in &group {
                open.remove(member);
            }
            self.settle_group(&group);
        }
    }

    /// What a dossier says may join its base with others, or no longer: all of them are judged anew.
    pub(crate) fn suspect(&mut self, at: u32, attribute: Attribute, value: &str) {
        self.suspect_itself(at);
        let Self { knowledge, claimants, links, batch, .. } = self;
        batch.suspects.extend(bases_that_matter(knowledge, claimants, links, attribute, value));
    }

    /// The same of all that a dossier says.
    pub(crate) fn suspect_alike(&mut self, at: u32) {
        self.suspect_itself(at);
        let Self { knowledge, claimants, links, batch, dossiers, .. } = self;
        let Some(dossier) = dossiers.get(at as usize) else { return };
        for (attribute, value) in dossier.identities(knowledge) {
            batch.suspects.extend(bases_that_matter(knowledge, claimants, links, attribute, value));
        }
    }

    /// A dossier's base is judged anew.
    pub(crate) fn suspect_itself(&mut self, at: u32) {
        let own = self.links.get(at as usize).and_then(|link| link.base);
        self.batch.suspects.extend(own);
    }

    /// The dossiers of an interface or address itself: not of third devices that turned out to be it.
    fn own_dossiers(&self, base: u32) -> impl Iterator<Item = &Dossier> {
        let roots = self.devices.get(base as usize).map(|device| device.roots.as_slice());
        let dossiers = roots.unwrap_or_default().iter().filter_map(|root| self.dossier(*root));
        dossiers.filter(|dossier| !matches!(dossier.id, EndpointId::Third(..) | EndpointId::Row(..)))
    }

    /// The base, what it was joined with, and all that say something like it.
    fn group(&self, base: u32) -> Vec<u32> {
        let mut all = BTreeSet::from([base]);
        let mut open = vec![base];
        while let Some(at) = open.pop() {
            let Some(device) = self.devices.get(at as usize) else { continue };
            let joint = device.joint();
            let ruled = self.rulings.partners(device.id).filter_map(|id| self.find_device(&id));
            let said = device.roots.iter().flat_map(|root| self.identities_of(*root));
            let alike =
                said.flat_map(|(attribute, value)| self.bases_alike(attribute, value).unwrap_or_default());
            let near = joint.under.into_iter().chain(joint.others.iter().copied()).chain(ruled).chain(alike);
            open.extend(near.filter(|near| all.insert(*near)).collect::<Vec<_>>());
        }
        all.into_iter().collect()
    }

    /// The bases that say this of themselves, in order; `None` where they are too many to mean anything.
    fn bases_alike(&self, attribute: Attribute, value: &str) -> Option<Places> {
        if !self.knowledge.joins(attribute) {
            return None;
        }
        let claimants = self.claimants.of(attribute, value);
        if claimants.len() > MOST_COMPARED {
            return None;
        }
        let mut bases: Places =
            claimants.iter().filter_map(|at| self.links.get(*at as usize)?.base).collect();
        bases.sort_unstable();
        bases.dedup();
        (bases.len() <= MOST_ALIKE).then_some(bases)
    }

    fn settle_group(&mut self, bases: &[u32]) {
        let found = match bases.len() {
            // Whoever says nothing that another says stands alone, as most do.
            0 | 1 => BTreeMap::new(),
            2..=MOST_COMPARED => Group::new(self, bases).joints(),
            _ => {
                self.counters.joints_too_many += 1;
                BTreeMap::new()
            }
        };
        for base in bases {
            let joint = found.get(base).cloned().unwrap_or_else(|| self.joint_alone(*base));
            let Some(device) = self.devices.get_mut(*base as usize) else { continue };
            if *device.joint() == joint {
                continue;
            }
            let (before, now) = (device.joint().under, joint.under);
            device.join(joint);
            for root in device.roots.clone() {
                if before == now {
                    self.touch(root, true);
                } else {
                    self.place(root);
                }
            }
        }
    }

    /// That of a base that is like no other, or whose evidence is elsewhere: it is compared as soon as it has some again,
    /// if a person ruled so.
    fn joint_alone(&self, base: u32) -> Joint {
        Joint { is_compared: self.is_ruled(base), ..Joint::default() }
    }

    /// Whether a person ruled what it is, or is not, the same as.
    fn is_ruled(&self, base: u32) -> bool {
        let device = self.devices.get(base as usize);
        device.is_some_and(|device| self.rulings.partners(device.id).next().is_some())
    }

    /// Why a device is more than one base, or says what another says.
    pub(crate) fn joint_reasons(&self, at: u32) -> Vec<Why> {
        let Some(device) = self.devices.get(at as usize) else { return Vec::new() };
        let reason = |other: &u32| {
            let part = self.devices.get(*other as usize)?;
            let (_, likely) = part.joint().why.as_deref().or(device.joint().why.as_deref())?;
            Some(Why {
                field: "same_device".to_owned(),
                value: part.id.to_string(),
                statement: likely.because.clone(),
                evidence: format!("{} ({})", likely.evidence, part.key),
                confidence: 90,
            })
        };
        device.joint().others.iter().filter_map(reason).collect()
    }
}

impl<'a> Group<'a> {
    fn new(register: &'a Register, bases: &[u32]) -> Self {
        let real = bases.iter().copied().filter(|base| {
            let is_third = |device: &Device| matches!(device.key, DeviceKey::Third(..));
            !register.devices.get(*base as usize).is_none_or(is_third)
                && register.own_dossiers(*base).any(|dossier| dossier.exists)
        });
        // By what they are recognised by, whichever was met first.
        let mut bases: Vec<u32> = real.collect();
        bases.sort_by_key(|base| register.devices.get(*base as usize).map(|device| &device.key));
        let likenesses =
            bases.iter().map(|base| Likeness::of(register.own_dossiers(*base), &register.knowledge));
        let likenesses = likenesses.collect();
        Self { register, bases, likenesses, cloned: BTreeSet::new() }
    }

    /// What each base is joined with.
    fn joints(mut self) -> BTreeMap<u32, Joint> {
        let count = self.bases.len();
        let pairs: Vec<(usize, usize)> =
            (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).collect();
        let mut apart: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (a, b) in &pairs {
            if self.are_two(*a, *b) {
                apart.insert((*a, *b));
            }
        }
        let mut said: BTreeMap<u32, Vec<Identity>> = BTreeMap::new();
        for (at, base) in self.bases.iter().enumerate() {
            let own = self.identities(*base);
            for identity in &own {
                let alike = self.register.bases_alike(identity.0, &identity.1).unwrap_or_default();
                let others: Vec<usize> = self.places(&alike);
                let is_two = |other: &usize| apart.contains(&(at.min(*other), at.max(*other)));
                if others.iter().any(is_two) {
                    self.cloned.insert(identity.clone());
                }
            }
            said.insert(*base, own);
        }
        let mut edges: BTreeMap<(usize, usize), Likely> = BTreeMap::new();
        let mut ruled: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (a, b) in pairs {
            if let Some(likely) = self.ruled_same(a, b) {
                ruled.insert((a, b));
                edges.insert((a, b), likely);
            } else if let (false, Some(likely)) = (apart.contains(&(a, b)), self.are_one(a, b)) {
                edges.insert((a, b), likely);
            }
        }
        let clusters = clusters(count, edges.keys().copied());
        let has_two = |cluster: &BTreeSet<usize>| {
            apart
                .iter()
                .any(|pair| !ruled.contains(pair) && cluster.contains(&pair.0) && cluster.contains(&pair.1))
        };
        let doubtful: BTreeSet<usize> = clusters.into_iter().filter(has_two).flatten().collect();
        edges.retain(|pair, _| ruled.contains(pair) || !doubtful.contains(&pair.0));
        let mut joints = BTreeMap::new();
        for cluster in self::clusters(count, edges.keys().copied()) {
            self.enter(&cluster, &edges, &mut joints);
        }
        for (base, joint) in &mut joints {
            let own = said.remove(base).unwrap_or_default();
            let is_alike = |identity: &Identity| {
                self.register.bases_alike(identity.0, &identity.1).is_some_and(|alike| alike.len() > 1)
            };
            joint.is_compared = self.register.is_ruled(*base) || own.iter().any(is_alike);
            joint.cloned = own.into_iter().filter(|identity| self.cloned.contains(identity)).collect();
            joint.cloned.sort();
            joint.cloned.dedup();
        }
        joints
    }

    fn enter(
        &self,
        cluster: &BTreeSet<usize>,
        edges: &BTreeMap<(usize, usize), Likely>,
        joints: &mut BTreeMap<u32, Joint>,
    ) {
        let base = |at: usize| self.bases.get(at).copied();
        let Some(first) = cluster.iter().copied().filter_map(base).min_by_key(|base| self.standing(*base))
        else {
            return;
        };
        for at in cluster {
            let Some(own) = base(*at) else { continue };
            let near = edges.iter().find_map(|((a, b), likely)| match (a == at, b == at) {
                (true, _) => Some((base(*b)?, likely.clone())),
                (_, true) => Some((base(*a)?, likely.clone())),
                _ => None,
            });
            let others =
                cluster.iter().filter_map(|at| base(*at)).filter(|other| *other != first && own == first);
            let under = (own != first).then_some(first);
            let why = near.map(Box::new);
            joints.insert(own, Joint { under, others: others.collect(), why, ..Joint::default() });
        }
    }

    /// What decides under which base others stand: the least.
    fn standing(&self, base: u32) -> (bool, u64, Option<&DeviceKey>) {
        let device = self.register.devices.get(base as usize);
        let seen = self.register.own_dossiers(base).filter(|dossier| dossier.exists);
        let first = seen.map(|root| root.first_seen).min().unwrap_or(u64::MAX);
        (
            !device.is_some_and(|device| matches!(device.key, DeviceKey::Mac(_))),
            first,
            device.map(|device| &device.key),
        )
    }

    fn identities(&self, base: u32) -> Vec<Identity> {
        let roots = self.register.devices.get(base as usize).map(|device| device.roots.as_slice());
        let said = roots.unwrap_or_default().iter().flat_map(|root| self.register.identities_of(*root));
        let joining = said.filter(|(attribute, _)| self.register.knowledge.joins(*attribute));
        joining.map(|(attribute, value)| (attribute, value.into())).collect()
    }

    fn places(&self, bases: &[u32]) -> Vec<usize> {
        bases.iter().filter_map(|base| self.bases.iter().position(|known| known == base)).collect()
    }

    fn verdict(&self, a: usize, b: usize) -> Option<&crate::ruling::Ruling> {
        let id = |at: usize| Some(self.register.devices.get(*self.bases.get(at)? as usize)?.id);
        self.register.rulings.between(id(a)?, id(b)?)
    }

    fn ruled_same(&self, a: usize, b: usize) -> Option<Likely> {
        let ruling = self.verdict(a, b).filter(|ruling| ruling.is_same)?;
        Some(Likely { because: "a person decided so".to_owned(), evidence: ruling.evidence() })
    }

    fn are_two(&self, a: usize, b: usize) -> bool {
        if self.verdict(a, b).is_some_and(|ruling| !ruling.is_same) {
            return true;
        }
        match (self.likenesses.get(a), self.likenesses.get(b)) {
            (Some(a), Some(b)) => a.contradicts(b, &self.register.knowledge),
            _ => false,
        }
    }

    fn are_one(&self, a: usize, b: usize) -> Option<Likely> {
        let (a, b) = (self.likenesses.get(a)?, self.likenesses.get(b)?);
        a.agrees(b, &self.register.knowledge, |attribute: Attribute, value: &str| {
            let identity: Identity = (attribute, value.into());
            self.cloned.contains(&identity) || self.register.bases_alike(attribute, value).is_none()
        })
    }
}

/// The bases that say something of themselves which may join them, as long as that can mean something: with one more than may
/// be alike, those before are taken apart.
fn bases_that_matter<'a>(
    knowledge: &Knowledge,
    claimants: &'a Claimants,
    links: &'a Shelf<Link>,
    attribute: Attribute,
    value: &str,
) -> impl Iterator<Item = u32> + use<'a> {
    let claimants = if knowledge.joins(attribute) { claimants.of(attribute, value) } else { &[] };
    let can_matter = claimants.len() <= MOST_COMPARED + 1;
    let claimants = if can_matter { claimants } else { &[] };
    claimants.iter().filter_map(|at| links.get(*at as usize)?.base)
}

/// Which of `count` hang together by these pairs.
fn clusters(count: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut of: Vec<usize> = (0..count).collect();
    for (a, b) in pairs {
        if let (Some(a), Some(b)) = (of.get(a).copied(), of.get(b).copied()) {
            for cluster in &mut of {
                if *cluster == a.max(b) {
                    *cluster = a.min(b);
                }
            }
        }
    }
    let mut clusters: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (at, cluster) in of.into_iter().enumerate() {
        clusters.entry(cluster).or_default().insert(at);
    }
    clusters.into_values().collect()
}
