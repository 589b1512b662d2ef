//! What neighbours on the link and hosts of IPv6 say about themselves, as Wireshark reads it: LLDP, CDP, spanning tree,
//! neighbour discovery, group management and DHCP for IPv6.

use std::net::{IpAddr, Ipv6Addr};

use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::{Row, Table};

pub(super) const NAMES: &[&str] = &[
    "frame.protocols",
    "eth.src",
    "ip.src",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.hlim",
    "lldp.chassis.subtype",
    "lldp.chassis.id",
    "lldp.chassis.id.mac",
    "lldp.port.subtype",
    "lldp.port.id",
    "lldp.port.id.mac",
    "lldp.port.desc",
    "lldp.tlv.system.name",
    "lldp.tlv.system.desc",
    "lldp.mgn.addr.ip4",
    "lldp.mgn.addr.ip6",
    "lldp.ieee.802_1.port_vlan.id",
    "lldp.profinet.cm_mac_add",
    "lldp.iana.mudurl",
    "lldp.media.hardware",
    "lldp.media.firmware",
    "lldp.media.software",
    "lldp.media.sn",
    "lldp.media.manufacturer",
    "lldp.media.model",
    "lldp.media.asset",
    "cdp.deviceid",
    "cdp.system_name",
    "cdp.software_version",
    "cdp.platform",
    "cdp.portid",
    "cdp.native_vlan",
    "stp.type",
    "stp.bridge.hw",
    "stp.root.hw",
    "stp.bridge.prio",
    "stp.root.prio",
    "icmpv6.type",
    "icmpv6.nd.na.target_address",
    "icmpv6.nd.na.flag.r",
    "icmpv6.opt.linkaddr",
    "icmpv6.opt.src_linkaddr",
    "icmpv6.opt.target_linkaddr",
    "icmpv6.opt.rdnss",
    "igmp.type",
    "dhcpv6.msgtype",
    "dhcpv6.hopcount",
    "dhcpv6.peeraddr",
    "dhcpv6.option.type",
    "dhcpv6.duid.bytes",
    "dhcpv6.requested_option_code",
    "dhcpv6.vendorclass.enterprise",
    "dhcpv6.vendorclass.data",
    "dhcpv6.client_domain",
    "dhcpv6.iaaddr.ip",
    "dhcpv6.iaaddr.valid_lifetime",
    "dhcpv6.status_code",
    "dhcpv6.mudurl",
];

/// The frames that are looked at.
pub(super) const FILTER: &str = "lldp || cdp || stp || icmpv6 || igmp || dhcpv6";

/// Adds what is said in a capture.
pub(super) fn read(table: &Table, said: &mut Statements) {
    let is_looked_at =
        |row: &Row<'_>| ["lldp", "cdp", "stp", "icmpv6", "igmp", "dhcpv6"].iter().any(|layer| row.has(layer));
    for row in table.rows().filter(is_looked_at) {
        let layers = row.first("frame.protocols").unwrap_or_default();
        let innermost = layers.rsplit(':').find(|layer| *layer != "data").unwrap_or_default();
        let source = row.first("eth.src").unwrap_or_default();
        match innermost {
            "lldp" => lldp(row, source, said),
            "cdp" => cdp(row, source, said),
            "stp" => stp(row, source, said),
            "icmpv6" => icmpv6(row, source, said),
            "igmp" => igmp(row, source, said),
            _ => dhcpv6(row, said),
        }
    }
}

