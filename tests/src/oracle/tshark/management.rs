//! Names, time, logs and management as Wireshark reads them: SNMP, NetBIOS, SSDP, NTP, syslog, RADIUS.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::details::{Frame, details};
use super::names::in_parentheses;
use super::{Row, Table};

pub(super) const NAMES: &[&str] = &[
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "frame.protocols",
    "ntp.flags.vn",
    "ntp.flags.mode",
    "ntp.stratum",
    "syslog.facility",
    "syslog.hostname",
    "syslog.appname",
    "syslog.procid",
    "nbdgm.source_name",
    "nbdgm.destination_name",
    "browser.command",
    "browser.server",
    "browser.os_major",
    "browser.os_minor",
    "browser.server_type.xenix",
];

/// The frames that are looked at.
pub(super) const FILTER: &str =
    "udp && (ntp || syslog || ssdp || nbdgm || snmp || nbns || radius) && !icmp && !icmpv6";

/// Answers and traps: what is asked says nothing.
const SNMP: &str = "snmp && (snmp.data == 2 || snmp.data == 4 || snmp.data == 6 || snmp.data == 7 || snmp.data == 8 || \
                    snmp.msgFlags)";

/// Adds what is said over UDP; trees of the capture are asked for where there is something in them.
pub(super) fn read(capture: &Path, table: &Table, said: &mut Statements) -> Result<()> {
    let is_looked_at = |row: &Row<'_>| row.has("udp") && !row.has("icmp") && !row.has("icmpv6");
    for row in table.rows().filter(is_looked_at) {
        let address = |v4, v6| row.all(v4).last().or_else(|| row.all(v6).last()).unwrap_or_default();
        let source = address("ip.src", "ipv6.src");
        ntp(row, source, said);
        syslog(row, source, said);
        datagram(row, source, said);
    }
    // Trees take their time, and few captures have any of these.
    let has = |layer| table.rows().filter(is_looked_at).any(|row| row.has(layer));
    if has("snmp") {
        for frame in details(capture, &format!("udp && ({SNMP}) && !icmp"), "snmp")? {
            snmp(&frame, said);
        }
    }
    if has("nbns") {
        for frame in details(capture, "nbns && udp && !icmp", "nbns")? {
            names(&frame, said);
        }
    }
    if has("ssdp") {
        for frame in details(capture, "ssdp && udp && !icmp && !icmpv6", "ssdp")? {
            ssdp(&frame, said);
        }
    }
    if has("radius") {
        for frame in details(capture, "radius.code == 3 && !icmp", "radius")? {
            said.say(Protocol::Radius, Attribute::FailedLogin, &frame.destination, "radius");
        }
    }
    Ok(())
}

fn ntp(row: Row<'_>, source: &str, said: &mut Statements) {
    let first = |name| row.first(name).unwrap_or_default();
    let mode = first("ntp.flags.mode");
    if ["1", "2", "3", "4", "5"].contains(&mode) {
        said.say(Protocol::Ntp, Attribute::NtpVersion, source, first("ntp.flags.vn"));
        let stratum = first("ntp.stratum");
        if mode != "3" && !["0", "16"].contains(&stratum) {
            said.say(Protocol::Ntp, Attribute::NtpStratum, source, stratum);
        }
    }
}

/// Programs of users log under the users' names.
fn syslog(row: Row<'_>, source: &str, said: &mut Statements) {
    for host in row.all("syslog.hostname") {
        said.say(Protocol::Syslog, Attribute::HostName, source, &host.to_lowercase());
    }
    // In the old form Wireshark has the tag where the new one has the process.
    let program = row.first("syslog.appname").or_else(|| row.first("syslog.procid"));
    for program in program.into_iter().filter(|_| row.first("syslog.facility") != Some("1")) {
        said.say(Protocol::Syslog, Attribute::SoftwareName, source, program);
    }
}

/// Fields stand in the tree as they were sent, with their ends of line written out.
fn ssdp(frame: &Frame, said: &mut Statements) {
    let field = |name: &str| {
        frame.lines.iter().find_map(|line| {
            let (known, value) = line.trim().split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().trim_end_matches("\\r\\n").trim())
        })
    };
    let mut say = |attribute, value: &str| said.say(Protocol::Ssdp, attribute, &frame.source, value);
    if field("NTS") == Some("ssdp:byebye") {
        return;
    }
    // What searches has no name of its own.
    let Some(name) = field("USN") else {
        return say(Attribute::HttpUserAgent, field("USER-AGENT").unwrap_or_default());
    };
    say(Attribute::HttpServer, field("SERVER").unwrap_or_default());
    let (device, kind) = name.split_once("::").unwrap_or((name, ""));
    // A router of the captures has words there (upnp-WANDevice-1_0-12345678900001), which are no UUID (RFC 9562).
    let uuid = device.strip_prefix("uuid:").filter(|uuid| uuid.len() == 36).unwrap_or_default();
    say(Attribute::DeviceUuid, &uuid.to_lowercase());
    say(Attribute::UpnpType, if kind.starts_with("urn:") { kind } else { "" });
}

/// A name without what it is for, and that in hexadecimal: `NVR9<20>`.
fn suffixed(name: &str) -> Option<(&str, &str)> {
    name.trim().split_once(" (").map_or(name.trim(), |(name, _)| name).strip_suffix('>')?.rsplit_once('<')
}

