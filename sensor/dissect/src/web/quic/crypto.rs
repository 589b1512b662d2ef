//! The frames of Initial packets (RFC 9000, 12.4 and 19), and the handshake that their CRYPTO frames carry in pieces, in
//! any order, more than once.

use super::super::pieces::Pieces;
use super::packet::number;
use crate::octets::part;

/// Longest handshake message that is put together. A hello with keys that withstand quantum computers has 2 KiB.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// One side's handshake, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Stream(Pieces<LONGEST_MESSAGE>);

impl Stream {
    /// Takes what these frames carry.
    pub(super) fn take(&mut self, frames: &[u8]) {
        let mut rest = frames;
        while let Some(behind) = self.frame(rest) {
            rest = behind;
        }
    }

    /// The first message: its type and body, once all of it is there.
    pub(super) fn message(&self) -> Option<(u8, &[u8])> {
        let ([kind, high, mid, low], body) = self.0.beginning().split_first_chunk::<4>()?;
        let length = u32::from_be_bytes([0, *high, *mid, *low]) as usize;
        Some((*kind, body.get(..length)?))
    }

    /// One frame; gives what is behind it.
    fn frame<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (kind, at) = number(bytes, 0)?;
        match kind {
            // PADDING, PING
            0 | 1 => bytes.get(at..),
            2 | 3 => skip_acknowledgement(bytes, at, kind == 3),
            6 => {
                let (offset, at) = number(bytes, at)?;
                let (length, at) = number(bytes, at)?;
                let data = part(bytes, at, usize::try_from(length).ok()?)?;
                self.0.take(usize::try_from(offset).ok()?, data);
                bytes.get(at + data.len()..)
            }
            // The end of the connection, or what does not belong here.
            _ => None,
        }
    }
}

/// ACK (RFC 9000, 19.3): largest, delay, count, first range, then a gap and a length for each; three counters of ECN.
fn skip_acknowledgement(bytes: &[u8], at: usize, has_counters: bool) -> Option<&[u8]> {
    let (_, at) = number(bytes, at)?;
    let (_, at) = number(bytes, at)?;
    let (ranges, mut at) = number(bytes, at)?;
    let more = ranges.checked_mul(2)?.checked_add(if has_counters { 4 } else { 1 })?;
    // Each number has an octet at least: a count that lies ends with the bytes.
    for _ in 0..more {
        at = number(bytes, at)?.1;
    }
    bytes.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(offset: u8, data: &[u8]) -> Vec<u8> {
        [&[6, offset, data.len() as u8][..], data].concat()
    }

    #[test]
    fn pieces_are_put_together_in_any_order_and_once() {
        let mut stream = Stream::default();
        let message = b"\x01\x00\x00\x06abcdef";
        for (offset, length) in [(7, 3), (3, 2), (3, 2), (0, 4)] {
            assert_eq!(stream.message(), None);
            stream.take(&frame(offset, &message[usize::from(offset)..usize::from(offset) + length]));
        }
        stream.take(&[&[0, 0, 1][..], &[2, 9, 0, 1, 0, 1, 1], &frame(4, b"abc"), &[0]].concat());
        assert_eq!(stream.message(), Some((1, &b"abcdef"[..])));
    }

    #[test]
    fn what_lies_far_off_or_lies_about_itself_is_not_kept() {
        let mut stream = Stream::default();
        // An offset of 2^30 - 1; a length beyond the packet; an acknowledgement of 2^62 ranges.
        stream.take(&[6, 0xBF, 0xFF, 0xFF, 0xFF, 1, b'x']);
        stream.take(&[6, 0, 9, b'x']);
        stream.take(&[2, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
        assert!(stream.0.beginning().is_empty());
    }
}
