//! Seeds for the dissectors: what passed on each flow of a capture, as the sensor would show it to them.

use wardwatch_capture::Frame;
use wardwatch_dissect::fuzzing::{Recording, Row, Table, What};
use wardwatch_dissect::{Carrier, Direction};
use wardwatch_flow::packet::{self, Packet, Transport};
use wardwatch_flow::reassembly::{Budget, Delivery, Segment, Stream};
use wardwatch_flow::table::{self, FlowRecord, FlowTable};
use wardwatch_sensor::worker::{Headers, Limits, Shown, direction_of};

use super::corpus::{Corpus, LONGEST};

/// What is kept of one flow.
struct Passed {
    table: Table,
    recording: Recording,
    length: usize,
    streams: [Stream; 2],
}

/// Frames in, recordings out.
pub(crate) struct Flows {
    headers: Headers,
    packets: Packets,
}

/// Whole packets in, recordings out.
struct Packets {
    table: FlowTable<Passed>,
    budget: Budget,
}

impl Flows {
    /// Nothing has been seen yet.
    pub(crate) fn new() -> Self {
        let table = FlowTable::new(&table::Config { max_flows: 65_536, ..table::Config::default() });
        let budget = Budget::new(16 << 20, 1 << 20);
        Self { headers: Headers::new(&Limits::default()), packets: Packets { table, budget } }
    }

    /// Takes a frame.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, corpus: &mut Corpus) {
        let packets = &mut self.packets;
        self.headers.frame(frame, &mut |packet: &Packet<'_>, at, is_tunnel| {
            packets.take(packet, at, is_tunnel, corpus);
        });
    }

    /// The capture has ended.
    pub(crate) fn finish(mut self, corpus: &mut Corpus) {
        let Packets { table, budget } = &mut self.packets;
        table.finish(&mut |record: FlowRecord, passed: &mut Option<Box<Passed>>| {
            end(&record, passed, budget, corpus);
        });
    }
}

impl Packets {
    /// What a tunnel carries comes by itself.
    fn take(&mut self, packet: &Packet<'_>, at: u64, is_tunnel: bool, corpus: &mut Corpus) {
        let Some(shown) = Shown::of(packet).filter(|_| !is_tunnel) else { return };
        let budget = &self.budget;
        let mut sink = |record: FlowRecord, passed: &mut Option<Box<Passed>>| {
            end(&record, passed, budget, corpus);
        };
        let Some(observed) = self.table.observe(packet, at, &mut sink) else {
            // A frame without IP is all there is.
            let ends = [shown.sender, shown.receiver];
            let rows = vec![row(&shown, Direction::FromInitiator)];
            return corpus.take_recording(Table::Link, &Recording { ends, rows });
        };
        let direction = direction_of(observed.direction);
        let begun = || Box::new(Passed::begin(packet, &shown, direction));
        observed.flow.state.get_or_insert_with(begun).packet(packet, &shown, direction, budget);
    }
}

impl Passed {
    fn begin(packet: &Packet<'_>, shown: &Shown<'_>, direction: Direction) -> Self {
        let table = match packet.transport {
            Transport::Tcp(_) => Table::Tcp,
            Transport::Udp { .. } => Table::Udp,
            _ => Table::Ip,
        };
        let mut ends = [shown.sender, shown.receiver];
        if direction == Direction::FromResponder {
            ends.reverse();
        }
        let recording = Recording { ends, rows: Vec::new() };
        let length = recording.encode().len();
        Self { table, recording, length, streams: Default::default() }
    }

    fn packet(&mut self, packet: &Packet<'_>, shown: &Shown<'_>, direction: Direction, budget: &Budget) {
        let Transport::Tcp(tcp) = &packet.transport else {
            return self.row(row(shown, direction));
        };
        let [mut this, mut other] = std::mem::take(&mut self.streams);
        if direction == Direction::FromResponder {
            std::mem::swap(&mut this, &mut other);
        }
        if tcp.flags & packet::tcp_flags::ACK != 0 {
            let reverse = direction.reverse();
            other.acknowledge(tcp.acknowledgment, budget, &mut |delivery| self.delivery(reverse, delivery));
        }
        this.push(Segment::of(tcp, packet), budget, &mut |delivery| self.delivery(direction, delivery));
        if direction == Direction::FromResponder {
            std::mem::swap(&mut this, &mut other);
        }
        self.streams = [this, other];
    }

    fn delivery(&mut self, direction: Direction, delivery: Delivery<'_>) {
        let carrier = Carrier::Transport;
        match delivery {
            Delivery::Bytes(bytes) => {
                for piece in bytes.chunks(usize::from(u16::MAX)) {
                    self.row(Row { direction, carrier, what: What::Bytes(piece.to_vec()) });
                }
            }
            Delivery::Gap(missing) => {
                let missing = u16::try_from(missing).unwrap_or(u16::MAX);
                self.row(Row { direction, carrier, what: What::Missing(missing) });
            }
            Delivery::End => {}
        }
    }

    /// Keeps a row, as long as the seed is not too long; what comes after that is not kept either.
    fn row(&mut self, row: Row) {
        self.length += row.encoded_length();
        if self.length <= LONGEST {
            self.recording.rows.push(row);
        }
    }
}

/// A flow's record: its last one brings the seed.
fn end(record: &FlowRecord, passed: &mut Option<Box<Passed>>, budget: &Budget, corpus: &mut Corpus) {
    if !record.end_reason.is_end() {
        return;
    }
    let Some(mut passed) = passed.take() else { return };
    let [mut first, mut second] = std::mem::take(&mut passed.streams);
    first.finish(budget, &mut |delivery| passed.delivery(Direction::FromInitiator, delivery));
    second.finish(budget, &mut |delivery| passed.delivery(Direction::FromResponder, delivery));
    corpus.take_recording(passed.table, &passed.recording);
}

fn row(shown: &Shown<'_>, direction: Direction) -> Row {
    Row { direction, carrier: shown.carrier, what: What::Bytes(shown.bytes.to_vec()) }
}
