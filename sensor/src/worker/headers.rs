//! Frames in, whole packets out: headers are read, duplicates left out, fragments joined, tunnels opened.
//!
//! What is behind this sees packets only: the outer one of a tunnel, then the one inside it, each as if it had come alone.
//! Of every frame it is counted what became of it.

use wardwatch_capture::{Frame, LinkType};
use wardwatch_flow::Link;
use wardwatch_flow::duplicates::Duplicates;
use wardwatch_flow::fragments::{self, Datagram, Defragmenter, Fragmented};
use wardwatch_flow::packet::{self, Malformed, Packet, VlanTag};

use super::{Limits, Totals};

/// Packet time between two runs of the timers.
const TIMER_INTERVAL: u64 = 250_000_000;

/// What is done with a packet, at its time; the flag says that it is a tunnel's, and that the packet inside it follows.
pub trait Take: FnMut(&Packet<'_>, u64, bool) {}

impl<F: FnMut(&Packet<'_>, u64, bool)> Take for F {}

/// Everything before the flow table.
#[derive(Debug)]
pub struct Headers {
    duplicates: Option<Duplicates>,
    fragments: Defragmenter,
    totals: Totals,
    timers_at: u64,
}

impl Headers {
    /// Nothing has been seen yet.
    pub fn new(limits: &Limits) -> Self {
        let window = limits.duplicate_window;
        Self {
            duplicates: (!window.is_zero()).then(|| Duplicates::new(window)),
            fragments: Defragmenter::new(fragments::Config::default()),
            totals: Totals::default(),
            timers_at: 0,
        }
    }

    /// Takes a frame.
    pub fn frame(&mut self, frame: &Frame<'_>, take: &mut impl Take) {
        if let Some(packet) = self.read(frame) {
            self.packet(&packet, frame.at, take);
        }
    }

    /// The first half of that: counts a frame and reads its headers; nothing where they cannot be read.
    pub(super) fn read<'a>(&mut self, frame: &Frame<'a>) -> Option<Packet<'a>> {
        self.totals.packets += 1;
        self.totals.bytes += u64::from(frame.wire_length);
        let Some(link) = link_of(frame.link) else {
            self.totals.malformed("link type that is not decoded", 1);
            return None;
        };
        let tag = frame.vlan.map(|tag| VlanTag { tpid: tag.protocol, tci: tag.control });
        let tag_length = if tag.is_some() { wardwatch_capture::VlanTag::LENGTH } else { 0 };
        let parsed = packet::parse(link, tag, frame.bytes, frame.wire_length.saturating_sub(tag_length));
        parsed.inspect_err(|reason| self.totals.malformed(reason.name(), 1)).ok()
    }

    /// Whether it is time to run the timers, [`Self::expire`] among them, after a frame of this time.
    pub fn timers_are_due(&self, at: u64) -> bool {
        at.abs_diff(self.timers_at) >= TIMER_INTERVAL
    }

    /// Runs the timers at `now`, in nanoseconds since the Unix epoch on the packets' clock.
    pub fn expire(&mut self, now: u64, take: &mut impl Take) {
        self.timers_at = now;
        let mut incomplete = Vec::new();
        self.fragments.expire(now, &mut |datagram| incomplete.push(datagram));
        self.credit(&incomplete, take);
    }

    /// The input has ended.
    pub fn finish(&mut self, take: &mut impl Take) {
        let mut incomplete = Vec::new();
        self.fragments.finish(&mut |datagram| incomplete.push(datagram));
        self.credit(&incomplete, take);
    }

    /// What has been counted so far.
    pub fn totals(&self) -> Totals {
        let fragments = self.fragments.stats();
        Totals {
            incomplete_datagrams: fragments.timed_out + fragments.evicted,
            fragments_refused: fragments.invalid + fragments.overlaps,
            fragments_lost: fragments.lost_frames,
            fragments_held: self.fragments.frames(),
            ..self.totals.clone()
        }
    }

    /// The second half: takes a packet that was read, which may be a fragment.
    pub(super) fn packet(&mut self, packet: &Packet<'_>, at: u64, take: &mut impl Take) {
        if let Some(duplicates) = &mut self.duplicates
            && duplicates.is_one(packet, at)
        {
            self.totals.duplicates += u64::from(packet.frames);
            self.totals.duplicate_bytes += u64::from(packet.frame_length);
            return;
        }
        if packet.fragment().is_none() {
            return self.whole(packet, at, take);
        }
        let fragmented = self.fragments.push(packet, at);
        if let Fragmented::Complete(datagram) = fragmented {
            match datagram.packet() {
                Ok(whole) => self.whole(&whole, at, take),
                Err(reason) => self.totals.malformed(reason.name(), datagram.frames()),
            }
        }
    }

    /// Each tunnel is one deeper than the last, so [`packet::Tunnels::MAX`] bounds how deep this goes.
    fn whole(&mut self, packet: &Packet<'_>, at: u64, take: &mut impl Take) {
        let inside: Option<Result<Packet<'_>, Malformed>> = packet::inside(packet);
        take(packet, at, inside.is_some());
        let Some(inside) = inside else { return };
        self.totals.packets_in_tunnels += u64::from(packet.frames);
        match inside {
            Ok(inner) => self.packet(&inner, at, take),
            Err(reason) => self.totals.malformed(reason.name(), packet.frames),
        }
    }

    /// Counts fragments whose datagram never became complete with the flow they belong to.
    fn credit(&mut self, incomplete: &[Datagram], take: &mut impl Take) {
        for datagram in incomplete {
            match datagram.packet() {
                Ok(part) => take(&part, datagram.first_at(), false),
                Err(reason) => self.totals.malformed(reason.name(), datagram.frames()),
            }
        }
    }
}

/// The header parser's name for the capture's link type; none where it knows no such link.
pub fn link_of(link: LinkType) -> Option<Link> {
    match link {
        LinkType::Ethernet => Some(Link::Ethernet),
        LinkType::RawIp => Some(Link::RawIp),
        LinkType::LinuxSll => Some(Link::LinuxSll),
        LinkType::LinuxSll2 => Some(Link::LinuxSll2),
        LinkType::Null | LinkType::Loop => Some(Link::BsdLoopback),
        LinkType::Other(_) => None,
    }
}
