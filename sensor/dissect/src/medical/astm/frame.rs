//! Recognition of frames (LIS01-A2, 6.3): by a header record, or by a checksum that is right.

use super::record::is_header;
use super::{ETB, ETX, STX, VT};
use crate::Probe;

/// Octets of a frame's beginning that tell whether a header record stands there.
const HEADER_START: usize = 9;

/// What the text behind the first control characters is.
pub(super) fn recognise(text: &[u8]) -> Probe {
    let (record, is_framed) = match text {
        [STX, number, record @ ..] => (record, (b'0'..=b'7').contains(number)),
        [STX] => return Probe::Unsure,
        [VT, record @ ..] => (record, true),
        _ => (text, false),
    };
    if record.first().is_none_or(|byte| *byte == b'H')
        && record.len() < HEADER_START
        && (is_framed || usual(record))
    {
        return Probe::Unsure;
    }
    if is_framed && is_header(record) || !is_framed && record.starts_with(br"H|\^&|") {
        return Probe::Certain;
    }
    middle(text)
}

/// Whether these bytes may become the header record as nearly everybody writes it.
fn usual(record: &[u8]) -> bool {
    br"H|\^&|".starts_with(record.get(..record.len().min(6)).unwrap_or_default())
}

/// The capture began in the middle: a whole frame, at the beginning or behind the end of another, proves itself.
fn middle(text: &[u8]) -> Probe {
    // Some senders leave the carriage return out.
    let is_start = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        before.is_empty()
            || matches!(before.trim_ascii_end(), [.., ETX | ETB, first, second] if are_hex(*first, *second))
    };
    let mut is_open = false;
    // Few flows have the octet at all.
    let looked_at = if text.contains(&STX) { text } else { &[] };
    for (at, window) in looked_at.windows(4).enumerate() {
        if !matches!(
            window,
            [STX, b'0'..=b'7', b'A'..=b'Z', b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~']
        ) {
            continue;
        }
        if !is_start(at) {
            continue;
        }
        match is_whole(text.get(at + 1..).unwrap_or_default()) {
            Some(true) => return Probe::Certain,
            Some(false) => return Probe::NotForUs,
            None => is_open = true,
        }
    }
    // Records are text, whatever the country; another frame may follow.
    let is_text = |byte: &u8| *byte >= b' ' || matches!(*byte, b'\r' | b'\n' | b'\t' | STX | ETX | ETB);
    if is_open || text.contains(&b'|') && text.iter().all(is_text) { Probe::Unsure } else { Probe::NotForUs }
}

/// Whether the frame behind its STX ends with the right checksum; nothing while its end has not come.
fn is_whole(frame: &[u8]) -> Option<bool> {
    let end = frame.iter().position(|byte| matches!(*byte, ETX | ETB))?;
    let summed = frame.get(..=end)?;
    let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let [first, second, b'\r' | b'\n'] = frame.get(end + 1..end + 4)? else { return Some(false) };
    let told =
        std::str::from_utf8(&[*first, *second]).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
    Some(told == Some(sum))
}

fn are_hex(first: u8, second: u8) -> bool {
    first.is_ascii_hexdigit() && second.is_ascii_hexdigit()
}
