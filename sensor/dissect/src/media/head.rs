//! Heads of messages of text, as SIP and RTSP have them from HTTP (RFC 3261, 7; RFC 2326, 4): a start line, fields, an
//! empty line.

use memchr::memchr;

use crate::{Input, Probe};

/// Longest head that is waited for.
const LONGEST: usize = 32 * 1024;

/// Longest start line that is waited for.
const LONGEST_LINE: usize = 2048;

/// Most fields that are read of one head.
const MOST_FIELDS: usize = 128;

/// A protocol's marks: what stands where HTTP has `HTTP/1.1`, and what its targets begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Versions with the blank that follows in a status line.
    pub(super) versions: &'static [&'static str],
    /// Schemes of targets with their colon; `*` where a target may be that.
    pub(super) targets: &'static [&'static str],
}

/// What begins with these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// Method and target.
    Request(&'a str, &'a str),
    Status(u16),
}

/// A head that has come whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) start: Start<'a>,
    fields: &'a str,
    /// Octets with the empty line.
    pub(super) length: usize,
}

/// What stands in front of the next message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next<'a> {
    Head(Head<'a>),
    /// No message begins in these octets.
    Nothing(usize),
    More,
    TooLong,
}

impl Marks {
    /// For a candidate: whether a message begins here. Empty lines in front are allowed (RFC 3261, 7.5).
    pub(super) fn probe(self, input: &Input<'_>) -> Probe {
        let blank = blank(input.bytes);
        if blank > 64 {
            return Probe::NotForUs;
        }
        self.look(input.bytes.get(blank..).unwrap_or_default())
    }

    /// Whether a start line is here.
    pub(super) fn look(self, bytes: &[u8]) -> Probe {
        if bytes.is_empty() {
            return Probe::Unsure;
        }
        for version in self.versions {
            let (known, have) = (version.as_bytes(), bytes.get(..bytes.len().min(version.len())));
            if have.is_some_and(|have| known.starts_with(have)) {
                return look_code(bytes.get(known.len()..).unwrap_or_default());
            }
        }
        // Before the line's end is looked for: nearly every flow that is asked about has none.
        if !self.may_be_request(bytes) {
            return Probe::NotForUs;
        }
        let shown = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
        let Some(end) = memchr(b'\n', shown) else {
            return if bytes.len() < LONGEST_LINE { Probe::Unsure } else { Probe::NotForUs };
        };
        match bytes.get(..end).and_then(|line| self.start(line)) {
            Some(_) => Probe::Certain,
            None => Probe::NotForUs,
        }
    }

    fn may_be_request(self, bytes: &[u8]) -> bool {
        let method = bytes.iter().take_while(|byte| is_method(**byte)).count();
        match bytes.get(method..) {
            Some([]) => method <= LONGEST_METHOD,
            Some([b' ', target @ ..]) => {
                (3..=LONGEST_METHOD).contains(&method)
                    && self.targets.iter().any(|known| {
                        let known = known.as_bytes();
                        let shown = target.get(..target.len().min(known.len())).unwrap_or_default();
                        known.get(..shown.len()).is_some_and(|known| known.eq_ignore_ascii_case(shown))
                    })
            }
            _ => false,
        }
    }

    fn start(self, line: &[u8]) -> Option<Start<'_>> {
        let line = str::from_utf8(line).ok()?.trim_end_matches('\r');
        for version in self.versions {
            if let Some(rest) = line.strip_prefix(version) {
                let code = rest.get(..3)?;
                let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
                return code.parse().ok().filter(|_| is_code).map(Start::Status);
            }
        }
        let (method, rest) = line.split_once(' ')?;
        let (target, version) = rest.rsplit_once(' ')?;
        let is_ours = (3..=LONGEST_METHOD).contains(&method.len())
            && method.bytes().all(is_method)
            && self.versions.iter().any(|known| known.trim_end() == version)
            && self.targets.iter().any(|known| {
                target.get(..known.len()).is_some_and(|shown| shown.eq_ignore_ascii_case(known))
            });
        is_ours.then_some(Start::Request(method, target))
    }

    /// The head at the start of these bytes. Where none is, the line is passed over: so footing is found again behind
    /// a hole.
    pub(super) fn next(self, bytes: &[u8]) -> Next<'_> {
        let blank = blank(bytes);
        if blank > 0 {
            return Next::Nothing(blank);
        }
        match self.look(bytes) {
            Probe::Unsure => return Next::More,
            Probe::NotForUs => {
                let line = bytes.iter().position(|byte| *byte == b'\n');
                return Next::Nothing(line.map_or(bytes.len(), |at| at + 1));
            }
            Probe::Certain => {}
        }
        let Some(length) = length(bytes) else {
            return if bytes.len() > LONGEST { Next::TooLong } else { Next::More };
        };
        let first = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default();
        let fields = bytes.get(first + 1..length).unwrap_or_default();
        // One octet that is no UTF-8, in somebody's name, must not hide the fields in front of it.
        let fields = match str::from_utf8(fields) {
            Ok(fields) => fields,
            Err(error) => str::from_utf8(fields.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or(""),
        };
        match bytes.get(..first).and_then(|line| self.start(line)) {
            Some(start) => Next::Head(Head { start, fields, length }),
            None => Next::Nothing(first + 1),
        }
    }
}