fn datagram(row: Row<'_>, source: &str, said: &mut Statements) {
    let first = |name| row.first(name).unwrap_or_default();
    let mut say = |attribute, value: &str| said.say(Protocol::NetbiosDgm, attribute, source, value);
    if let Some((name, "00" | "20")) = suffixed(first("nbdgm.source_name")) {
        say(Attribute::HostName, &name.to_lowercase());
    }
    match first("browser.command") {
        "0x01" | "0x0f" => {
            say(Attribute::HostName, &first("browser.server").to_lowercase());
            let version = format!("{}.{}", first("browser.os_major"), first("browser.os_minor"));
            // Samba announces a version of its own, and that it runs on Unix.
            if !["1", "True"].contains(&first("browser.server_type.xenix")) {
                say(Attribute::OperatingSystemVersion, &version);
            }
            if let Some((domain, "1d" | "1e")) = suffixed(first("nbdgm.destination_name")) {
                say(Attribute::Domain, domain);
            }
        }
        "0x0c" => say(Attribute::Domain, first("browser.server")),
        _ => {}
    }
}

/// Reads the tree of one frame of the name service from top to bottom.
fn names(frame: &Frame, said: &mut Statements) {
    let has = |text: &str| frame.lines.iter().any(|line| line.contains(text));
    let is_response = has("= Response: Message is a response");
    let is_status = has("Type: NBSTAT");
    let is_claim = !is_response && !has("Opcode: Name query (0)") && !has("Opcode: Release (6)");
    let has_own_address = || frame.lines.iter().any(|line| line.trim() == format!("Addr: {}", frame.source));
    let is_own = is_response && is_status || (is_response || is_claim) && has_own_address();
    if !is_own || is_response && !has("Opcode: Name query (0)") {
        return;
    }
    let mut name = None;
    let mut is_active = true;
    for line in frame.lines.iter().map(|line| line.trim()) {
        let mut say = |attribute, value: &str| said.say(Protocol::NetbiosNs, attribute, &frame.source, value);
        if let Some(found) = line.strip_prefix("Name: ") {
            name = suffixed(found);
        } else if let Some(flags) = line.strip_prefix("Name flags: ") {
            is_active = !is_status || flags.contains("active");
        } else if let Some(unit) = line.strip_prefix("Unit ID: ") {
            say(Attribute::MacAddress, unit);
        } else if line.contains("= Name type: ")
            && let Some((name, suffix)) = name.filter(|(name, _)| is_active && !name.contains('~'))
        {
            match (suffix, line.contains("Group name")) {
                ("00" | "20", false) => say(Attribute::HostName, &name.to_lowercase()),
                ("00" | "1e" | "1c", true) | ("1b" | "1d", false) => say(Attribute::Domain, name),
                _ => {}
            }
        }
    }
}

/// Whether a trap's agent is a device elsewhere: some say no address, or one that means themselves.
fn is_unicast(address: &str) -> bool {
    let parsed: Option<IpAddr> = address.parse().ok();
    parsed.is_some_and(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

/// The one maker in whose part of the tree a notification's events and objects are, but for those of agents' software.
fn notification(frame: &Frame, said: &mut Statements) {
    let trimmed = || frame.lines.iter().map(|line| line.trim());
    let of =
        |name: &'static str| trimmed().filter_map(move |line| line.strip_prefix(name).map(str::to_owned));
    if !of("data: ").any(|kind| kind.contains("trap") || kind.contains("inform")) {
        return;
    }
    let objects = of("enterprise: ").chain(of("Object Name: ")).chain(of("Value (OID): "));
    let makers: BTreeSet<String> = objects
        .filter_map(|object| Some(object.strip_prefix("1.3.6.1.4.1.")?.split(['.', ' ']).next()?.to_owned()))
        .filter(|maker| !["2021", "8072"].contains(&maker.as_str()))
        .collect();
    let agent =
        of("agent-addr: ").find(|address| is_unicast(address)).unwrap_or_else(|| frame.source.clone());
    if let (Some(maker), 1) = (makers.first(), makers.len()) {
        said.say(Protocol::Snmp, Attribute::EnterpriseNumber, &agent, maker);
    }
}

/// Objects by their names in numbers.
const OBJECTS: &[(&str, Attribute)] = &[
    ("1.3.6.1.2.1.1.2.0", Attribute::SysObjectId),
    ("1.3.6.1.2.1.1.5.0", Attribute::HostName),
    ("1.3.6.1.2.1.1.6.0", Attribute::Location),
];

fn snmp(frame: &Frame, said: &mut Statements) {
    let trimmed = || frame.lines.iter().map(|line| line.trim());
    let is_request = trimmed().any(|line| line.starts_with("data: get-") && !line.contains("get-response"));
    if is_request || trimmed().any(|line| line.ends_with("= Reportable: Set")) {
        return;
    }
    notification(frame, said);
    let mut say = |attribute, value: &str| said.say(Protocol::Snmp, attribute, &frame.source, value);
    let mut object = None;
    let mut is_authoritative = false;
    for line in trimmed() {
        if let Some((name, _)) = line.strip_prefix("Object Name: ").and_then(|rest| rest.split_once(" (")) {
            object = OBJECTS.iter().find(|(known, _)| *known == name).map(|(_, attribute)| *attribute);
        } else if let Some((_, value)) = line.strip_prefix("Value (").and_then(|rest| rest.split_once("): "))
        {
            if let Some(attribute) = object.take() {
                let value = value.trim_matches('"');
                let value = value.split_once(" (iso").map_or(value, |(oid, _)| oid);
                let is_name = attribute == Attribute::HostName;
                say(attribute, &if is_name { value.to_lowercase() } else { value.to_owned() });
            }
        } else if line.starts_with("msgAuthoritativeEngineID: ") {
            is_authoritative = true;
        } else if line.starts_with("msgAuthoritativeEngineBoots: ") {
            is_authoritative = false;
        } else if line.starts_with("Engine Enterprise ID: ") && is_authoritative {
            say(Attribute::EnterpriseNumber, in_parentheses(line));
        }
    }
}
