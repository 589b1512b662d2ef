//! Which protocols are looked for, by transport, in the order in which they are asked.

use wardwatch_proto::v1::Protocol;

use crate::access::{ftp, kerberos, ldap, mysql, rdp, smb, ssh, tds, telnet, vnc};
use crate::building::{bacnet, fox, knx};
use crate::industry::profinet::{context, dcp};
use crate::industry::{ads, dlms, dnp3, enip, ge_srtp, hart_ip, iec104, modbus, opcua, s7comm};
use crate::media::{mqtt, pjl, rtsp, sccp, sip};
use crate::medical::{
    astm, bcc, dicom, espa444, hl7, ieee20601, intellivue, medibus, poct1, tap, unity, ws_discovery,
};
use crate::network::{
    arp, cdp, coap, dhcp, dhcpv6, dns, icmp, icmpv6, igmp, lldp, netbios, ntp, radius, slp, snmp, ssdp, stp,
    syslog, tftp, tplink, tuya, ubiquiti,
};
use crate::web::{dtls, http, http2, quic, tls};
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
    ieee20601::CANDIDATE,
    poct1::CANDIDATE,
    bcc::CANDIDATE,
    astm::CANDIDATE,
    espa444::CANDIDATE,
    tap::CANDIDATE,
    medibus::CANDIDATE,
    // Building automation.
    fox::CANDIDATE,
    knx::OVER_TCP,
    // Industry: those with checks and fixed texts first.
    opcua::CANDIDATE,
    dnp3::OVER_TCP,
    s7comm::CANDIDATE,
    s7comm::PLUS,
    enip::OVER_TCP,
    hart_ip::OVER_TCP,
    ads::OVER_TCP,
    dlms::OVER_TCP,
    ge_srtp::CANDIDATE,
    iec104::CANDIDATE,
    modbus::CANDIDATE,
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
    sip::OVER_TCP,
    rtsp::CANDIDATE,
    mqtt::CANDIDATE,
    pjl::CANDIDATE,
    sccp::CANDIDATE,
    // The web.
    tls::CANDIDATE,
    http2::CANDIDATE,
    http::CANDIDATE,
    // The network itself.
    dns::OVER_TCP,
    syslog::OVER_TCP,
];

/// On UDP.
#[rustfmt::skip]
pub const UDP: &[Candidate] = &[
    // The network itself, with signatures that nothing else has.
    dhcp::CANDIDATE,
    // Names, discovery, management.
    snmp::CANDIDATE,
    netbios::NAME_SERVICE,
    netbios::DATAGRAM_SERVICE,
    ssdp::CANDIDATE,
    slp::CANDIDATE,
    tftp::CANDIDATE,
    tplink::CANDIDATE,
    tuya::CANDIDATE,
    ubiquiti::CANDIDATE,
    // Medical.
    ws_discovery::CANDIDATE,
    intellivue::CANDIDATE,
    unity::CANDIDATE,
    // Building automation.
    bacnet::CANDIDATE,
    knx::OVER_UDP,
    // Industry.
    dnp3::OVER_UDP,
    context::CANDIDATE,
    ads::DISCOVERY,
    enip::OVER_UDP,
    hart_ip::OVER_UDP,
    dlms::OVER_UDP,
    // Access: log-ins, directories, files.
    kerberos::OVER_UDP,
    ldap::OVER_UDP,
    // Voice, video, print, messages.
    sip::OVER_UDP,
    // The web.
    quic::CANDIDATE,
    dtls::CANDIDATE,
    // The network itself, with weaker ones.
    dhcpv6::CANDIDATE,
    // Names, discovery, management.
    syslog::OVER_UDP,
    radius::CANDIDATE,
    ntp::CANDIDATE,
    coap::CANDIDATE,
    // Name servers, and what has their layout.
    dns::MULTICAST,
    dns::LINK_LOCAL,
    dns::OVER_UDP,
];

/// On IP without ports.
#[rustfmt::skip]
pub const IP: &[Candidate] = &[
    // The network itself.
    icmpv6::CANDIDATE,
    icmp::CANDIDATE,
    igmp::CANDIDATE,
];

/// Directly on the link.
#[rustfmt::skip]
pub const LINK: &[Candidate] = &[
    // The network itself.
    arp::CANDIDATE,
    lldp::CANDIDATE,
    cdp::CANDIDATE,
    stp::CANDIDATE,
    // Industry.
    dcp::CANDIDATE,
];
