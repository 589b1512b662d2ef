//! TLS that begins within another protocol: a client of SMTP (RFC 3207), IMAP (RFC 9051, 6.2.1), POP3 (RFC 2595, 4) or
//! XMPP (RFC 6120, 5.4.2) asks for it in text, and the hellos follow on the same connection.
//!
//! Of the text nothing is read but where it ends: no address, no name of a user. Only a client that asks for STARTTLS is
//! followed. Through a proxy (SOCKS, CONNECT) TLS begins behind other bytes too, but there the certificate is not that of
//! the end that is addressed.

use super::recognition;
use crate::Probe;

/// Longest line of a client that has not said anything yet (RFC 5321, 4.5.3.1.4).
const LONGEST_LINE: usize = 512;

/// What clients of SMTP and POP3 say before they ask.
const BEFORE: [&[u8]; 6] = [b"EHLO", b"HELO", b"LHLO", b"CAPA", b"NOOP", b"RSET"];

/// The same in IMAP, where each command stands behind a tag.
const BEFORE_IN_IMAP: [&[u8]; 3] = [b"CAPABILITY", b"ID", b"NOOP"];

/// How a client of XMPP begins (RFC 6120, 4.7.1), perhaps behind the declaration of XML.
const STREAM: &[u8] = b"<stream:stream";
const DECLARATION: &[u8] = b"<?xml";

/// What a client of XMPP asks with.
const START: &[u8] = b"<starttls";

/// Certain for a client's text that asks for TLS, and a hello behind it.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let (text, rest) = bytes.split_at_checked(text(bytes)).unwrap_or((bytes, &[]));
    let asked = match text.first() {
        None => return if bytes.is_empty() { Probe::Unsure } else { Probe::NotForUs },
        Some(b'<') => in_xml(text),
        Some(_) => in_lines(text),
    };
    match (asked, rest) {
        (Asked::Never, _) => Probe::NotForUs,
        (_, []) => Probe::Unsure,
        (Asked::NotYet, _) => Probe::NotForUs,
        (Asked::Yes, rest) => recognition::hellos(rest),
    }
}

/// How many octets of text there are before anything else; no record of TLS begins with one that text has.
pub(super) fn text(bytes: &[u8]) -> usize {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..);
    bytes.iter().position(|byte| !is_text(byte)).unwrap_or(bytes.len())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// It is another protocol, or the client went on without.
    Never,
    NotYet,
    /// It is the last that was said.
    Yes,
}

fn in_lines(text: &[u8]) -> Asked {
    let mut asked = Asked::NotYet;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if asked == Asked::Yes || line.len() > LONGEST_LINE {
            return Asked::Never;
        }
        if !line.ends_with(b"\n") {
            return Asked::NotYet;
        }
        let mut words = line.trim_ascii_end().split(|byte| *byte == b' ').map(<[u8]>::to_ascii_uppercase);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (first, second) = (first.as_slice(), second.as_slice());
        if first == b"STARTTLS" || first == b"STLS" || second == b"STARTTLS" {
            asked = Asked::Yes;
        } else if !BEFORE.contains(&first) && !BEFORE_IN_IMAP.contains(&second) {
            return Asked::Never;
        }
    }
    asked
}

fn in_xml(text: &[u8]) -> Asked {
    let mut rest = text;
    if starts_alike(rest, DECLARATION) {
        match rest.iter().position(|byte| *byte == b'>') {
            Some(end) => rest = rest.get(end + 1..).unwrap_or_default().trim_ascii_start(),
            None if rest.len() > LONGEST_LINE => return Asked::Never,
            None => return Asked::NotYet,
        }
    }
    if !starts_alike(rest, STREAM) {
        return Asked::Never;
    }
    let text = text.trim_ascii_end();
    let Some(last) = text.iter().rposition(|byte| *byte == b'<').and_then(|at| text.get(at..)) else {
        return Asked::Never;
    };
    if last.starts_with(START) && last.ends_with(b"/>") || last == b"</starttls>" {
        Asked::Yes
    } else {
        Asked::NotYet
    }
}

/// Whether one begins with the other, as far as both go.
fn starts_alike(bytes: &[u8], known: &[u8]) -> bool {
    bytes.iter().zip(known).all(|(byte, known)| byte == known)
}
