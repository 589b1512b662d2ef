//! Seeds for the targets that read frames: the first frames of a capture, in the targets' own formats.

use std::collections::HashSet;

use wardwatch_capture::{Frame, LinkType};

use super::corpus::Corpus;

/// The whole decoder: `sensor/fuzz`.
const DECODER: &str = "sensor/decoder";
/// The header parser: `sensor/flow/fuzz`.
const PARSE: &str = "flow/parse";
/// Fragments and the flow table, there.
const FLOWS: &str = "flow/flows";

/// The longest frame that the decoder's target reads, in bytes.
const LONGEST_FRAME: usize = 2047;
/// About the length of a seed of several frames, in bytes: mutations of longer ones take long.
const SEED: usize = 8 << 10;
/// Seeds for the decoder from one capture.
const MOST: usize = 2;

/// Frames of one capture.
pub(crate) struct Frames {
    last: Option<u64>,
    kinds: HashSet<Vec<u8>>,
    decoder: Vec<u8>,
    decoder_seeds: usize,
    flows: Vec<u8>,
}

impl Frames {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { last: None, kinds: HashSet::new(), decoder: Vec::new(), decoder_seeds: 0, flows: Vec::new() }
    }

    /// Takes a frame.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, corpus: &mut Corpus) {
        let Some(link) = number_of(frame.link) else { return };
        if self.kinds.insert(kind(frame)) {
            corpus.take(PARSE, [&[link], frame.bytes].concat());
        }
        self.take_packet(frame);
        self.take_frame(frame, link);
        self.last = Some(frame.at);
        if self.decoder.len() >= SEED {
            self.take_decoder(corpus);
        }
    }

    /// The capture has ended.
    pub(crate) fn finish(mut self, corpus: &mut Corpus) {
        self.take_decoder(corpus);
        if !self.flows.is_empty() {
            corpus.take(FLOWS, self.flows);
        }
    }

    /// In units of time that fit one signed byte.
    fn step(&self, frame: &Frame<'_>, unit: u64) -> u8 {
        let passed = frame.at.saturating_sub(self.last.unwrap_or(frame.at)) / unit;
        u8::try_from(passed.min(127)).unwrap_or(127)
    }

    fn take_frame(&mut self, frame: &Frame<'_>, link: u8) {
        let bytes = frame.bytes.get(..LONGEST_FRAME).unwrap_or(frame.bytes);
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.decoder.extend(length.to_be_bytes());
        self.decoder.extend([self.step(frame, 100_000_000), link]);
        self.decoder.extend(bytes);
    }

    fn take_decoder(&mut self, corpus: &mut Corpus) {
        let seed = std::mem::take(&mut self.decoder);
        if self.decoder_seeds < MOST && !seed.is_empty() {
            self.decoder_seeds += 1;
            corpus.take(DECODER, seed);
        }
    }

    /// The IP packet of an untagged frame, where it is short enough for the flow table's target.
    fn take_packet(&mut self, frame: &Frame<'_>) {
        let header = if frame.link == LinkType::Ethernet { 14 } else { 0 };
        let Some(packet) = frame.bytes.get(header..) else { return };
        let is_ip = packet.first().is_some_and(|first| matches!(first >> 4, 4 | 6));
        if let (true, Ok(length), true) = (is_ip, u8::try_from(packet.len()), self.flows.len() < SEED) {
            self.flows.extend([length, self.step(frame, 1_000_000_000)]);
            self.flows.extend(packet);
        }
    }
}

/// What tells headers apart, roughly: on Ethernet the EtherType, and the IP protocol of IPv4 and of IPv6.
fn kind(frame: &Frame<'_>) -> Vec<u8> {
    [12, 13, 20, 23].iter().filter_map(|place| frame.bytes.get(*place).copied()).collect()
}

/// The number that both targets have for a link.
fn number_of(link: LinkType) -> Option<u8> {
    match link {
        LinkType::Ethernet => Some(0),
        LinkType::RawIp => Some(1),
        LinkType::LinuxSll => Some(2),
        LinkType::LinuxSll2 => Some(3),
        LinkType::Null => Some(4),
        LinkType::Loop | LinkType::Other(_) => None,
    }
}
