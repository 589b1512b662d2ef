//! What the sensor states about a capture file: the whole way of a packet, in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use wardwatch_capture::{CaptureFile, Frame, LinkType, Pace, Source as _, Step};
use wardwatch_proto::address::ip_text;
use wardwatch_proto::v1::{self, EndReason, Fact, Observation, Protocol, fact};
use wardwatch_sensor::worker::{Limits, Totals, Worker};

use super::conversation::{Conversation, Sent};

/// The facts in a capture file, in the order in which they are stated.
pub fn facts(path: &Path) -> Result<Vec<Fact>> {
    Ok(of_frames(&frames(path)?).0)
}

/// The frames of a capture file.
pub fn frames(path: &Path) -> Result<Vec<Framed>> {
    let mut source = CaptureFile::open(path, Pace::Full)?;
    let mut frames = Vec::new();
    loop {
        match source.next()? {
            Step::Frames(some) => frames.extend(some.into_iter().map(Framed::from)),
            Step::Idle => {}
            Step::End => return Ok(frames),
        }
    }
}

/// A frame that owns its bytes; see [`Frame`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// When, in nanoseconds since the Unix epoch.
    pub at: u64,
    /// Its length on the wire.
    pub wire_length: u32,
    /// What it begins with.
    pub link: LinkType,
    /// What was captured of it.
    pub bytes: Vec<u8>,
}

impl From<Frame<'_>> for Framed {
    fn from(frame: Frame<'_>) -> Self {
        let Frame { at, wire_length, link, bytes, .. } = frame;
        Self { at, wire_length, link, bytes: bytes.to_vec() }
    }
}

impl Framed {
    /// As a source would hand it over.
    pub fn frame(&self) -> Frame<'_> {
        let Self { at, wire_length, link, bytes } = self;
        Frame { at: *at, wire_length: *wire_length, link: *link, vlan: None, bytes }
    }
}

/// What a worker states of frames, and what it counts. A packet that is in a capture twice is counted twice, as the oracles
/// do.
pub fn of_frames(frames: &[Framed]) -> (Vec<Fact>, Totals) {
    let limits = Limits { duplicate_window: Duration::ZERO, ..Limits::default() };
    let mut worker = Worker::new(&limits);
    let mut facts = Vec::new();
    let frames: Vec<_> = frames.iter().map(Framed::frame).collect();
    worker.frames(&frames, &mut facts);
    worker.finish(&mut facts);
    (facts, worker.totals())
}

/// The observations among facts.
pub fn observations(facts: &[Fact]) -> impl Iterator<Item = &Observation> {
    facts.iter().filter_map(|fact| match &fact.fact {
        Some(fact::Fact::Observation(observation)) => Some(observation),
        _ => None,
    })
}

/// A flow, all its records added up.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Who talked to whom.
    pub conversation: Conversation,
    /// Who began it, by its last record, and who was addressed.
    pub initiator: SocketAddr,
    /// See `initiator`.
    pub responder: SocketAddr,
    /// First and last packet, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// See `start`.
    pub end: u64,
    /// Frames and their bytes, for each end in the order of `conversation`.
    pub frames: [Sent; 2],
    /// Frames and the bytes of their IP packets, likewise.
    pub ip: [Sent; 2],
    /// Why its last record was made.
    pub end_reason: EndReason,
    /// What it was recognised as, by its last record.
    pub protocol: Protocol,
}

/// The flows among facts, in the order in which they began.
pub fn flows(facts: &[Fact]) -> Result<Vec<Flow>> {
    let mut flows = BTreeMap::<u64, Flow>::new();
    for fact in facts {
        let Some(fact::Fact::Flow(record)) = &fact.fact else { continue };
        let (initiator, responder) = ends(record)?;
        let (conversation, is_ordered) = Conversation::between(transport(record), initiator, responder);
        let flow = flows.entry(record.id).or_insert_with(|| Flow {
            conversation,
            initiator,
            responder,
            start: record.start,
            end: record.end,
            frames: [Sent::default(); 2],
            ip: [Sent::default(); 2],
            end_reason: EndReason::Unspecified,
            protocol: Protocol::Unspecified,
        });
        (flow.initiator, flow.responder) = (initiator, responder);
        flow.start = flow.start.min(record.start);
        flow.end = flow.end.max(record.end);
        flow.end_reason = record.end_reason();
        flow.protocol = record.protocol();
        let [first, second] = if is_ordered { [0, 1] } else { [1, 0] };
        for (side, counters) in [(first, record.from_initiator), (second, record.from_responder)] {
            let v1::Counters { packets, frame_bytes, ip_bytes, .. } = counters.unwrap_or_default();
            flow.frames[side] += Sent { packets, bytes: frame_bytes };
            flow.ip[side] += Sent { packets, bytes: ip_bytes };
        }
    }
    Ok(flows.into_values().collect())
}

/// Who talked to whom by a flow's record.
pub fn conversation(record: &v1::Flow) -> Result<Conversation> {
    let (initiator, responder) = ends(record)?;
    Ok(Conversation::between(transport(record), initiator, responder).0)
}

fn ends(record: &v1::Flow) -> Result<(SocketAddr, SocketAddr)> {
    Ok((end(record.initiator.as_ref())?, end(record.responder.as_ref())?))
}

fn transport(record: &v1::Flow) -> &'static str {
    match record.ip_protocol {
        6 => "tcp",
        17 => "udp",
        1 | 58 => "icmp",
        _ => "ip",
    }
}

fn end(endpoint: Option<&v1::Endpoint>) -> Result<SocketAddr> {
    let endpoint = endpoint.context("a flow without an endpoint")?;
    let ip = ip_text(&endpoint.ip).parse().with_context(|| format!("an address of {:?}", endpoint.ip))?;
    Ok(SocketAddr::new(ip, u16::try_from(endpoint.port).context("a port")?))
}
