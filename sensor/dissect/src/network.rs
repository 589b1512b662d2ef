//! What keeps a network going: addresses, names, neighbours, time, management.

pub(crate) mod arp;
pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod netbios;
pub(crate) mod snmp;
pub(crate) mod ssdp;
