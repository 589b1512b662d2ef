//! Which protocols are looked for, by transport, in the order in which they are asked.

use wardwatch_proto::v1::Protocol;

use crate::access::{ftp, kerberos, ldap, mysql, rdp, smb, ssh, tds, telnet, vnc};
use crate::building::bacnet;
use crate::medical::{dicom, hl7};
use crate::network::{arp, dhcp, dns};
use crate::web::{http, tls};
use crate::{Dissector, Input, Probe};

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

/// On TCP. The strongest signatures come first, so that a weak one never takes a stronger one's flow; 64 at most.
#[rustfmt::skip]
pub const TCP: &[Candidate] = &[
    // Medical.
    dicom::CANDIDATE,
    hl7::CANDIDATE,
    // Building automation.
    // Industry.
    // Access: log-ins, directories, files.
    ssh::CANDIDATE,
    smb::CANDIDATE,
    kerberos::OVER_TCP,
    ldap::OVER_TCP,
    rdp::CANDIDATE,
    vnc::CANDIDATE,
    ftp::CANDIDATE,
    telnet::CANDIDATE,
    tds::CANDIDATE,
    mysql::CANDIDATE,
    // Voice, video, print, messages.
    // The web.
    tls::CANDIDATE,
    http::CANDIDATE,
    // The network itself.
    dns::OVER_TCP,
];

/// On UDP.
#[rustfmt::skip]
pub const UDP: &[Candidate] = &[
    // The network itself, with signatures that nothing else has.
    dhcp::CANDIDATE,
    // Medical.
    // Building automation.
    bacnet::CANDIDATE,
    // Industry.
    // Access: log-ins, directories, files.
    kerberos::OVER_UDP,
    ldap::OVER_UDP,
    // Voice, video, print, messages.
    // The web.
    // The network itself, with weaker ones.
    dns::MULTICAST,
    dns::OVER_UDP,
];

/// Directly on the link.
#[rustfmt::skip]
pub const LINK: &[Candidate] = &[
    // The network itself.
    arp::CANDIDATE,
    // Industry.
];
