//! Which of several tables a packet belongs to.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::key::Key;
use crate::packet::Packet;

/// Shares flows out among tables: all packets of one, in both directions, to the same.
#[derive(Debug)]
pub struct Share {
    hasher: DefaultHashBuilder,
    tables: usize,
}

impl Share {
    /// Among so many tables.
    pub fn among(tables: usize) -> Self {
        Self { hasher: DefaultHashBuilder::default(), tables: tables.max(1) }
    }

    /// The number of the table, from 0, for a packet that is no fragment; the first one for what is not IP.
    ///
    /// The hash is that of the flow's name without its tunnel: what a mirror's session and a virtual network add to it keeps
    /// flows apart in one table. It is another one in each process, so that nobody can aim at one table.
    pub fn of(&self, packet: &Packet<'_>) -> usize {
        let Some(ip) = packet.ip() else { return 0 };
        let (key, _) = Key::of(ip, &packet.transport, false);
        let hash = self.hasher.hash_one(key);
        // The upper half, scaled: the lower bits choose the place in the table.
        (((hash >> 32) * self.tables as u64) >> 32) as usize
    }
}
