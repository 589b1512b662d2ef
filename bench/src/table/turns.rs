//! What takes turns on the same frames: parsing alone, with the least that a table can do, with the flow table, and with all
//! that the sensor does.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use hashbrown::HashMap;
use wardwatch_capture::{Frame, LinkType};
use wardwatch_flow::packet::{self, Link, Packet};
use wardwatch_flow::table::{Config, FlowRecord, FlowTable};
use wardwatch_proto::v1::Fact;
use wardwatch_sensor::worker::{Limits, Worker};

use super::flows::{self, HANDSHAKE, Segment, TALK};
use crate::cpu;

/// Frames that are written at a time, and then taken: 128 KiB, as a card leaves them in the processor's cache.
const RING: usize = 1024;

/// Packets whose memory is asked for at a time.
pub(super) const AHEAD: usize = 32;

/// Packets a second that we want of one core, parsing and flow table.
pub(super) const AIM: f64 = 5_000_000.0;

/// Of the packets, in nanoseconds: the clock goes as fast as it does at the rate that is aimed at.
const BETWEEN_PACKETS: u64 = 200;

/// Of the packets, in nanoseconds: the sensor's.
const BETWEEN_TIMERS: u64 = 250_000_000;

/// When the packets begin, in nanoseconds since the Unix epoch.
pub(super) const START: u64 = 1_700_000_000_000_000_000;

/// What is done with frames.
pub(super) trait Taker {
    /// Takes frames, one after the other.
    fn take(&mut self, frames: &[Vec<u8>]);

    /// How many flows it knows.
    fn flows(&self) -> usize;
}

/// Gives the frames of a handshake of each flow.
pub(super) fn establish(taker: &mut impl Taker, flows: u32) -> Result<()> {
    give_each(flows, &HANDSHAKE, |frames| taker.take(frames));
    ensure!(taker.flows() == flows as usize, "{} flows of {flows}", taker.flows());
    Ok(())
}

/// Writes these packets of each flow, a ring at a time.
pub(super) fn give_each(flows: u32, segments: &[Segment], mut give: impl FnMut(&[Vec<u8>])) {
    let mut ring = ring();
    let mut filled = 0;
    for number in 0..flows {
        for segment in segments {
            let Some(frame) = ring.get_mut(filled) else { continue };
            flows::frame(frame, number, *segment);
            filled += 1;
            if filled == RING {
                give(&ring);
                filled = 0;
            }
        }
    }
    give(ring.get(..filled).unwrap_or_default());
}

/// Nanoseconds of CPU a packet, of at least so many packets of random flows. Writing the frames is left out.
pub(super) fn turn(taker: &mut impl Taker, flows: u32, packets: u32, seed: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ring = ring();
    let turns = (packets as usize).div_ceil(RING);
    let mut spent = Duration::ZERO;
    for _ in 0..turns {
        for frame in &mut ring {
            let segment = TALK[usize::from(random.bool())];
            flows::frame(frame, random.u32(..flows), segment);
        }
        let before = cpu::of_thread();
        taker.take(&ring);
        spent += cpu::of_thread().saturating_sub(before);
    }
    spent.as_nanos() as f64 / (turns * RING) as f64
}

/// These frames as a source hands them over, the clock going on between them.
pub(super) fn framed<'a>(frames: &'a [Vec<u8>], at: &mut u64) -> Vec<Frame<'a>> {
    let frames = frames.iter().map(|bytes| {
        *at += BETWEEN_PACKETS;
        Frame { at: *at, wire_length: bytes.len() as u32, link: LinkType::Ethernet, vlan: None, bytes }
    });
    frames.collect()
}

fn ring() -> Vec<Vec<u8>> {
    (0..RING).map(|_| Vec::with_capacity(128)).collect()
}

/// What the sensor does before the flow table, duplicates left out: headers; no fragment, no tunnel.
fn headers(frame: &[u8]) -> Option<Packet<'_>> {
    let packet = packet::parse(Link::Ethernet, None, frame, frame.len() as u32).ok()?;
    (packet.fragment().is_none() && packet::inside(&packet).is_none()).then_some(packet)
}

/// Parsing alone.
#[derive(Debug)]
pub(super) struct Parsing;

impl Taker for Parsing {
    fn take(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            std::hint::black_box(&headers(frame));
        }
    }

    fn flows(&self) -> usize {
        0
    }
}

/// Parsing, and a packet counted in a hash table: the bare floor.
#[derive(Debug)]
pub(super) struct Bare {
    packets: HashMap<Tuple, u64>,
}

