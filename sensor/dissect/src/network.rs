//! What keeps a network going: addresses, names, neighbours, time, management.

pub(crate) mod arp;
pub(crate) mod cdp;
pub(crate) mod coap;
pub(crate) mod dhcp;
pub(crate) mod dhcpv6;
pub(crate) mod dns;
mod domain_name;
mod duid;
pub(crate) mod icmp;
pub(crate) mod icmpv6;
pub(crate) mod igmp;
pub(crate) mod lldp;
mod neighbour;
pub(crate) mod netbios;
pub(crate) mod ntp;
pub(crate) mod radius;
pub(crate) mod slp;
pub(crate) mod snmp;
pub(crate) mod ssdp;
pub(crate) mod stp;
pub(crate) mod syslog;
pub(crate) mod tftp;
pub(crate) mod tplink;
pub(crate) mod tuya;
pub(crate) mod ubiquiti;
