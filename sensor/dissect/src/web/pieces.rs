//! One message out of pieces that come in any order and more than once, as datagrams bring them.

/// Pieces that do not touch each other. Clients of QUIC shuffle their hello on purpose, into a dozen.
const MOST_PIECES: usize = 64;

/// What has come of a message that is at most this long.
#[derive(Debug, Default)]
pub(super) struct Pieces<const LONGEST: usize> {
    bytes: Vec<u8>,
    /// What of it has come: beginnings and ends, in order, with a hole between each and the next.
    come: Vec<(usize, usize)>,
}

impl<const LONGEST: usize> Pieces<LONGEST> {
    /// Takes a piece. What ends beyond the longest message, or is one too many, is not kept.
    pub(super) fn take(&mut self, begin: usize, data: &[u8]) {
        let Some(end) = begin.checked_add(data.len()).filter(|end| *end <= LONGEST) else { return };
        if data.is_empty() || self.come.len() >= MOST_PIECES {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(begin..end) {
            place.copy_from_slice(data);
        }
        self.come.push((begin, end));
        self.come.sort_unstable();
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(self.come.len());
        for (begin, end) in self.come.drain(..) {
            match joined.last_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((begin, end)),
            }
        }
        self.come = joined;
    }

    /// What has come from the beginning on without a hole.
    pub(super) fn beginning(&self) -> &[u8] {
        match self.come.first() {
            Some((0, end)) => self.bytes.get(..*end).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_in_any_order() {
        let mut pieces = Pieces::<16>::default();
        for (begin, data) in [(4, &b"ef"[..]), (2, b"cd"), (2, b"cd"), (0, b"abc")] {
            assert_eq!(pieces.beginning(), b"");
            pieces.take(begin, data);
        }
        assert_eq!(pieces.beginning(), b"abcdef");
    }

    #[test]
    fn what_lies_too_far_off_and_too_many_pieces_are_not_kept() {
        let mut pieces = Pieces::<1000>::default();
        pieces.take(1000, b"x");
        pieces.take(usize::MAX, b"x");
        assert!(pieces.bytes.is_empty() && pieces.come.is_empty());
        for place in 0..300 {
            pieces.take(2 * place, b"x");
        }
        assert_eq!(pieces.come.len(), MOST_PIECES);
    }
}
