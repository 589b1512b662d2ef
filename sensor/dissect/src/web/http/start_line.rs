//! Request lines and status lines (RFC 9112, 3 and 4): how HTTP is recognised, and where it is picked up again.

use crate::{Input, Probe};

/// Longest request line that is waited for to its end.
const LONGEST_LINE: usize = 8 * 1024;

/// From here on a line that began like a request is taken for one before its end is seen, since recognition does not
/// wait for ever.
const LONG_LINE: usize = 1024;

/// Longest method that is in use (`UPDATEREDIRECTREF` and vendors' own).
const LONGEST_METHOD: usize = 24;

/// Bytes of a status line up to the blank behind the code.
const STATUS_LINE: &[u8] = b"HTTP/1.x 200";

pub(super) fn probe(input: &Input<'_>) -> Probe {
    look(input.bytes)
}

/// Whether a message begins with these bytes.
pub(super) fn look(bytes: &[u8]) -> Probe {
    match bytes.first() {
        None => Probe::Unsure,
        Some(b'H') if look_status(bytes) != Probe::NotForUs => look_status(bytes),
        Some(b'A'..=b'Z') => look_request(bytes),
        Some(_) => Probe::NotForUs,
    }
}

fn look_status(bytes: &[u8]) -> Probe {
    let fits = |(at, byte): (usize, &u8)| match at {
        7 => matches!(byte, b'0' | b'1'),
        9..=11 => byte.is_ascii_digit(),
        _ => STATUS_LINE.get(at) == Some(byte),
    };
    if !bytes.iter().take(STATUS_LINE.len()).enumerate().all(fits) {
        return Probe::NotForUs;
    }
    match bytes.get(STATUS_LINE.len()) {
        Some(b' ' | b'\r' | b'\n') => Probe::Certain,
        Some(_) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

fn look_request(bytes: &[u8]) -> Probe {
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    let method = bytes.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_method(byte)).count();
    if method > LONGEST_METHOD {
        return Probe::NotForUs;
    }
    let target = match bytes.get(method..) {
        None | Some([]) => return Probe::Unsure,
        Some([b' ', target @ ..]) if method >= 3 => target,
        Some(_) => return Probe::NotForUs,
    };
    let within = target.get(..target.len().min(LONGEST_LINE)).unwrap_or_default();
    let is_visible = |byte: &u8| *byte >= b' ' && *byte != 0x7F;
    let visible = within.iter().take_while(|byte| is_visible(byte)).count();
    match within.get(visible..) {
        Some([b'\r', b'\n', ..] | [b'\n', ..]) => {
            let line = within.get(..visible).unwrap_or_default();
            if line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0") {
                Probe::Certain
            } else {
                Probe::NotForUs
            }
        }
        Some([] | [b'\r']) if within.len() < LONGEST_LINE => {
            let is_path = matches!(target, [b'/', ..]) || target.starts_with(b"http://");
            if within.len() >= LONG_LINE && is_path { Probe::Certain } else { Probe::Unsure }
        }
        _ => Probe::NotForUs,
    }
}

/// Where the next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// At this offset.
    Found(usize),
    /// Perhaps at this offset, where the bytes end too early to tell.
    MayBegin(usize),
    /// Not in these bytes.
    Nowhere,
}

/// Looks for a request line at the start of the bytes or of a line, and for a status line anywhere: a body need not
/// end with a line break.
pub(super) fn seek(bytes: &[u8]) -> Sought {
    let mut at_line = true;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'H' || at_line && byte.is_ascii_uppercase() {
            let rest = bytes.get(at..).unwrap_or_default();
            let seen = if at_line { look(rest) } else { look_status(rest) };
            match seen {
                Probe::Certain => return Sought::Found(at),
                Probe::Unsure => return Sought::MayBegin(at),
                Probe::NotForUs => {}
            }
        }
        at_line = *byte == b'\n';
    }
    Sought::Nowhere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_what_resembles_them() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "M-SEARCH * HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.0\n",
            "CCM_POST /x HTTP/1.1\r\n",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 404\r\n",
        ] {
            assert_eq!(look(line.as_bytes()), Probe::Certain, "{line:?}");
        }
        for line in [
            "OPTIONS sip:ward@example SIP/2.0\r\n",
            "OPTIONS rtsp://camera/ RTSP/1.0\r\n",
            "PRI * HTTP/2.0\r\n",
            "GET /\r\n",
            "GET\t/ HTTP/1.1\r\n",
            "HELO mail.example\r\n",
            "HTTP/2 200\r\n",
            "get / HTTP/1.1\r\n",
        ] {
            assert_eq!(look(line.as_bytes()), Probe::NotForUs, "{line:?}");
        }
    }

    #[test]
    fn every_beginning_of_a_line_is_undecided() {
        for line in ["GET /index.html HTTP/1.1\r", "HTTP/1.1 200"] {
            for length in 0..=line.len() {
                assert_eq!(look(&line.as_bytes()[..length]), Probe::Unsure, "{:?}", &line[..length]);
            }
        }
    }

    #[test]
    fn a_very_long_path_is_recognised_before_its_end() {
        let line = format!("GET /{}", "a".repeat(LONG_LINE));
        assert_eq!(look(line.as_bytes()), Probe::Certain);
    }

    #[test]
    fn the_next_message_is_found_behind_a_body() {
        assert_eq!(seek(b"</html>HTTP/1.1 200 OK\r\n"), Sought::Found(7));
        assert_eq!(seek(b"a=1\r\nGET / HTTP/1.1\r\n"), Sought::Found(5));
        assert_eq!(seek(b"Mozilla GET / HTTP/1.1\r\n"), Sought::Nowhere);
        assert_eq!(seek(b"xxHTTP/1.1 2"), Sought::MayBegin(2));
    }
}
