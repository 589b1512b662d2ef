//! What an operator may set about a site's inventory. Each bound has its reason beside it.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How a site's inventory is kept. The defaults suit a hospital of a hundred thousand devices that uses private
/// addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Addresses that belong to the site. Only these make a device by address alone; everything else is the
    /// internet unless ARP or DHCP bound it to a MAC address. Default: RFC 1918, RFC 6598, link-local (RFC 3927,
    /// RFC 4291), unique local (RFC 4193).
    pub networks: Vec<IpNet>,
    /// IPv4 addresses that a MAC address may use before ARP or DHCP vouches for them; one more makes it a router.
    pub unbound_ipv4: usize,
    /// The same for IPv6, where one host has several addresses at a time (RFC 8981) and no ARP to vouch for them.
    pub unbound_ipv6: usize,
    /// Addresses that ARP and DHCP may bind to one MAC address; one more and it answers for others (proxy ARP,
    /// RFC 1027), so that none of its bindings is believed.
    pub bound_addresses: usize,
    /// Endpoints (MAC addresses, addresses behind them, third devices) that are kept; newcomers beyond are counted
    /// and not kept, so that a flood of forged addresses cannot push out what is known.
    pub endpoints: usize,
    /// Endpoints known from hearsay alone (a name server's answer); beyond, new hearsay is counted and not kept.
    pub hearsay: usize,
    /// Third devices that one teller may name.
    pub third_devices_per_teller: usize,
    /// Values of one attribute that are kept for one endpoint; beyond, the longest unseen goes.
    pub values_per_attribute: usize,
    /// Statements (attribute, value, protocol, sensor) that are kept for one endpoint; beyond, the longest unseen
    /// goes.
    pub statements_per_endpoint: usize,
    /// Rows of other systems' tables that are kept, with those of the tables that newer ones replaced; a part of a table that
    /// would bring more is refused.
    pub imported_rows: usize,
    /// Event time after which a finding that goes on is told again.
    #[serde(with = "humantime_serde")]
    pub repeat_findings_after: std::time::Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            networks: crate::network::local_networks(),
            unbound_ipv4: 4,
            unbound_ipv6: 16,
            bound_addresses: 64,
            endpoints: 500_000,
            hearsay: 16_384,
            third_devices_per_teller: 1024,
            values_per_attribute: 64,
            statements_per_endpoint: 4096,
            imported_rows: 200_000,
            repeat_findings_after: std::time::Duration::from_hours(24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_keeps_its_default_and_what_is_misspelled_is_refused() {
        let read = |text: &str| toml::from_str::<Settings>(text);
        assert_eq!(read("").expect("nothing is required"), Settings::default());
        let settings =
            read("networks = [\"198.51.100.0/24\"]\nrepeat_findings_after = \"12h\"").expect("sound");
        assert_eq!(settings.networks.len(), 1);
        assert_eq!(settings.repeat_findings_after, std::time::Duration::from_hours(12));
        assert!(read("network = []").is_err());
    }
}
