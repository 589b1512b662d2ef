//! TCP byte streams in order (RFC 9293, section 3.4), within bounds.
//!
//! A [`Stream`] is one direction of a connection. Segments that arrive in order pass through without a copy; those that
//! are ahead wait for what is missing. Where segments overlap, the bytes that came first count. What is missing for
//! good is delivered as a gap: when the peer has acknowledged beyond it, so that no retransmission will come, or when
//! too much waits behind it.

mod budget;
mod held;

pub use budget::{Budget, Stats};

use self::held::Held;
use crate::packet::{Packet, Tcp, tcp_flags};

/// The next part of a byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// The next bytes.
    Bytes(&'a [u8]),
    /// So many bytes are missing.
    Gap(u64),
    /// The sender closed its direction, and all before has been delivered.
    End,
}

/// What a segment brings to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Sequence number of the header: of the SYN, if there is one, otherwise of the first payload byte.
    pub sequence: u32,
    /// TCP flags; SYN, FIN and RST are looked at.
    pub flags: u8,
    /// The payload as far as it was captured.
    pub payload: &'a [u8],
    /// Bytes of payload by the headers.
    pub length: u32,
}

impl<'a> Segment<'a> {
    /// The segment of a TCP packet.
    pub fn of(tcp: &Tcp<'a>, packet: &Packet<'a>) -> Self {
        Self {
            sequence: tcp.sequence,
            flags: tcp.flags,
            payload: packet.payload,
            length: packet.payload_length,
        }
    }
}

/// No segment of a living connection is further off than the largest window (1 GiB, RFC 7323).
const LARGEST_WINDOW: u32 = 1 << 30;

/// So many segments in a row beyond the window mean that the stream was lost sight of: it goes on where they are.
const STRAYS_UNTIL_RESYNC: u8 = 8;

/// Where a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Nothing has been seen yet: the next segment tells where the stream begins.
    #[default]
    Unseen,
    /// Data is followed.
    Open,
    /// Ended, or switched off: nothing is delivered any more.
    Closed,
}

/// One direction of a TCP connection.
#[derive(Debug, Default)]
pub struct Stream {
    phase: Phase,
    /// Segments in a row that were out of the window.
    strays: u8,
    /// Sequence number of the next byte to deliver.
    next: u32,
    /// The highest acknowledgment of the peer, if there was one.
    acknowledged: Option<u32>,
    /// Sequence number of the FIN, once seen.
    fin: Option<u32>,
    /// What waits behind a hole; none for a stream in order.
    held: Option<Box<Held>>,
}