impl Bare {
    pub(super) fn new(flows: u32) -> Self {
        Self { packets: HashMap::with_capacity(flows as usize) }
    }
}

impl Taker for Bare {
    fn take(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            if let Some(tuple) = headers(frame).as_ref().and_then(Tuple::of) {
                *self.packets.entry(tuple).or_default() += 1;
            }
        }
    }

    fn flows(&self) -> usize {
        self.packets.len()
    }
}

/// A 5-tuple, the same for both directions: addresses, ports and protocol in five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tuple([u64; 5]);

impl Tuple {
    fn of(packet: &Packet<'_>) -> Option<Self> {
        let ip = packet.ip()?;
        let (source_port, destination_port) = packet.ports()?;
        let [source, destination] = [ip.source, ip.destination].map(number);
        let (from, to) = ((source, source_port), (destination, destination_port));
        let (first, second) = if from <= to { (from, to) } else { (to, from) };
        let rest = u64::from(ip.protocol) << 32 | u64::from(first.1) << 16 | u64::from(second.1);
        Some(Self([first.0 as u64, (first.0 >> 64) as u64, second.0 as u64, (second.0 >> 64) as u64, rest]))
    }
}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|word| state.write_u64(*word));
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Parsing and the flow table, with the sensor's timers.
#[derive(Debug)]
pub(super) struct Flows {
    table: FlowTable<()>,
    at: u64,
    timers_at: u64,
    records: u64,
    /// Whether memory of some packets is asked for before they are counted.
    pub(super) looks_ahead: bool,
}

impl Flows {
    pub(super) fn new() -> Self {
        Self {
            table: FlowTable::new(&Config::default()),
            at: START,
            timers_at: START,
            records: 0,
            looks_ahead: false,
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        self.at += BETWEEN_PACKETS;
        let records = &mut self.records;
        let mut sink = |record: FlowRecord, _: &mut Option<Box<()>>| {
            std::hint::black_box(&record);
            *records += 1;
        };
        let observed = self.table.observe(packet, self.at, &mut sink);
        std::hint::black_box(&observed);
        if self.at - self.timers_at >= BETWEEN_TIMERS {
            self.timers();
        }
    }

    /// Lets the active interval pass: nanoseconds of CPU for each record that is stated.
    pub(super) fn state_all(&mut self) -> f64 {
        let (before, records) = (cpu::of_thread(), self.records);
        self.at += 61_000_000_000;
        self.timers();
        let spent = cpu::of_thread().saturating_sub(before);
        spent.as_nanos() as f64 / (self.records - records).max(1) as f64
    }

    fn timers(&mut self) {
        let records = &mut self.records;
        self.timers_at = self.at;
        self.table.advance(self.at, &mut |record: FlowRecord, _: &mut Option<Box<()>>| {
            std::hint::black_box(&record);
            *records += 1;
        });
    }
}

impl Taker for Flows {
    fn take(&mut self, frames: &[Vec<u8>]) {
        if !self.looks_ahead {
            for packet in frames.iter().filter_map(|frame| headers(frame)) {
                self.packet(&packet);
            }
            return;
        }
        let mut packets = Vec::with_capacity(AHEAD);
        for frames in frames.chunks(AHEAD) {
            packets.clear();
            packets.extend(frames.iter().filter_map(|frame| headers(frame)));
            self.table.prefetch(packets.iter());
            for packet in &packets {
                self.packet(packet);
            }
        }
    }

    fn flows(&self) -> usize {
        self.table.len()
    }
}

/// All that the sensor does on one core: its worker, with duplicates, reassembly and dissectors.
#[derive(Debug)]
pub(super) struct Sensor {
    worker: Worker,
    at: u64,
    facts: Vec<Fact>,
    /// Frames that the worker gets at a time.
    pub(super) step: usize,
}

impl Sensor {
    /// It knows these flows. Of what they speak it has given up those over UDP, and waits for more over TCP.
    pub(super) fn of(flows: u32) -> Result<Self> {
        let worker = Worker::new(&Limits::default());
        let mut sensor = Self { worker, at: START, facts: Vec::new(), step: AHEAD };
        establish(&mut sensor, flows)?;
        give_each(flows, &TALK, |frames| sensor.take(frames));
        Ok(sensor)
    }
}

impl Taker for Sensor {
    fn take(&mut self, frames: &[Vec<u8>]) {
        for frames in framed(frames, &mut self.at).chunks(self.step.max(1)) {
            self.worker.frames(frames, &mut self.facts);
        }
        self.facts.clear();
    }

    fn flows(&self) -> usize {
        self.worker.totals().flows as usize
    }
}
