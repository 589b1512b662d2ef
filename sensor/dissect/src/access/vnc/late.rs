//! What tells a VNC session whose beginning was missed: a client's messages about the picture (RFC 6143, 7.5.1 to 7.5.3).
//!
//! Sessions last for days, and a client asks again for each picture. The first message must be whole: the form of its pixels,
//! the encodings that it knows, or a request for the whole picture, which must come twice since it is nearly all zeros. Before
//! it there may be what is left of the opening.
//!
//! Trap: TPKT begins as a request does. Its length stands where the request has the left edge, which is zero here.

use crate::Probe;
use crate::octets::{be16, be32, piece};

const SET_PIXEL_FORMAT: u8 = 0;
const SET_ENCODINGS: u8 = 2;
const UPDATE_REQUEST: u8 = 3;
const UPDATE_REQUEST_OCTETS: usize = 10;

/// A client offers no more encodings than this, and no picture is smaller.
const MOST_ENCODINGS: u16 = 64;
const SMALLEST: u16 = 16;

/// Whether these octets of one direction begin with such a message.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let mut verdict = Probe::NotForUs;
    for rest in rests(bytes) {
        match message(rest) {
            Probe::Certain => return Probe::Certain,
            Probe::Unsure => verdict = Probe::Unsure,
            Probe::NotForUs => {}
        }
    }
    verdict
}

/// What comes behind each rest of an opening that may stand here: none; whether others may look, too (7.3.1); before that
/// the security type that was chosen (7.1.2), and for a password the answer to the challenge (7.2.2).
fn rests(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const RESPONSE: usize = 16;
    let shared = |rest: &[u8]| matches!(rest.first(), None | Some(0 | 1));
    let behind = |octets: usize| bytes.get(octets..).unwrap_or_default();
    let chosen = match bytes.first() {
        Some(&super::NONE) => Some(1),
        Some(&super::VNC_AUTHENTICATION) => Some(1 + RESPONSE),
        _ => None,
    };
    let is_chosen = chosen.filter(|octets| shared(behind(*octets)));
    let places = [Some(0), shared(bytes).then_some(1), is_chosen.map(|octets| octets + 1)];
    places.into_iter().flatten().map(behind)
}

