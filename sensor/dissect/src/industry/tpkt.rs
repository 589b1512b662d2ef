//! TPKT (RFC 1006) and the class 0 transport that it carries (COTP, X.224): the envelope of S7comm on TCP.

use crate::octets::{be16, part};

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole(Tpdu<'a>, usize),
    Partial,
    Other,
}

/// A transport protocol data unit (X.224, clause 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tpdu<'a> {
    /// Connection request or confirm.
    Connection,
    /// Disconnect request, and errors.
    End,
    Data {
        /// No more of the same message follows.
        is_last: bool,
        data: &'a [u8],
    },
}

const VERSION: u8 = 3;

/// Reads one packet; `Other` where it cannot be one.
pub(super) fn read(bytes: &[u8]) -> Frame<'_> {
    let begins = bytes.get(..2.min(bytes.len())).unwrap_or_default();
    if !matches!(begins, [] | [VERSION] | [VERSION, 0]) {
        return Frame::Other;
    }
    let Some(length) = be16(bytes, 2).map(usize::from) else { return Frame::Partial };
    if length < 7 {
        return Frame::Other;
    }
    let (Some(indicator), Some(kind)) = (bytes.get(4).copied(), bytes.get(5).copied()) else {
        return Frame::Partial;
    };
    // Before the data stand the length indicator and so many octets.
    let header = 5 + usize::from(indicator);
    let is_known = match kind {
        0xF0 => indicator == 2,
        0xE0 | 0xD0 | 0x80 | 0x70 => indicator >= 4 && header == length,
        _ => false,
    };
    if !is_known {
        return Frame::Other;
    }
    let Some(packet) = part(bytes, 0, length) else { return Frame::Partial };
    let tpdu = match kind {
        0xF0 => Tpdu::Data {
            is_last: packet.get(6).is_some_and(|number| number & 0x80 != 0),
            data: packet.get(header..).unwrap_or_default(),
        },
        0xE0 | 0xD0 => Tpdu::Connection,
        _ => Tpdu::End,
    };
    Frame::Whole(tpdu, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_from_their_beginnings_and_from_others() {
        let data = [3, 0, 0, 9, 2, 0xF0, 0x80, 0x32, 1];
        assert_eq!(read(&data), Frame::Whole(Tpdu::Data { is_last: true, data: &[0x32, 1] }, 9));
        for cut in 0..9 {
            assert_eq!(read(&data[..cut]), Frame::Partial, "{cut}");
        }
        let request = [3, 0, 0, 11, 6, 0xE0, 0, 0, 0, 1, 0];
        assert_eq!(read(&request), Frame::Whole(Tpdu::Connection, 11));
        // A connection request with a cookie that its indicator does not count, another version, another kind.
        for other in
            [&[3, 0, 0, 43, 0x26, 0xE0, 0][..], &[2, 0], &[3, 1], &[3, 0, 0, 9, 2, 0x10, 0x80], &[3, 0, 0, 6]]
        {
            let is_wrong = !matches!(read(other), Frame::Whole(..));
            assert!(is_wrong, "{other:?}");
        }
        assert_eq!(read(&[3, 0, 0, 9, 2, 0x10, 0x80, 0, 0]), Frame::Other);
    }
}