fn lldp(row: Row<'_>, source: &str, said: &mut Statements) {
    let mut say = |attribute, value: &str| said.say(Protocol::Lldp, attribute, source, value);
    // Without a port Wireshark has found the message to be malformed.
    let Some(kind) = row.first("lldp.port.subtype") else { return };
    for name in ["lldp.chassis.id.mac", "lldp.port.id.mac", "lldp.profinet.cm_mac_add"] {
        row.all(name).for_each(|mac| say(Attribute::MacAddress, mac));
    }
    if row.first("lldp.chassis.subtype").is_some_and(|kind| ["1", "6", "7"].contains(&kind)) {
        say(Attribute::ChassisId, &characters(row.first("lldp.chassis.id").unwrap_or_default()));
    }
    // Port components, interface names and local names; aliases are written by people.
    let port = if ["2", "5", "7"].contains(&kind) { "lldp.port.id" } else { "lldp.port.desc" };
    say(Attribute::LinkPort, row.first(port).unwrap_or_default());
    for (name, attribute) in [
        ("lldp.iana.mudurl", Attribute::MudUrl),
        ("lldp.media.hardware", Attribute::HardwareVersion),
        ("lldp.media.firmware", Attribute::FirmwareVersion),
        ("lldp.media.software", Attribute::SoftwareVersion),
        ("lldp.media.sn", Attribute::SerialNumber),
        ("lldp.media.manufacturer", Attribute::Manufacturer),
        ("lldp.media.model", Attribute::Model),
        ("lldp.media.asset", Attribute::AssetTag),
    ] {
        row.all(name).for_each(|value| say(attribute, value));
    }
    for address in row.all("lldp.mgn.addr.ip4").chain(row.all("lldp.mgn.addr.ip6")) {
        if is_device(address) {
            say(Attribute::IpAddress, address);
        }
    }
    row.all("lldp.ieee.802_1.port_vlan.id")
        .filter(|id| *id != "0")
        .for_each(|id| say(Attribute::LinkVlan, id));
    // Said of the system, and so of the chassis too where that has another address than the port.
    let chassis = ["lldp.chassis.id.mac", "lldp.profinet.cm_mac_add"].iter().find_map(|name| row.first(name));
    let name = row.first("lldp.tlv.system.name").unwrap_or_default().to_ascii_lowercase();
    let description = first_line(row.first("lldp.tlv.system.desc").unwrap_or_default());
    for subject in chassis.into_iter().filter(|chassis| *chassis != source).chain([source]) {
        said.say(Protocol::Lldp, Attribute::HostName, subject, &name);
        said.say(Protocol::Lldp, Attribute::SystemDescription, subject, description);
    }
}

fn cdp(row: Row<'_>, source: &str, said: &mut Statements) {
    let mut say = |attribute, value: &str| said.say(Protocol::Cdp, attribute, source, value);
    for name in ["cdp.deviceid", "cdp.system_name"] {
        say(Attribute::HostName, &row.first(name).unwrap_or_default().to_ascii_lowercase());
    }
    say(Attribute::SystemDescription, first_line(row.first("cdp.software_version").unwrap_or_default()));
    say(Attribute::Model, row.first("cdp.platform").unwrap_or_default());
    say(Attribute::LinkPort, row.first("cdp.portid").unwrap_or_default());
    row.all("cdp.native_vlan").filter(|id| *id != "0").for_each(|id| say(Attribute::LinkVlan, id));
}

fn stp(row: Row<'_>, source: &str, said: &mut Statements) {
    let mut say = |attribute, subject: &str, value: &str| said.say(Protocol::Stp, attribute, subject, value);
    if row.first("stp.type").is_none() {
        return;
    }
    say(Attribute::Role, source, "bridge");
    let (Some(bridge), Some(root)) = (row.first("stp.bridge.hw"), row.first("stp.root.hw")) else { return };
    say(Attribute::MacAddress, source, bridge);
    let is_root = root == bridge && row.first("stp.bridge.prio") == row.first("stp.root.prio");
    say(Attribute::Role, if is_root { source } else { root }, "root-bridge");
}

/// Neighbour discovery that no router passed on, and the queries of multicast routers.
fn icmpv6(row: Row<'_>, source: &str, said: &mut Statements) {
    let sender = row.all("ipv6.src").last().unwrap_or_default();
    let hops = row.all("ipv6.hlim").last().unwrap_or_default();
    let mut say =
        |attribute, subject: &str, value: &str| said.say(Protocol::Icmpv6, attribute, subject, value);
    let options = ["icmpv6.opt.linkaddr", "icmpv6.opt.src_linkaddr", "icmpv6.opt.target_linkaddr"];
    let hardware = options.into_iter().find_map(|name| row.first(name));
    // Speaks for itself, or names another's hardware.
    let is_own = hardware.is_none_or(|mac| mac == source);
    let is_link_local = sender.starts_with("fe80:");
    match row.first("icmpv6.type").unwrap_or_default() {
        "130" if hops == "1" && is_link_local => say(Attribute::Role, sender, "multicast-querier"),
        "133" | "135" if hops == "255" && is_device(sender) => say(Attribute::IpAddress, sender, sender),
        "134" if hops == "255" && is_link_local => {
            say(Attribute::IpAddress, sender, sender);
            say(Attribute::Role, sender, "router");
            for server in row.all("icmpv6.opt.rdnss") {
                let is_inside = server
                    .parse()
                    .is_ok_and(|ip: Ipv6Addr| ip.is_unique_local() || ip.is_unicast_link_local());
                if is_inside {
                    say(Attribute::Role, server, "dns-server");
                }
            }
        }
        "136" if hops == "255" => {
            let target = row.first("icmpv6.nd.na.target_address").unwrap_or_default();
            let subject = if is_own { sender } else { target };
            say(Attribute::IpAddress, subject, target);
            if ["1", "True"].contains(&row.first("icmpv6.nd.na.flag.r").unwrap_or_default()) {
                say(Attribute::Role, subject, "router");
            }
        }
        "137" if hops == "255" && is_link_local => say(Attribute::Role, sender, "router"),
        _ => {}
    }
}

