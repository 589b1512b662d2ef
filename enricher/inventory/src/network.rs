//! Which addresses can be a device's, and which are the site's own.

use std::net::IpAddr;

use ipnet::IpNet;

/// The private, shared, link-local and unique local networks: what a site has unless it says otherwise.
pub fn local_networks() -> Vec<IpNet> {
    [
        "10.0.0.0/8",     // RFC 1918
        "172.16.0.0/12",  // RFC 1918
        "192.168.0.0/16", // RFC 1918
        "100.64.0.0/10",  // RFC 6598
        "169.254.0.0/16", // RFC 3927
        "fe80::/10",      // RFC 4291
        "fc00::/7",       // RFC 4193
    ]
    .iter()
    .filter_map(|network| network.parse().ok())
    .collect()
}

/// Whether one host can have this address: not unspecified, loopback, multicast, broadcast or reserved (RFC 6890).
pub(crate) fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let first = v4.octets()[0];
            first != 0 && first != 127 && first < 224
        }
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_loopback() || v6.is_multicast()),
    }
}

/// Whether no router forwards this address (RFC 3927, 7; RFC 4291, 2.5.6), so that the frame's source is its owner.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("a literal address")
    }

    #[test]
    fn groups_and_addresses_of_nobody_are_no_hosts() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.251",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "::1",
            "ff02::fb",
        ] {
            assert!(!is_host(address(text)), "{text}");
        }
        for text in ["10.1.2.3", "203.0.113.5", "fe80::1", "2001:db8::1"] {
            assert!(is_host(address(text)), "{text}");
        }
    }

    #[test]
    fn the_default_networks_are_all_read() {
        assert_eq!(local_networks().len(), 7);
    }
}
