//! Which protocols are looked for, by transport, in the order in which they are asked.

use wardwatch_proto::v1::Protocol;

use crate::{Dissector, Input, Probe, arp, bacnet, dhcp, dicom, dns, hl7, http, tls};

/// A protocol that may be found.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// What is stated as the flow's protocol once it is found.
    pub protocol: Protocol,
    /// Looks at the first bytes of one direction.
    pub probe: fn(&Input<'_>) -> Probe,
    /// Begins a flow's state.
    pub start: fn() -> Box<dyn Dissector>,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// On TCP. The strongest signatures come first, so that a weak one never takes a stronger one's flow.
pub const TCP: &[Candidate] =
    &[dicom::CANDIDATE, hl7::CANDIDATE, tls::CANDIDATE, http::CANDIDATE, dns::OVER_TCP];

/// On UDP.
pub const UDP: &[Candidate] = &[dhcp::CANDIDATE, bacnet::CANDIDATE, dns::MULTICAST, dns::OVER_UDP];

/// Directly on the link.
pub const LINK: &[Candidate] = &[arp::CANDIDATE];
