//! SIP over UDP and TCP (RFC 3261) on any port: telephones, switches, nurse calls and door stations.
//!
//! Stated are the products in User-Agent and Server, who registers and where, that credentials were shown in clear (a
//! digest can be tried against a word list at leisure), and that they were refused. Numbers and names of those who call and
//! are called, subjects, texts and descriptions of sessions are not: of all fields only those named here are looked at.
//!
//! Traps: a proxy passes on what others say. A request with a second Via came through one, and an answer with a
//! Record-Route went through one, so their products are not the sender's. A 401 with a number that was used up refuses
//! nobody, and a 403 to a call may mean the call.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use wardwatch_proto::v1::{Attribute, Protocol};

use super::head::{Head, Marks, Next, Start, blank, is_stale};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// SIP on UDP.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::Sip,
    probe,
    start: || Box::new(Sip { is_stream: false, ..Sip::default() }),
};

/// SIP on TCP.
pub(crate) const OVER_TCP: Candidate = Candidate {
    protocol: Protocol::Sip,
    probe,
    start: || Box::new(Sip { is_stream: true, ..Sip::default() }),
};

const MARKS: Marks = Marks { versions: &["SIP/2.0 "], targets: &["sip:", "sips:", "tel:"] };

/// Requests with credentials that wait for their answer.
const MOST_WAITING: usize = 16;

#[derive(Default)]
struct Sip {
    is_stream: bool,
    /// Transactions in which credentials were shown.
    waiting: VecDeque<u64>,
}

fn probe(input: &Input<'_>) -> Probe {
    MARKS.probe(input)
}

impl Dissector for Sip {
    fn protocol(&self) -> Protocol {
        Protocol::Sip
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let blank = if self.is_stream { 0 } else { blank(input.bytes) };
        match MARKS.next(input.bytes.get(blank..).unwrap_or_default()) {
            Next::Head(head) => {
                self.message(&head, facts);
                Progress::Consumed(head.length.saturating_add(head.body()))
            }
            Next::Nothing(octets) => Progress::Consumed(octets),
            Next::More => Progress::NeedMore,
            Next::TooLong => Progress::Broken("head longer than 32 KiB"),
        }
    }

    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        true
    }
}

impl Sip {
    fn message(&mut self, head: &Head<'_>, facts: &mut Facts<'_>) {
        match head.start {
            Start::Request(method, _) => self.request(method, head, facts),
            Start::Status(code) => self.answer(code, head, facts),
        }
    }

    fn request(&mut self, method: &str, head: &Head<'_>, facts: &mut Facts<'_>) {
        if hops(head) > 1 {
            facts.of_sender(Attribute::Role, "sip-server");
        } else {
            facts.of_sender(Attribute::Role, "sip-client");
            if let Some(agent) = head.first(&["user-agent"]) {
                facts.of_sender(Attribute::HttpUserAgent, agent);
            }
        }
        let shown = head.first(&["authorization"]).or_else(|| head.first(&["proxy-authorization"]));
        if shown.is_some_and(is_digest) {
            facts.of_receiver(Attribute::CleartextCredential, "sip-digest");
            if let Some(transaction) = transaction(head)
                && method != "ACK"
                && !self.waiting.contains(&transaction)
            {
                if self.waiting.len() >= MOST_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(transaction);
            }
        }
    }

    fn answer(&mut self, code: u16, head: &Head<'_>, facts: &mut Facts<'_>) {
        let method =
            head.first(&["cseq"]).and_then(|cseq| cseq.split_whitespace().nth(1)).unwrap_or_default();
        let is_passed_on = hops(head) > 1 || head.first(&["record-route"]).is_some();
        if !is_passed_on {
            if method == "REGISTER" || code == 407 {
                facts.of_sender(Attribute::Role, "sip-server");
            }
            if method == "REGISTER" && matches!(code, 200 | 401 | 403 | 423) {
                facts.of_sender(Attribute::Role, "sip-registrar");
            }
            for (field, attribute) in
                [("server", Attribute::HttpServer), ("user-agent", Attribute::HttpUserAgent)]
            {
                if let Some(product) = head.first(&[field]) {
                    facts.of_sender(attribute, product);
                }
            }
        }
        if code < 200 {
            return;
        }
        let place = transaction(head).and_then(|known| self.waiting.iter().position(|other| *other == known));
        let was_shown = place.and_then(|place| self.waiting.remove(place)).is_some();
        let challenge = head.first(&["www-authenticate"]).or_else(|| head.first(&["proxy-authenticate"]));
        let is_refused = match code {
            401 | 407 => !challenge.is_some_and(is_stale),
            403 => method == "REGISTER",
            _ => false,
        };
        if was_shown && is_refused {
            facts.of_receiver(Attribute::FailedLogin, "sip");
        }
    }
}

/// How many elements a message has passed, with the one that sent it; several may stand in one field.
fn hops(head: &Head<'_>) -> usize {
    let vias =
        head.fields().filter(|(name, _)| name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("v"));
    vias.map(|(_, value)| value.split(',').filter(|via| via.trim_start().starts_with("SIP/")).count()).sum()
}

fn is_digest(shown: &str) -> bool {
    shown.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("Digest "))
}

/// Call-ID and CSeq tell a request and its answer (RFC 3261, 8.1.3.3); they are kept as one number.
fn transaction(head: &Head<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    head.first(&["call-id", "i"])?.hash(&mut hasher);
    head.first(&["cseq"])?.split_whitespace().for_each(|part| part.hash(&mut hasher));
    Some(hasher.finish())
}

#[cfg(test)]
mod tests;
