//! Conversations as they pass a mirror port, in the classic pcap format, without end.
//!
//! Many conversations are under way at a time, and their packets alternate. A TCP conversation is opened, says something in
//! both directions, and is closed; volumes are cut to a few packets, since what is measured is flows and not octets.
//! The clock of the packets runs at a pace of its own, so that minutes of measuring are hours of a hospital.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::net::Ipv4Addr;

use wardwatch_capture::CaptureWriter;
use wardwatch_proto::v1::Protocol;

use super::{Conversation, End, Network};

/// Conversations under way.
const OPEN: usize = 4_000;

/// How often a flow that lasts is reported, in nanoseconds.
const MINUTE: u64 = 60 * 1_000_000_000;

/// Most octets of payload in a packet.
const PAYLOAD: u32 = 400;

/// What is said where no other text is: nothing that any protocol begins with.
const NOTHING: [u8; PAYLOAD as usize] = [0xff; PAYLOAD as usize];

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;

/// Writes packets of a network.
#[derive(Debug)]
pub(crate) struct Mirror<W> {
    network: Network,
    out: CaptureWriter<W>,
    open: VecDeque<Open>,
    /// Of the packets, in nanoseconds since the Unix epoch.
    clock: u64,
    /// Of the packets, between two conversations that begin.
    step: u64,
    begun: u64,
    /// Records that they come to, nearly.
    records: u64,
    /// Conversations between two ports that never change, and when one was counted last.
    lasting: HashMap<(Ipv4Addr, Ipv4Addr, u16), u64>,
    frame: Vec<u8>,
}

/// A conversation and how far it is.
#[derive(Debug)]
struct Open {
    talk: Conversation,
    number: u64,
    said: u8,
}

impl<W: Write> Mirror<W> {
    /// Begins a capture whose packets begin at `clock` (nanoseconds since the Unix epoch) and in which so many
    /// conversations begin in a second of the packets' time.
    pub(crate) fn new(network: Network, clock: u64, rate: u64, out: W) -> io::Result<Self> {
        let out = CaptureWriter::ethernet(out)?;
        let step = 1_000_000_000 / rate.max(1);
        let open = VecDeque::with_capacity(OPEN);
        Ok(Self {
            network,
            out,
            open,
            clock,
            step,
            begun: 0,
            records: 0,
            lasting: HashMap::new(),
            frame: Vec::with_capacity(600),
        })
    }

    /// Lets one more conversation begin; gives to how many flow records those come that have. From the port that they go to
    /// they are one flow, of which there is a record a minute.
    pub(crate) fn talk(&mut self) -> io::Result<u64> {
        self.clock += self.step;
        self.begun += 1;
        let talk = self.network.talk();
        let Conversation { initiator, responder, .. } = talk;
        let is_known = initiator.port == responder.port && {
            let counted = self.lasting.entry((initiator.ip, responder.ip, responder.port)).or_default();
            let is_known = self.clock < *counted + MINUTE;
            if !is_known {
                *counted = self.clock;
            }
            is_known
        };
        self.records += u64::from(!is_known);
        self.open.push_back(Open { talk, number: self.begun, said: 0 });
        // Each conversation is a while in the queue between two packets, as its peers think and the network takes time.
        while self.open.len() > OPEN {
            let Some(mut open) = self.open.pop_front() else { break };
            if self.say(&mut open)? {
                self.open.push_back(open);
            }
        }
        Ok(self.records)
    }

    /// Brings all conversations to their end.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        while let Some(mut open) = self.open.pop_front() {
            if self.say(&mut open)? {
                self.open.push_back(open);
            }
        }
        self.out.finish()
    }

    /// The next packet of a conversation; whether there is another.
    fn say(&mut self, open: &mut Open) -> io::Result<bool> {
        let Open { talk, number, said } = open;
        let Conversation { initiator, responder, up, down, .. } = *talk;
        let forth = (initiator, responder);
        let back = (responder, initiator);
        let (ask, answer) = (up.clamp(1, PAYLOAD), down.clamp(1, PAYLOAD));
        let is_tcp = talk.ip_protocol == 6;
        let (ends, flags, payload) = match (is_tcp, *said) {
            (false, 0) | (true, 3) => (forth, PSH_ACK, ask),
            (false, _) | (true, 4) => (back, PSH_ACK, answer),
            (true, 0) => (forth, SYN, 0),
            (true, 1) => (back, SYN | ACK, 0),
            (true, 5) => (forth, FIN_ACK, 0),
            (true, 6) => (back, FIN_ACK, 0),
            // After the handshake, and at the very end.
            (true, _) => (forth, ACK, 0),
        };
        // Sequence numbers begin at 0 on both sides: SYN and FIN count one each.
        let sent_before = |payload: u32| match *said {
            0 | 1 => 0,
            2..=4 => 1,
            5 | 6 => 1 + payload,
            _ => 2 + payload,
        };
        let is_forth = matches!(*said, 0 | 2 | 3 | 5 | 7);
        let sequence = sent_before(if is_forth { ask } else { answer });
        let heard = if *said == 0 { 0 } else { sent_before(if is_forth { answer } else { ask }).max(1) };
        let text = text(talk, is_forth, *number);
        let payload = text.get(..text.len().min(payload as usize)).unwrap_or_default();
        self.frame.clear();
        frame(&mut self.frame, ends, talk.ip_protocol, (sequence, heard, flags), payload);
        *said += 1;
        self.record()?;
        Ok(*said < if is_tcp { 8 } else { 2 })
    }

    fn record(&mut self) -> io::Result<()> {
        self.clock += 1;
        self.out.frame(self.clock, self.frame.len() as u32, &self.frame)
    }
}

