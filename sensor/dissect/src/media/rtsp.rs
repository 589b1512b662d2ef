//! RTSP on TCP (RFC 2326, RFC 7826) on any port: cameras, recorders and what watches them.
//!
//! Stated are the products in User-Agent and Server, that a name and a password were sent in clear (Basic, or within the
//! address of a stream), whether they are those of a manual, and that credentials were refused. Addresses of streams,
//! descriptions of sessions, and what is heard and seen are not. Once a stream plays there is nothing more to learn.
//!
//! Trap: media are interleaved with messages on the same connection (RFC 2326, 10.12); such a block is skipped unseen. Servers
//! send requests too (RFC 2326, 10), so a request tells the client only by what only clients ask.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::head::{Head, Marks, Next, Start, is_stale};
use crate::octets::be16;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials};

/// RTSP on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Rtsp, probe, start: || Box::new(Rtsp::default()) };

const MARKS: Marks =
    Marks { versions: &["RTSP/1.0 ", "RTSP/2.0 "], targets: &["rtsp://", "rtspu://", "rtsps://", "*", "/"] };

/// What only clients ask (RFC 2326, 10).
const OF_CLIENTS: [&str; 6] = ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "RECORD", "TEARDOWN"];

/// Requests that wait for their answers.
const MOST_WAITING: usize = 16;

/// Octets in front of an interleaved block's data: a dollar sign, the channel, the length.
const BLOCK_HEADER: usize = 4;

#[derive(Default)]
struct Rtsp {
    waiting: VecDeque<Asked>,
    /// Where bytes were lost, a dollar sign may stand in the midst of a block.
    is_lost: [bool; 2],
}

/// A request, as far as its answer matters.
struct Asked {
    by: Direction,
    number: u32,
    shows_credentials: bool,
    plays: bool,
}

fn probe(input: &Input<'_>) -> Probe {
    MARKS.probe(input)
}

impl Dissector for Rtsp {
    fn protocol(&self) -> Protocol {
        Protocol::Rtsp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.is_lost.get(input.direction.index()).copied().unwrap_or_default();
        if !is_lost && input.bytes.starts_with(b"$") {
            return match be16(input.bytes, 2) {
                Some(length) => Progress::Consumed(BLOCK_HEADER + usize::from(length)),
                None => Progress::NeedMore,
            };
        }
        match MARKS.next(input.bytes) {
            Next::Head(head) => {
                if let Some(lost) = self.is_lost.get_mut(input.direction.index()) {
                    *lost = false;
                }
                if self.message(&head, input.direction, facts) {
                    return Progress::Done;
                }
                Progress::Consumed(head.length.saturating_add(head.body()))
            }
            Next::Nothing(octets) => Progress::Consumed(octets),
            Next::More => Progress::NeedMore,
            Next::TooLong => Progress::Broken("head longer than 32 KiB"),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        if let Some(lost) = self.is_lost.get_mut(direction.index()) {
            *lost = true;
        }
        true
    }
}

impl Rtsp {
    /// States what a message says; whether a stream plays from here on.
    fn message(&mut self, head: &Head<'_>, direction: Direction, facts: &mut Facts<'_>) -> bool {
        let number = head.first(&["cseq"]).and_then(|number| number.parse().ok());
        match head.start {
            Start::Request(method, target) => {
                let shows_credentials = Self::request(method, target, head, direction, facts);
                if let Some(number) = number {
                    let plays = matches!(method, "PLAY" | "RECORD");
                    if self.waiting.len() >= MOST_WAITING {
                        self.waiting.pop_front();
                    }
                    self.waiting.push_back(Asked { by: direction, number, shows_credentials, plays });
                }
                false
            }
            Start::Status(code) => {
                let place = self
                    .waiting
                    .iter()
                    .position(|asked| Some(asked.number) == number && asked.by == direction.reverse());
                let asked = place.and_then(|place| self.waiting.remove(place));
                Self::answer(code, asked.as_ref(), head, direction, facts)
            }
        }
    }

    /// Whether credentials are shown.
    fn request(
        method: &str,
        target: &str,
        head: &Head<'_>,
        direction: Direction,
        facts: &mut Facts<'_>,
    ) -> bool {
        if OF_CLIENTS.contains(&method) || direction == Direction::FromInitiator {
            facts.of_sender(Attribute::Role, "rtsp-client");
        }
        if let Some(agent) = head.first(&["user-agent"]) {
            facts.of_sender(Attribute::HttpUserAgent, agent);
        }
        if let Some((name, password)) = within_address(target) {
            credentials::state("rtsp", name.as_bytes(), password.as_bytes(), facts);
        }
        let Some((scheme, shown)) = head.first(&["authorization"]).and_then(|shown| shown.split_once(' '))
        else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("basic") {
            match name_and_password(shown) {
                Some((name, password)) => credentials::state("rtsp", &name, &password, facts),
                None => facts.of_receiver(Attribute::CleartextCredential, "rtsp"),
            }
        }
        true
    }

    fn answer(
        code: u16,
        asked: Option<&Asked>,
        head: &Head<'_>,
        direction: Direction,
        facts: &mut Facts<'_>,
    ) -> bool {
        let server = head.first(&["server"]);
        if server.is_some() || direction == Direction::FromResponder {
            facts.of_sender(Attribute::Role, "rtsp-server");
        }
        if let Some(product) = server {
            facts.of_sender(Attribute::HttpServer, product);
        }
        let is_stale = head.first(&["www-authenticate"]).is_some_and(is_stale);
        if code == 401 && !is_stale && asked.is_some_and(|asked| asked.shows_credentials) {
            facts.of_receiver(Attribute::FailedLogin, "rtsp");
        }
        matches!(code, 200..300) && asked.is_some_and(|asked| asked.plays)
    }
}

/// Name and password within an address (RFC 3986, 3.2.1).
fn within_address(target: &str) -> Option<(&str, &str)> {
    let (_, rest) = target.split_once("://")?;
    let authority = rest.split('/').next()?;
    authority.rsplit_once('@')?.0.split_once(':')
}

/// Name and password of RFC 7617.
fn name_and_password(shown: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let decoded = BASE64_STANDARD.decode(shown.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded.get(..colon)?.to_vec(), decoded.get(colon + 1..)?.to_vec()))
}

#[cfg(test)]
mod tests;
