//! DNS (RFC 1035) over UDP and TCP, multicast DNS (RFC 6762) with service discovery (RFC 6763), and LLMNR (RFC 4795).
//!
//! What is asked is never stated: a query can be for anything, and can carry anything; that a flow is a tunnel is. An answer
//! makes its sender a name server, and names devices of this site. In multicast DNS a device speaks about itself.

mod answers;
mod link_local;
mod multicast;
mod outline;
mod tunnel;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};
use outline::{Outline, outline};
use tunnel::Tunnel;

pub(crate) use link_local::LINK_LOCAL;
pub(crate) use multicast::MULTICAST;

/// DNS on UDP.
pub(crate) const OVER_UDP: Candidate =
    Candidate { protocol: Protocol::Dns, probe: probe_datagram, start: || Box::new(OverUdp::default()) };

/// DNS on TCP, where a length of two octets stands before each message (RFC 1035, 4.2.2).
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Dns, probe: probe_stream, start: || Box::new(OverTcp::default()) };

fn probe_datagram(input: &Input<'_>) -> Probe {
    // Content cannot tell the three apart; here, and only here, the port breaks the tie.
    let other = multicast::is_multicast(input) || link_local::is_link_local(input);
    match outline(input.bytes) {
        Some(outline) if !other && outline.is_unicast_dns() => Probe::Certain,
        _ => Probe::NotForUs,
    }
}

fn ports(input: &Input<'_>) -> [u16; 2] {
    [input.sender.port, input.receiver.port]
}

fn probe_stream(input: &Input<'_>) -> Probe {
    let Some((length, message)) = input.bytes.split_first_chunk::<2>() else { return Probe::Unsure };
    let length = usize::from(u16::from_be_bytes(*length));
    if let Some(whole) = message.get(..length) {
        return match outline(whole) {
            Some(outline) if outline.is_unicast_dns() => Probe::Certain,
            _ => Probe::NotForUs,
        };
    }
    if outline::may_become_dns(message, length) { Probe::Unsure } else { Probe::NotForUs }
}

#[derive(Default)]
struct OverUdp {
    tunnel: Tunnel,
}

impl Dissector for OverUdp {
    fn protocol(&self) -> Protocol {
        Protocol::Dns
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(outline) = outline(input.bytes) {
            state(&outline, input.bytes, &mut self.tunnel, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Messages in a row that may be no DNS before the flow is given up.
const MOST_UNREADABLE: u32 = 4;

#[derive(Default)]
struct OverTcp {
    /// Messages in a row that were none.
    unreadable: u32,
    tunnel: Tunnel,
}

impl Dissector for OverTcp {
    fn protocol(&self) -> Protocol {
        Protocol::Dns
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some((length, rest)) = input.bytes.split_first_chunk::<2>() else { return Progress::NeedMore };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some(message) = rest.get(..length) else { return Progress::NeedMore };
        if let Some(outline) = outline(message) {
            self.unreadable = 0;
            state(&outline, message, &mut self.tunnel, facts);
        } else {
            // Windows asks for a zone with "MS" behind the question, to be told as Windows.
            self.unreadable += 1;
            if self.unreadable > MOST_UNREADABLE {
                return Progress::Broken("no DNS message behind the length");
            }
        }
        Progress::Consumed(2 + length)
    }
}

fn state(outline: &Outline, message: &[u8], tunnel: &mut Tunnel, facts: &mut Facts<'_>) {
    tunnel.see(outline, message, facts);
    if outline.is_answer() {
        facts.of_sender(Attribute::Role, "dns-server");
        answers::state(outline, message, facts);
    }
}

#[cfg(test)]
mod tests;
