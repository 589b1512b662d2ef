//! What waits behind a hole of one stream.

use std::collections::VecDeque;

use super::Budget;

/// A run of bytes that does not overlap its neighbours.
#[derive(Debug)]
pub(super) struct Piece {
    /// Sequence number of the first byte.
    pub(super) start: u32,
    /// Length by the headers.
    pub(super) length: u32,
    /// The bytes, fewer than `length` where a snap length cut them.
    pub(super) bytes: Box<[u8]>,
}

impl Piece {
    const fn end(&self) -> u32 {
        self.start.wrapping_add(self.length)
    }

    /// What a piece takes of the budget.
    fn cost(&self) -> usize {
        cost(self.bytes.len())
    }
}

fn cost(captured: usize) -> usize {
    captured + size_of::<Piece>()
}

/// Pieces in the order of the stream, all ahead of what was delivered.
#[derive(Debug)]
pub(super) struct Held {
    pieces: VecDeque<Piece>,
    taken: usize,
    budget: Budget,
}

impl Held {
    pub(super) fn new(budget: Budget) -> Self {
        Self { pieces: VecDeque::new(), taken: 0, budget }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.taken
    }

    /// Sequence number of the first byte that waits.
    pub(super) fn start(&self) -> Option<u32> {
        self.pieces.front().map(|piece| piece.start)
    }

    /// Takes out the first piece.
    pub(super) fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.taken -= piece.cost();
        self.budget.give_back(piece.cost());
        Some(piece)
    }

    /// Keeps those bytes that do not wait already. False if the budget does not allow it; then nothing is kept that was
    /// not kept before, or only a first part.
    ///
    /// `next` is the sequence number to be delivered next; all sequence numbers are compared by their distance to it.
    pub(super) fn insert(&mut self, next: u32, start: u32, payload: &[u8], length: u32) -> bool {
        let ahead = |sequence: u32| sequence.wrapping_sub(next);
        let end = start.wrapping_add(length);
        // Segments mostly come in order even behind a hole.
        let mut place = match self.pieces.back() {
            Some(last) if ahead(last.end()) > ahead(start) => {
                self.pieces.partition_point(|piece| ahead(piece.end()) <= ahead(start))
            }
            _ => self.pieces.len(),
        };
        let mut from = start;
        while ahead(from) < ahead(end) {
            let (gap_end, following) = match self.pieces.get(place) {
                Some(piece) if ahead(piece.start) < ahead(end) => {
                    let repeated = ahead(piece.end()).min(ahead(end)) - ahead(piece.start).max(ahead(from));
                    self.budget.count_repeated(repeated);
                    (piece.start, piece.end())
                }
                _ => (end, end),
            };
            if ahead(from) < ahead(gap_end) {
                let length = gap_end.wrapping_sub(from);
                let captured = payload.get(from.wrapping_sub(start) as usize..).unwrap_or_default();
                let captured = captured.get(..length as usize).unwrap_or(captured);
                if !self.budget.take(cost(captured.len()), self.taken) {
                    return false;
                }
                self.taken += cost(captured.len());
                self.budget.count_held();
                self.pieces.insert(place, Piece { start: from, length, bytes: captured.into() });
                place += 1;
            }
            place += 1;
            from = following;
        }
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}
