//! What goes to a worker and comes back: packets one way, facts the other, in memory that is used again.

use wardwatch_flow::packet::{Detached, Packet};
use wardwatch_proto::v1::Fact;

use crate::worker::{Flows, Totals};

/// Packets that are shared out at a time, over all workers.
pub(super) const PACKETS: usize = 256;

/// Items whose flows are brought into the caches at a time: few enough to be there still when it is their turn.
const AHEAD: usize = 32;

/// A batch that took more than this for jumbo frames gives it back.
const USUAL_BYTES: usize = 512 << 10;

/// What a worker does besides packets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    /// Timers run at this time.
    Advance(u64),
    /// The input has ended.
    Finish,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "in a vector that is used again, and nearly all are packets")]
enum Item {
    Packet { packet: Detached, at: u64, is_tunnel: bool },
    Timer(Timer),
}

/// A worker's part of a round.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) round: u64,
    /// Each with the moment that its facts are sorted by.
    items: Vec<(u64, Item)>,
    bytes: Vec<u8>,
    /// What came of it.
    pub(super) facts: Vec<(u64, Fact)>,
    /// What the worker has counted until then.
    pub(super) totals: Totals,
    stated: Vec<Fact>,
}

impl Batch {
    pub(super) fn put(&mut self, packet: &Packet<'_>, at: u64, is_tunnel: bool, moment: u64) {
        let packet = packet.detach(&mut self.bytes);
        self.items.push((moment, Item::Packet { packet, at, is_tunnel }));
    }

    pub(super) fn timer(&mut self, timer: Timer, moment: u64) {
        self.items.push((moment, Item::Timer(timer)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.bytes.clear();
        self.bytes.shrink_to(USUAL_BYTES);
        self.facts.clear();
    }

    /// Forgets its packets, and says how many frames that were. Timers stay: they cost nothing and must not be missed.
    pub(super) fn drop_packets(&mut self) -> u64 {
        let mut frames = 0;
        let bytes = &self.bytes;
        self.items.retain(|(_, item)| match item {
            Item::Packet { packet, .. } => {
                frames += u64::from(packet.packet(bytes).frames);
                false
            }
            Item::Timer(_) => true,
        });
        self.bytes.clear();
        frames
    }

    /// Lets a worker do what is in it.
    pub(super) fn work(&mut self, flows: &mut Flows) {
        for items in self.items.chunks(AHEAD) {
            flows.prefetch(items.iter().filter_map(|(_, item)| match item {
                Item::Packet { packet, .. } => Some(packet.headers()),
                Item::Timer(_) => None,
            }));
            for (moment, item) in items {
                match item {
                    Item::Packet { packet, at, is_tunnel } => {
                        flows.packet(&packet.packet(&self.bytes), *at, *is_tunnel, &mut self.stated);
                    }
                    Item::Timer(Timer::Advance(now)) => flows.advance(*now, &mut self.stated),
                    Item::Timer(Timer::Finish) => flows.finish(&mut self.stated),
                }
                self.facts.extend(self.stated.drain(..).map(|fact| (*moment, fact)));
            }
        }
        self.totals = flows.totals();
    }
}