fn message(bytes: &[u8]) -> Probe {
    let is_whole = match bytes {
        [] | [SET_ENCODINGS | UPDATE_REQUEST] => None,
        [SET_PIXEL_FORMAT, rest @ ..] => pixel_format(rest),
        [SET_ENCODINGS, 0, rest @ ..] => encodings(rest),
        [UPDATE_REQUEST, 0 | 1, ..] => requests(bytes),
        _ => Some(false),
    };
    match is_whole {
        Some(true) => Probe::Certain,
        Some(false) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

/// Three octets of padding, and the form of true colours (7.4): bits for each pixel, of which so many are used, two flags, the
/// largest red, green and blue and their places, and padding. None if it is not whole.
fn pixel_format(bytes: &[u8]) -> Option<bool> {
    let padding = bytes.get(..bytes.len().min(3));
    if padding.is_some_and(|padding| padding.iter().any(|octet| *octet != 0)) {
        return Some(false);
    }
    let [bits, depth, endian, true_colour, colours @ .., red, green, blue, a, b, c] = piece::<16>(bytes, 3)?;
    let is_largest = |at: usize| {
        be16(&colours, at).is_some_and(|largest| largest > 0 && largest.wrapping_add(1).is_power_of_two())
    };
    Some(
        matches!(bits, 8 | 16 | 32)
            && (1..=bits).contains(&depth)
            && endian <= 1
            && true_colour == 1
            && [0, 2, 4].into_iter().all(is_largest)
            && [red, green, blue].into_iter().all(|place| place < bits)
            && [a, b, c] == [0; 3],
    )
}

/// How many there are, and the encodings, of which the first two must be known ones.
fn encodings(bytes: &[u8]) -> Option<bool> {
    let count = be16(bytes, 0)?;
    if !(2..=MOST_ENCODINGS).contains(&count) {
        return Some(false);
    }
    let (first, second) = (be32(bytes, 2)?, be32(bytes, 6)?);
    Some(first != second && is_encoding(first) && is_encoding(second))
}

/// Encodings that are registered with IANA (Remote Framebuffer Encoding Types): of pictures, and those that only tell what a
/// client can do, which are negative.
fn is_encoding(number: u32) -> bool {
    matches!(number.cast_signed(), 0..=2 | 4..=8 | 15 | 16 | 21 | 50 | -32..=-23 | -256..=-247 | -224 | -223 | -239 | -240)
        || matches!(number.cast_signed(), -261..=-257 | -305..=-304 | -316..=-306)
}

/// Two requests in a row for the same whole picture.
fn requests(bytes: &[u8]) -> Option<bool> {
    let [_, _, 0, 0, 0, 0, wanted @ ..] = piece::<UPDATE_REQUEST_OCTETS>(bytes, 0)? else {
        return Some(false);
    };
    if [0, 2].into_iter().any(|at| be16(&wanted, at).is_none_or(|size| size < SMALLEST)) {
        return Some(false);
    }
    let again = piece::<UPDATE_REQUEST_OCTETS>(bytes, UPDATE_REQUEST_OCTETS)?;
    Some(matches!(again, [UPDATE_REQUEST, 0 | 1, 0, 0, 0, 0, same @ ..] if same == wanted))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// SetPixelFormat: 32 bits of which 24 are used, little-endian, true colour, red at 16, green at 8, blue at 0.
    pub(in crate::access::vnc) const PIXEL_FORMAT: [u8; 20] =
        [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];

    /// SetEncodings: ZRLE, Raw, and that the size of the picture may change (-223).
    const ENCODINGS: [u8; 16] = [2, 0, 0, 3, 0, 0, 0, 16, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x21];

    /// FramebufferUpdateRequest for what has changed of 1024 by 768 pixels.
    const REQUEST: [u8; 10] = [3, 1, 0, 0, 0, 0, 4, 0, 3, 0];

    #[test]
    fn each_of_three_messages_tells_it() {
        for message in [&PIXEL_FORMAT[..], &ENCODINGS, &[REQUEST, REQUEST].concat()] {
            assert_eq!(probe(message), Probe::Certain, "{message:?}");
            for end in 0..12 {
                assert_eq!(probe(&message[..end]), Probe::Unsure, "{end} of {message:?}");
            }
        }
    }

    #[test]
    fn before_it_there_may_be_the_rest_of_the_opening() {
        let response = [7; 16];
        for opening in [&[1][..], &[1, 0], &[&[2][..], &response, &[1]].concat()] {
            assert_eq!(probe(&[opening, &PIXEL_FORMAT].concat()), Probe::Certain, "{opening:?}");
        }
        assert_eq!(probe(&[&[9, 9][..], &PIXEL_FORMAT].concat()), Probe::NotForUs);
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        let mut colours = PIXEL_FORMAT;
        colours[9] = 254;
        // TPKT of 22 octets (RFC 1006), a message of SMB behind NetBIOS' header, and requests for two pictures.
        let tpkt = [3, 0, 0, 22, 0x11, 0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2, 0xC0, 1, 10];
        let smb = [0, 0, 0, 47, 0xFF, b'S', b'M', b'B', 0x72, 0, 0, 0, 0, 8, 1, 0x40, 0, 0, 0, 0];
        let mut other = REQUEST;
        other[7] = 1;
        for bytes in
            [&colours[..], &tpkt, &smb, &[REQUEST, other].concat(), &[&[2, 0, 0, 1][..], &[9; 16]].concat()]
        {
            assert_eq!(probe(bytes), Probe::NotForUs, "{bytes:?}");
        }
    }
}