/// What is said: HTTP is said as such, the rest says nothing.
fn text(talk: &Conversation, is_forth: bool, number: u64) -> Vec<u8> {
    if talk.protocol != Protocol::Http {
        return NOTHING.to_vec();
    }
    let mut text = if is_forth {
        format!(
            "GET /item/{number} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ward-client/{}.{}\r\nAccept: */*\r\nCookie: ",
            talk.responder.ip,
            talk.device % 7,
            talk.device % 11
        )
    } else {
        "HTTP/1.1 200 OK\r\nServer: ward-server/2.1\r\nContent-Length: 4096\r\n\r\n".to_owned()
    };
    text.extend(std::iter::repeat_n('x', PAYLOAD as usize - text.len().min(PAYLOAD as usize)));
    text.into_bytes()
}

/// An Ethernet frame with IPv4 and TCP or UDP (RFC 894, 791, 9293, 768). Checksums are left out, as on a mirror port
/// behind network cards that fill them in.
fn frame(
    out: &mut Vec<u8>,
    (from, to): (End, End),
    ip_protocol: u8,
    (sequence, heard, flags): (u32, u32, u8),
    payload: &[u8],
) {
    let transport = if ip_protocol == 6 { 20 } else { 8 };
    let length = (payload.len() + transport) as u16;
    out.extend(to.mac);
    out.extend(from.mac);
    out.extend([0x08, 0x00, 0x45, 0]);
    out.extend((length + 20).to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, ip_protocol, 0, 0]);
    out.extend(from.ip.octets());
    out.extend(to.ip.octets());
    out.extend(from.port.to_be_bytes());
    out.extend(to.port.to_be_bytes());
    if ip_protocol == 6 {
        out.extend(sequence.to_be_bytes());
        out.extend(heard.to_be_bytes());
        out.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    } else {
        out.extend(length.to_be_bytes());
        out.extend([0, 0]);
    }
    out.extend(payload);
}

#[cfg(test)]
mod tests {
    use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
    use wardwatch_proto::v1::fact::Fact as Stated;
    use wardwatch_proto::v1::{EndReason, Protocol};
    use wardwatch_sensor::worker::{Limits, Worker};

    use super::*;

    #[test]
    fn a_sensor_sees_every_conversation_from_its_beginning_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mirror.pcap");
        let out = io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
        let mut mirror =
            Mirror::new(Network::new(1, 500), 1_700_000_000_000_000_000, 1000, out).expect("written");
        let mut due = 0;
        for _ in 0..30_000 {
            due = mirror.talk().expect("written");
        }
        mirror.finish().expect("written");

        let mut worker = Worker::new(&Limits::default());
        let mut facts = Vec::new();
        let mut source = CaptureFile::open(&path, Pace::Full).expect("our own capture");
        while let Step::Frames(frames) = source.next().expect("our own capture") {
            worker.frames(&frames, &mut facts);
        }
        worker.finish(&mut facts);
        let totals = worker.totals();
        assert!(totals.malformed.is_empty() && totals.missing_bytes == 0, "{totals:?}");
        let flows: Vec<_> = facts
            .iter()
            .filter_map(|fact| match &fact.fact {
                Some(Stated::Flow(flow)) => Some(flow),
                _ => None,
            })
            .collect();
        let finished = flows.iter().filter(|flow| flow.ip_protocol == 6);
        assert!(
            finished
                .clone()
                .all(|flow| flow.end_reason() == EndReason::Finished
                    || flow.end_reason() == EndReason::Shutdown)
        );
        assert!(finished.clone().all(|flow| flow.initiator_tcp_flags == 0x1b && !flow.initiator_guessed));
        // The sensor divides a flow that lasts a little later than the mirror does, by the second it keeps.
        let off = flows.len().abs_diff(due as usize);
        assert!(flows.len() >= 27_000 && off * 500 < flows.len(), "{due} are due, {} come", flows.len());
        assert!(flows.iter().filter(|flow| flow.protocol() == Protocol::Http).count() > 500);
        assert!(totals.observations > 100);
    }
}
