//! The tunnels of the flows in the table, each kept once: a flow has room for a number only.

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::packet::Tunnels;

/// The number of "in no tunnel".
pub(super) const NONE: u32 = 0;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    tunnels: Tunnels,
    separating: Tunnels,
    /// Flows that have it; 0 marks a free place.
    flows: u32,
}

/// Tunnels by number. There are never more than flows.
#[derive(Debug)]
pub(super) struct Encapsulations {
    entries: Vec<Entry>,
    free: Vec<u32>,
    numbers: HashMap<Tunnels, u32, DefaultHashBuilder>,
    /// Identifiers of mirrors' tunnels, which keep nothing apart.
    mirrors: Vec<u32>,
}

impl Encapsulations {
    pub(super) fn new(mirrors: &[u32]) -> Self {
        Self {
            entries: vec![Entry::default()],
            free: Vec::new(),
            numbers: HashMap::default(),
            mirrors: mirrors.to_vec(),
        }
    }

    /// What keeps a packet's flow apart from others of the same addresses and ports.
    pub(super) fn separating(&self, tunnels: &Tunnels) -> Tunnels {
        if tunnels.is_empty() { Tunnels::default() } else { tunnels.separating(&self.mirrors) }
    }

    /// The number for a flow that begins; it is to be given back.
    pub(super) fn take(&mut self, tunnels: &Tunnels) -> u32 {
        if tunnels.is_empty() {
            return NONE;
        }
        let number = self.numbers.get(tunnels).copied().unwrap_or_else(|| self.add(*tunnels));
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.flows += 1;
        }
        number
    }

    fn add(&mut self, tunnels: Tunnels) -> u32 {
        let entry = Entry { tunnels, separating: tunnels.separating(&self.mirrors), flows: 0 };
        let number = self.free.pop().unwrap_or(self.entries.len() as u32);
        match self.entries.get_mut(number as usize) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        self.numbers.insert(tunnels, number);
        number
    }

    /// A flow with this number has ended.
    pub(super) fn give_back(&mut self, number: u32) {
        if number == NONE {
            return;
        }
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        entry.flows = entry.flows.saturating_sub(1);
        if entry.flows == 0 {
            self.numbers.remove(&entry.tunnels);
            self.free.push(number);
        }
    }

    pub(super) fn tunnels_of(&self, number: u32) -> Tunnels {
        self.entries.get(number as usize).map_or_else(Tunnels::default, |entry| entry.tunnels)
    }

    pub(super) fn separating_of(&self, number: u32) -> Tunnels {
        self.entries.get(number as usize).map_or_else(Tunnels::default, |entry| entry.separating)
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}
