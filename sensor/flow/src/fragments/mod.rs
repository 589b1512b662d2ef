//! Joining of IPv4 (RFC 791) and IPv6 (RFC 8200) fragments, within bounds.
//!
//! Where fragments overlap, the bytes that came first stay, and the overlap is counted. A datagram that does not become
//! complete in time, or has to give way, is handed out as far as its headers are known, so that its frames and bytes
//! are still counted with a flow.

mod datagram;

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use hashbrown::{DefaultHashBuilder, HashMap};

pub use datagram::Datagram;

use crate::packet::{Packet, Tunnels};

/// Bounds of a defragmenter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The most payload bytes kept at a time.
    pub max_bytes: usize,
    /// The most incomplete datagrams kept at a time.
    pub max_datagrams: usize,
    /// How long after its first fragment a datagram is given up, in packet time.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_bytes: 16 << 20, max_datagrams: 4096, timeout: Duration::from_secs(30) }
    }
}

/// What was done with fragments, in totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Fragments taken.
    pub fragments: u64,
    /// Datagrams that became complete.
    pub completed: u64,
    /// Datagrams given up when their time was over.
    pub timed_out: u64,
    /// Datagrams given up because there were too many, or too many bytes.
    pub evicted: u64,
    /// Frames of given up datagrams that were not fetched in time with [`Defragmenter::expire`], and are counted
    /// nowhere else.
    pub lost_frames: u64,
    /// Fragments that overlapped bytes already there; the earlier bytes were kept.
    pub overlaps: u64,
    /// Fragments refused: beyond 64 KiB, beyond the datagram's end, of a contradictory end, empty, or one too many of a
    /// datagram. Their frames and bytes still count with it.
    pub invalid: u64,
}

/// What became of a fragment.
#[expect(clippy::large_enum_variant, reason = "handed over once, and looked at on the spot")]
#[derive(Debug)]
pub enum Fragmented {
    /// Kept until the others come.
    Held,
    /// It was the last one missing.
    Complete(Datagram),
    /// The packet is no fragment.
    NotAFragment,
}

/// Fragments that belong together have this in common (the protocol is part of it in IPv4 only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    protocol: u8,
    /// All fragments of a datagram take the same way; two virtual networks may have the same addresses.
    tunnels: Tunnels,
}

/// Joins the fragments of one stream of packets.
#[derive(Debug)]
pub struct Defragmenter {
    config: Config,
    datagrams: HashMap<Key, Datagram, DefaultHashBuilder>,
    /// Datagrams by the time of their first fragment. Entries of finished ones are skipped when they come up.
    by_age: VecDeque<(Key, u64)>,
    /// Datagrams that had to give way, without their payload, until they are handed out.
    given_up: VecDeque<Datagram>,
    bytes: usize,
    serial: u64,
    stats: Stats,
}

impl Default for Defragmenter {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Defragmenter {
    /// An empty defragmenter.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            datagrams: HashMap::default(),
            by_age: VecDeque::new(),
            given_up: VecDeque::new(),
            bytes: 0,
            serial: 0,
            stats: Stats::default(),
        }
    }

    /// Totals so far.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Payload bytes kept now.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Incomplete datagrams kept now.
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Frames that are kept now: of incomplete datagrams, and of those that were given up and wait to be handed out.
    pub fn frames(&self) -> u64 {
        self.datagrams.values().chain(&self.given_up).map(|datagram| u64::from(datagram.frames())).sum()
    }

    /// Whether no incomplete datagram is kept.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Takes a fragment seen at `at` (ns since the Unix epoch).
    ///
    /// The oldest datagrams give way when there are too many, or too many bytes. What their headers say waits for the
    /// next [`Self::expire`], in a queue that is bounded too.
    pub fn push(&mut self, packet: &Packet<'_>, at: u64) -> Fragmented {
        let Some((ip, fragment)) = packet.fragment() else { return Fragmented::NotAFragment };
        self.stats.fragments += 1;
        let key = Key {
            source: ip.source,
            destination: ip.destination,
            identification: fragment.identification,
            protocol: if ip.source.is_ipv4() { ip.protocol } else { 0 },
            tunnels: packet.tunnels,
        };
        let (serial, by_age) = (&mut self.serial, &mut self.by_age);
        let datagram = self.datagrams.entry(key).or_insert_with(|| {
            *serial += 1;
            by_age.push_back((key, *serial));
            Datagram::new(packet, *ip, at, *serial)
        });
        let before = datagram.kept_bytes();
        match datagram.add(packet, *ip, fragment) {
            datagram::Added::Clean => {}
            datagram::Added::Overlap => self.stats.overlaps += 1,
            datagram::Added::Invalid => self.stats.invalid += 1,
        }
        self.bytes += datagram.kept_bytes() - before;
        if datagram.is_complete()
            && let Some(datagram) = self.take(key)
        {
            self.stats.completed += 1;
            return Fragmented::Complete(datagram);
        }
        while self.datagrams.len() > self.config.max_datagrams || self.bytes > self.config.max_bytes {
            let Some(oldest) = self.take_oldest() else { break };
            self.give_up(oldest);
        }
        Fragmented::Held
    }

    /// Hands out datagrams that will not become complete: those that had to give way, and at `now` (ns since the Unix
    /// epoch) those whose time is over. To be called now and then, a few times a second where fragments are many.
    pub fn expire(&mut self, now: u64, sink: &mut impl FnMut(Datagram)) {
        self.given_up.drain(..).for_each(&mut *sink);
        let timeout = u64::try_from(self.config.timeout.as_nanos()).unwrap_or(u64::MAX);
        while let Some(datagram) = self.oldest() {
            // A clock that was set back must not keep datagrams for ever: age counts either way.
            if now.abs_diff(datagram.first_at) <= timeout {
                return;
            }
            if let Some(datagram) = self.take_oldest() {
                self.stats.timed_out += 1;
                sink(datagram);
            }
        }
    }

    /// Hands out all datagrams that are not complete.
    pub fn finish(&mut self, sink: &mut impl FnMut(Datagram)) {
        self.given_up.drain(..).for_each(&mut *sink);
        while let Some(datagram) = self.take_oldest() {
            self.stats.timed_out += 1;
            sink(datagram);
        }
    }

    /// The incomplete datagram whose first fragment came first.
    fn oldest(&mut self) -> Option<&Datagram> {
        while let Some((key, serial)) = self.by_age.front() {
            if self.datagrams.get(key).is_some_and(|datagram| datagram.serial == *serial) {
                break;
            }
            self.by_age.pop_front();
        }
        self.by_age.front().and_then(|(key, _)| self.datagrams.get(key))
    }

    fn take_oldest(&mut self) -> Option<Datagram> {
        self.oldest()?;
        let (key, _) = self.by_age.pop_front()?;
        self.take(key)
    }

    /// Keeps what the headers of a datagram say for the next [`Self::expire`].
    fn give_up(&mut self, mut datagram: Datagram) {
        self.stats.evicted += 1;
        datagram.forget_payload();
        self.given_up.push_back(datagram);
        if self.given_up.len() > self.config.max_datagrams
            && let Some(lost) = self.given_up.pop_front()
        {
            self.stats.lost_frames += u64::from(lost.frames());
        }
    }

    fn take(&mut self, key: Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(&key)?;
        if self.by_age.len() > 2 * self.datagrams.len() + 64 {
            let datagrams = &self.datagrams;
            self.by_age.retain(|(key, serial)| datagrams.get(key).is_some_and(|kept| kept.serial == *serial));
        }
        self.bytes -= datagram.kept_bytes();
        Some(datagram)
    }
}