/// Longest method that is in use (`GET_PARAMETER`), and vendors' own.
const LONGEST_METHOD: usize = 20;

/// Octets in front of a message that keep a connection open (RFC 5626, 4.4.1) or addresses translated.
pub(super) fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count()
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_'
}

/// Three digits and a blank behind the version.
fn look_code(rest: &[u8]) -> Probe {
    let fits = |(at, byte): (usize, &u8)| match at {
        0 => matches!(byte, b'1'..=b'6'),
        1 | 2 => byte.is_ascii_digit(),
        _ => matches!(byte, b' ' | b'\r' | b'\n'),
    };
    if !rest.iter().take(4).enumerate().all(fits) {
        return Probe::NotForUs;
    }
    if rest.contains(&b'\n') {
        Probe::Certain
    } else if rest.len() < LONGEST_LINE {
        Probe::Unsure
    } else {
        Probe::NotForUs
    }
}

/// Octets up to the end of the empty line.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(line) = bytes.get(at..)?.iter().take(LONGEST).position(|byte| *byte == b'\n') {
        at += line + 1;
        match bytes.get(at..) {
            Some([b'\r', b'\n', ..]) => return Some(at + 2),
            Some([b'\n', ..]) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

impl<'a> Head<'a> {
    /// Names and values. A value that goes on in the next line (RFC 3261, 7.3.1) is read up to its first line's end.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let lines = self.fields.lines().take(MOST_FIELDS).filter(|line| !line.starts_with([' ', '\t']));
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim_end(), value.trim()))
    }

    /// The first value under one of these names.
    pub(super) fn first(&self, names: &[&str]) -> Option<&'a str> {
        self.fields().find_map(|(name, value)| {
            names.iter().any(|known| name.eq_ignore_ascii_case(known)).then_some(value)
        })
    }

    /// Octets of the body by Content-Length; nothing said is none.
    pub(super) fn body(&self) -> usize {
        self.first(&["content-length", "l"]).and_then(|length| length.parse().ok()).unwrap_or_default()
    }
}

/// Which refusals of credentials are no refusals: the server's number was used up (RFC 7616, 3.3).
pub(super) fn is_stale(challenge: &str) -> bool {
    challenge.split([',', ' ']).any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("stale")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("true")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { versions: &["SIP/2.0 "], targets: &["sip:"] };

    #[test]
    fn start_lines_are_told_from_what_resembles_them() {
        for line in ["OPTIONS sip:ward@example SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", "SIP/2.0 404\n"] {
            assert_eq!(MARKS.look(line.as_bytes()), Probe::Certain, "{line:?}");
            for length in 0..line.len() {
                assert_eq!(MARKS.look(&line.as_bytes()[..length]), Probe::Unsure, "{:?}", &line[..length]);
            }
        }
        for line in [
            "OPTIONS sip:ward@example HTTP/1.1\r\n",
            "options sip:a SIP/2.0\r\n",
            "OPTIONS http://a SIP/2.0\r\n",
            "SIP/2.0 2x0 OK\r\n",
            "SIP/2.0 2000\r\n",
            "SIP/3.0 200 OK\r\n",
        ] {
            assert_eq!(MARKS.look(line.as_bytes()), Probe::NotForUs, "{line:?}");
        }
    }

    #[test]
    fn used_up_numbers_are_told() {
        assert!(is_stale("Digest realm=\"a\", stale=TRUE, nonce=\"b\""));
        assert!(is_stale("Digest realm=\"a\",stale=\"true\""));
        assert!(!is_stale("Digest realm=\"a\", stale=false"));
    }
}
