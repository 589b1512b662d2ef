//! ICMPv6 where it tells of identity: neighbour discovery (RFC 4861), which is ARP's successor and tells where which
//! address is and who routes, and the multicast listener queries that tell the querier (RFC 2710, 3810).
//!
//! Neighbour discovery is believed where no router can have passed it on (hop limit 255; RFC 4861, 7.1). Nothing is said
//! of an address that is only asked for, nor of one that a host is about to take and still asks about (RFC 4862, 5.4).
//! Groups that hosts join are no identity. Pings are not read.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::discovery::Message;
use crate::{Candidate, Carrier, Dissector, Facts, Input, Probe, Progress};

mod discovery;

/// ICMPv6.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Icmpv6, probe, start: || Box::new(Icmpv6) };

/// Multicast listeners: query, report, done, and the report of version 2 (RFC 3810, 5).
const QUERY: u8 = 130;
const REPORT: u8 = 131;
const DONE: u8 = 132;
const REPORT_V2: u8 = 143;

/// Octets of a listener message behind the checksum, at least.
const SHORTEST_QUERY: usize = 20;

fn probe(input: &Input<'_>) -> Probe {
    let is_known = match input.carrier {
        Carrier::Icmpv6 { kind: QUERY | REPORT | DONE | REPORT_V2, code: 0, .. } => true,
        _ => Message::of(input).is_some(),
    };
    if is_known { Probe::Certain } else { Probe::NotForUs }
}

struct Icmpv6;

impl Dissector for Icmpv6 {
    fn protocol(&self) -> Protocol {
        Protocol::Icmpv6
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(message) = Message::of(input) {
            message.state(input, facts);
        } else if matches!(input.carrier, Carrier::Icmpv6 { kind: QUERY, hop_limit: 1, .. })
            && input.bytes.len() >= SHORTEST_QUERY
            && discovery::is_link_local(input.sender.ip)
        {
            facts.of_sender(Attribute::Role, "multicast-querier");
        }
        Progress::Done
    }
}

#[cfg(test)]
mod tests;
