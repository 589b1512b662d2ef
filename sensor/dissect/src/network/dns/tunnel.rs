//! Data that is carried through name servers: in the names that are asked for, and in the records that come back.
//!
//! Whoever carries data asks for ever new long names under one domain. Hosts have short names; a few services (caches,
//! reputation of files and of mail) have names with a hash in them, of which a client asks for some. So one flow must bring
//! [`MOST_NAMES`] different names under one domain with a label of [`LONG_LABEL`] octets or more, or as many answers under one
//! domain with more free data than lists of senders and keys of mail have.
//!
//! What is seen is one flow: a tunnel that takes a new port for each question, as resolvers do, is not noticed here. Neither
//! names nor data are kept: three numbers are.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use wardwatch_proto::v1::Attribute;

use super::outline::Outline;
use crate::Facts;
use crate::octets::be16;

/// Octets of a label from which on it is more likely data than a name. Base32 of twenty octets has as many.
const LONG_LABEL: usize = 32;

/// Different names of which each carries data, under one domain, in one flow.
const MOST_NAMES: u8 = 16;

/// How many octets behind the question carry data, for the types whose data may be anything: NULL and those for private use
/// (RFC 1035, 3.3.10; RFC 6895, 3.1), which nobody else uses, and TXT, which has its uses.
fn long_answer(kind: u16) -> Option<usize> {
    match kind {
        10 | 65_280..=65_534 => Some(32),
        16 => Some(160),
        _ => None,
    }
}

/// What a flow has shown so far.
#[derive(Debug, Default)]
pub(super) struct Tunnel {
    names: Run,
    records: Run,
}

impl Tunnel {
    /// Looks at a message that fits.
    pub(super) fn see(&mut self, outline: &Outline, message: &[u8], facts: &mut Facts<'_>) {
        let Some(question) = Question::of(message) else { return };
        if outline.is_query() && question.longest >= LONG_LABEL && self.names.is_complete_with(&question) {
            facts.of_sender(Attribute::CovertChannel, "dns-names");
        }
        let octets = message.len().saturating_sub(question.end);
        let is_long = long_answer(question.kind).is_some_and(|least| octets >= least);
        if outline.has_answers() && is_long && self.records.is_complete_with(&question) {
            facts.of_receiver(Attribute::CovertChannel, "dns-records");
        }
    }
}

/// Different names under one domain, one after another.
#[derive(Debug, Default)]
struct Run {
    domain: u64,
    last: u64,
    count: u8,
}

impl Run {
    /// Whether this name is the one that makes the run long enough.
    fn is_complete_with(&mut self, question: &Question) -> bool {
        if question.domain != self.domain {
            *self = Self { domain: question.domain, ..Self::default() };
        }
        // A question that is repeated, or answered late, brings nothing new.
        if question.name == self.last {
            return false;
        }
        self.last = question.name;
        self.count = self.count.saturating_add(1);
        self.count == MOST_NAMES
    }
}

/// What matters of the question.
struct Question {
    name: u64,
    /// Of the last two labels.
    domain: u64,
    longest: usize,
    kind: u16,
    /// The offset behind it.
    end: usize,
}

impl Question {
    fn of(message: &[u8]) -> Option<Self> {
        const NAME: usize = 12;
        let mut at = NAME;
        let mut longest = 0;
        // Where the last two labels begin.
        let (mut before, mut last) = (NAME, NAME);
        loop {
            let length = usize::from(*message.get(at)?);
            match length {
                0 => break,
                1..=63 => {
                    (before, last) = (last, at);
                    longest = longest.max(length);
                    at += 1 + length;
                }
                _ => return None,
            }
        }
        let kind = be16(message, at + 1)?;
        // A tunnel straight to its server has no domain: data stands to the end.
        let top = message.get(last + 1..at).unwrap_or_default();
        let domain = if may_be_top(top) { message.get(before..at)? } else { &[] };
        let [name, domain] = [message.get(NAME..at)?, domain].map(hash);
        Some(Self { name, domain, longest, kind, end: at + 5 })
    }
}

/// Whether this label may be a top-level domain: letters, or an internationalized name (RFC 5890).
fn may_be_top(label: &[u8]) -> bool {
    let is_ace = label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--"));
    is_ace || label.iter().all(u8::is_ascii_alphabetic)
}

/// The same for the same letters in any case.
fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.to_ascii_lowercase().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use crate::Candidate;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::network::dns::OVER_UDP;
    use crate::test_flow::TestFlow;

    const CANDIDATES: &[Candidate] = &[OVER_UDP];

    fn name(labels: &[&str]) -> Vec<u8> {
        let labels = labels.iter().flat_map(|label| [&[label.len() as u8][..], label.as_bytes()].concat());
        labels.chain([0]).collect()
    }

    fn query(labels: &[&str]) -> Vec<u8> {
        [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &name(labels), &[0, 1, 0, 1]].concat()
    }

    fn answer(kind: u8, labels: &[&str], data: usize) -> Vec<u8> {
        let record = [&[0xC0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, data as u8][..], &vec![7; data]].concat();
        [&[0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0][..], &name(labels), &[0, kind, 0, 1], &record].concat()
    }

    fn channels(messages: impl Iterator<Item = Vec<u8>>, of_client: bool) -> Vec<String> {
        let direction = if of_client { FromInitiator } else { FromResponder };
        let flow =
            messages.fold(TestFlow::new(CANDIDATES), |flow, message| flow.datagram(direction, &message));
        flow.said().into_iter().filter(|line| line.contains("covert")).collect()
    }

    #[test]
    fn many_long_names_under_one_domain_carry_data() {
        let data = |n: u32| format!("{n:032x}");
        let told = channels((0..40).map(|n| query(&[&data(n), "tunnel", "example"])), true);
        assert_eq!(told, ["sender 192.0.2.1 covert_channel dns-names"]);
    }

    #[test]
    fn a_tunnel_straight_to_its_server_has_no_domain() {
        let data = |n: u32| format!("{n:032x}");
        let told = channels((0..40).map(|n| query(&["dnscat", &data(n), &data(n + 7)])), true);
        assert_eq!(told, ["sender 192.0.2.1 covert_channel dns-names"]);
    }

    #[test]
    fn few_repeated_short_or_scattered_names_do_not() {
        let long = |n: u32| format!("{n:032x}");
        let site = |n: u32| format!("site{n}");
        assert!(channels((0..15).map(|n| query(&[&long(n), "files", "example"])), true).is_empty());
        assert!(channels((0..99).map(|_| query(&[&long(7), "files", "example"])), true).is_empty());
        assert!(channels((0..99).map(|n| query(&[&format!("host{n}"), "ward", "example"])), true).is_empty());
        assert!(channels((0..99).map(|n| query(&[&long(n), &site(n), "example"])), true).is_empty());
    }

    #[test]
    fn many_long_answers_of_free_data_carry_data_and_others_do_not() {
        let label = |n: u32| format!("a{n}");
        let told = |kind, data| {
            channels((0..40).map(|n| answer(kind, &[&label(n), "tunnel", "example"], data)), false)
        };
        assert_eq!(told(10, 90), ["peer 192.0.2.1 covert_channel dns-records"]);
        assert_eq!(told(16, 200), ["peer 192.0.2.1 covert_channel dns-records"]);
        assert!(told(16, 90).is_empty());
        assert!(told(1, 200).is_empty());
    }
}