impl Stream {
    /// A stream of which nothing has been seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the stream: what waits is dropped, and what comes is ignored at no cost.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
        self.held = None;
    }

    /// Whether the stream has ended or was closed.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// What waits behind holes, in bytes with their overhead.
    pub fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.bytes())
    }

    /// Takes a segment and delivers what is now in order.
    ///
    /// A stream begins with its SYN, or in the middle with the first segment seen.
    pub fn push(&mut self, segment: Segment<'_>, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) {
        let is_reset = segment.flags & tcp_flags::RST != 0;
        if self.phase == Phase::Closed || is_reset {
            // What a reset may carry is no part of the stream.
            return;
        }
        // The SYN takes one number; data may follow it in the same segment (RFC 7413).
        let is_syn = segment.flags & tcp_flags::SYN != 0;
        let start = segment.sequence.wrapping_add(u32::from(is_syn));
        let length = segment.length.min(LARGEST_WINDOW);
        if self.phase == Phase::Unseen {
            self.phase = Phase::Open;
            self.next = start;
        }
        if !self.is_near(start, budget, deliver) {
            return;
        }
        let end = start.wrapping_add(length);
        if segment.flags & tcp_flags::FIN != 0 && end.wrapping_sub(self.next) <= LARGEST_WINDOW {
            self.fin.get_or_insert(end);
        }
        if length > 0 {
            let payload = segment.payload.get(..length as usize).unwrap_or(segment.payload);
            self.place(start, payload, length, budget, deliver);
        }
        if self.held.is_some() || self.fin.is_some() {
            self.pass_acknowledged(budget, deliver);
        }
    }

    /// Takes an acknowledgment number of the peer: what is missing before it will not be sent again.
    pub fn acknowledge(
        &mut self,
        acknowledgment: u32,
        budget: &Budget,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        if self.phase != Phase::Open {
            return;
        }
        let ahead = acknowledgment.wrapping_sub(self.next);
        if ahead == 0 || ahead > LARGEST_WINDOW {
            return;
        }
        self.acknowledged = Some(acknowledgment);
        self.pass_acknowledged(budget, deliver);
    }

    /// Delivers what waits, with the gaps before it, and closes the stream: for the end of a flow.
    pub fn finish(&mut self, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) {
        while self.phase == Phase::Open
            && let Some(start) = self.held.as_ref().and_then(|held| held.start())
        {
            self.skip_to(start, budget, deliver);
        }
        self.close();
    }

    /// Whether a sequence number is within a window of where the stream is, or several have now shown that the stream
    /// is elsewhere.
    fn is_near(&mut self, start: u32, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) -> bool {
        let ahead = start.wrapping_sub(self.next);
        if ahead <= LARGEST_WINDOW || ahead.wrapping_neg() <= LARGEST_WINDOW {
            self.strays = 0;
            return true;
        }
        budget.count_out_of_window();
        self.strays += 1;
        if self.strays < STRAYS_UNTIL_RESYNC {
            return false;
        }
        self.strays = 0;
        self.held = None;
        self.fin = None;
        self.acknowledged = None;
        self.skip_to(start, budget, deliver);
        true
    }

    /// Puts bytes at their place: out, if they are next; behind a hole, if they are ahead.
    fn place(
        &mut self,
        mut start: u32,
        mut payload: &[u8],
        mut length: u32,
        budget: &Budget,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        while self.phase == Phase::Open {
            let behind = self.next.wrapping_sub(start);
            if behind > 0 && behind <= LARGEST_WINDOW {
                // All or part of it was delivered before.
                let repeated = behind.min(length);
                budget.count_repeated(repeated);
                payload = payload.get(repeated as usize..).unwrap_or_default();
                length -= repeated;
                start = start.wrapping_add(repeated);
            }
            if length == 0 {
                return;
            }
            if start == self.next {
                // Bytes that wait came first: up to them, and after them.
                let hole =
                    self.held.as_ref().and_then(|held| held.start()).map(|held| held.wrapping_sub(start));
                let fitting = hole.map_or(length, |hole| hole.min(length));
                let (now, later) = payload.split_at(payload.len().min(fitting as usize));
                self.deliver(now, fitting, budget, deliver);
                self.deliver_held(budget, deliver);
                start = start.wrapping_add(fitting);
                length -= fitting;
                payload = later;
                continue;
            }
            let held = self.held.get_or_insert_with(|| Box::new(Held::new(budget.clone())));
            if held.insert(self.next, start, payload, length) {
                return;
            }
            // Too much waits: the first hole is given up.
            let first =
                held.start().filter(|first| first.wrapping_sub(self.next) < start.wrapping_sub(self.next));
            self.skip_to(first.unwrap_or(start), budget, deliver);
        }
    }

    /// Delivers bytes that are next, as far as the FIN. `length` is theirs by the headers.
    fn deliver(
        &mut self,
        bytes: &[u8],
        length: u32,
        budget: &Budget,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        let room = self.fin.map_or(u32::MAX, |fin| fin.wrapping_sub(self.next));
        let length = length.min(room);
        let bytes = bytes.get(..length as usize).unwrap_or(bytes);
        self.next = self.next.wrapping_add(length);
        if !bytes.is_empty() {
            deliver(Delivery::Bytes(bytes));
        }
        let missing = length.saturating_sub(bytes.len() as u32);
        if missing > 0 {
            budget.count_gap(missing);
            deliver(Delivery::Gap(u64::from(missing)));
        }
        if self.fin == Some(self.next) {
            self.close();
            deliver(Delivery::End);
        }
    }

    /// Delivers what waited for its turn and has it now.
    fn deliver_held(&mut self, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) {
        while let Some(held) = &mut self.held {
            match held.start() {
                None => self.held = None,
                Some(start) if start != self.next => return,
                Some(_) => {
                    if let Some(piece) = held.pop() {
                        self.deliver(&piece.bytes, piece.length, budget, deliver);
                    }
                }
            }
        }
    }

    /// Gives up what is missing before `sequence`, and delivers what waits there.
    fn skip_to(&mut self, sequence: u32, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) {
        self.deliver(&[], sequence.wrapping_sub(self.next), budget, deliver);
        self.deliver_held(budget, deliver);
    }

    /// Gives up holes that the peer has acknowledged beyond, and notices a FIN whose turn it is.
    fn pass_acknowledged(&mut self, budget: &Budget, deliver: &mut impl FnMut(Delivery<'_>)) {
        while self.phase == Phase::Open {
            if self.fin == Some(self.next) {
                self.close();
                deliver(Delivery::End);
                return;
            }
            let held = self.held.as_ref().and_then(|held| held.start());
            let nearest = held.into_iter().chain(self.fin).min_by_key(|start| start.wrapping_sub(self.next));
            let (Some(start), Some(acknowledged)) = (nearest, self.acknowledged) else { return };
            let hole = start.wrapping_sub(self.next);
            let covered = acknowledged.wrapping_sub(self.next);
            if hole > LARGEST_WINDOW || covered > LARGEST_WINDOW || covered < hole {
                return;
            }
            self.skip_to(start, budget, deliver);
        }
    }
}