fn igmp(row: Row<'_>, source: &str, said: &mut Statements) {
    if row.first("igmp.type") == Some("0x11") {
        let sender = row.all("ip.src").last().unwrap_or_default();
        let subject = if sender == "0.0.0.0" { source } else { sender };
        said.say(Protocol::Igmp, Attribute::Role, subject, "multicast-querier");
    }
}

/// A client's own message, or a server's reply with addresses, perhaps within a relay's.
fn dhcpv6(row: Row<'_>, said: &mut Statements) {
    let kinds: Vec<&str> = row.all("dhcpv6.msgtype").collect();
    let Some(kind) = kinds.last() else { return };
    let [source, destination] =
        ["ipv6.src", "ipv6.dst"].map(|name| row.all(name).last().unwrap_or_default().to_owned());
    // Identifiers come in the order of their options: 1 is the client's, 2 the server's.
    let owners = row.all("dhcpv6.option.type").filter(|code| ["1", "2"].contains(code));
    let identifiers: Vec<(&str, String)> =
        owners.zip(row.all("dhcpv6.duid.bytes").map(|duid| duid.replace(':', ""))).collect();
    let identifier =
        |code| identifiers.iter().find(|(owner, _)| *owner == code).map_or("", |(_, duid)| duid.as_str());
    let is_client = ["1", "3", "4", "5", "6", "8", "9", "11"].contains(kind);
    let client = if kinds.len() > 1 {
        match row.all("dhcpv6.hopcount").last() {
            Some("0") => row.all("dhcpv6.peeraddr").last().unwrap_or_default().to_owned(),
            _ => format!("{source} duid={}", identifier("1")),
        }
    } else if is_client {
        source.clone()
    } else {
        destination
    };
    let mut say =
        |attribute, subject: &str, value: &str| said.say(Protocol::Dhcpv6, attribute, subject, value);
    let addresses = row.all("dhcpv6.iaaddr.ip").zip(row.all("dhcpv6.iaaddr.valid_lifetime"));
    let leased: Vec<&str> = addresses.filter(|(_, valid)| *valid != "0").map(|(ip, _)| ip).collect();
    if is_client {
        say(Attribute::DhcpDuid, &client, identifier("1"));
        let wanted: Vec<&str> = row.all("dhcpv6.requested_option_code").collect();
        say(Attribute::Dhcpv6OptionList, &client, &wanted.join(","));
        for (name, attribute) in [
            ("dhcpv6.vendorclass.enterprise", Attribute::EnterpriseNumber),
            ("dhcpv6.vendorclass.data", Attribute::DhcpVendorClass),
            ("dhcpv6.mudurl", Attribute::MudUrl),
        ] {
            say(attribute, &client, row.first(name).unwrap_or_default());
        }
        let name = row.first("dhcpv6.client_domain").unwrap_or_default();
        say(Attribute::HostName, &client, &name.trim_end_matches('.').to_ascii_lowercase());
        if ["5", "6"].contains(kind) {
            for ip in &leased {
                say(Attribute::IpAddress, &client, ip);
            }
        }
    } else {
        if kinds.len() == 1 {
            say(Attribute::DhcpDuid, &source, identifier("2"));
        }
        let is_refused = row.all("dhcpv6.status_code").any(|status| status != "0");
        if *kind == "7" && !is_refused {
            for ip in &leased {
                say(Attribute::IpAddress, &client, ip);
            }
        }
    }
}

/// tshark writes the ends of lines as they are written in programs.
fn first_line(text: &str) -> &str {
    text.split("\\n").next().unwrap_or_default().trim_end_matches("\\r")
}

/// The characters of octets in hexadecimal.
fn characters(digits: &str) -> String {
    let octets = super::fields::octets(digits).unwrap_or_default();
    String::from_utf8_lossy(&octets).into_owned()
}

/// Neither unspecified, nor loopback, nor multicast.
fn is_device(address: &str) -> bool {
    let parsed: Option<IpAddr> = address.parse().ok();
    parsed.is_some_and(|ip| !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast())
}
