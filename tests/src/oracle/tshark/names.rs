//! Names in DNS and multicast DNS as Wireshark reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::details::{Frame, between, details};

/// Adds the names that answers give to addresses of networks that are not routed on the internet (DNS), and to the
/// sender itself (multicast DNS), and the services that are announced.
pub(super) fn read(capture: &Path, said: &mut Statements) -> Result<()> {
    // Windows answers LLMNR in the same layout, and NetBIOS names have one of their own.
    for frame in details(capture, "(dns || mdns) && dns.flags.response == 1", "dns,mdns")? {
        let is_multicast = frame.ports.contains(&5353);
        for (name, kind, data) in records(&frame) {
            if is_multicast {
                announced(&frame, name, kind, data, said);
            } else {
                answered(name, kind, data, said);
            }
        }
    }
    Ok(())
}

/// `  name: type A, class IN, addr 10.0.0.1` under `Answers` and `Additional records`.
fn records(frame: &Frame) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut is_answer = false;
    frame.lines.iter().filter_map(move |line| {
        if line.starts_with("    ") && !line.starts_with("     ") {
            is_answer = ["Answers", "Additional records"].contains(&line.trim());
        }
        let (name, rest) = line.strip_prefix("        ")?.split_once(": type ")?;
        let is_record = is_answer && !name.starts_with(' ');
        let (kind, rest) = rest.split_once(", class ")?;
        let data = rest.rsplit_once(", ").map_or("", |(_, data)| data);
        is_record.then_some((name, kind, data.strip_prefix("addr ").unwrap_or(data)))
    })
}

fn answered(name: &str, kind: &str, data: &str, said: &mut Statements) {
    let (name, address) = match kind {
        "A" | "AAAA" => (name, data.parse().ok()),
        "PTR" => (data, reverse(name)),
        _ => return,
    };
    if let Some(address) = address.filter(|address| is_private(*address))
        && is_host(name)
    {
        said.say(Protocol::Dns, Attribute::HostName, &address.to_string(), &folded(name));
    }
}

fn announced(frame: &Frame, name: &str, kind: &str, data: &str, said: &mut Statements) {
    match kind {
        "A" | "AAAA" if data == frame.source && is_host(name) => {
            said.say(Protocol::Mdns, Attribute::HostName, &frame.source, &folded(name));
        }
        "PTR" => {
            let service = if folded(name) == "_services._dns-sd._udp.local" { data } else { name };
            let service = folded(service);
            let labels: Vec<&str> = service.split('.').collect();
            if let [.., service, transport @ ("_tcp" | "_udp"), "local"] = labels.as_slice() {
                let kind = format!("{service}.{transport}");
                said.say(Protocol::Mdns, Attribute::ServiceType, &frame.source, &kind);
            }
        }
        _ => {}
    }
}

fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

fn is_host(name: &str) -> bool {
    !name.split('.').any(|label| label.starts_with('_'))
}

fn reverse(name: &str) -> Option<IpAddr> {
    let name = folded(name);
    if let Some(parts) = name.strip_suffix(".in-addr.arpa") {
        let text: Vec<&str> = parts.rsplit('.').collect();
        return text.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let nibbles: String = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
    let bits = u128::from_str_radix(&nibbles, 16).ok().filter(|_| nibbles.len() == 32)?;
    Some(Ipv6Addr::from_bits(bits).into())
}

/// RFC 1918, 3927, 4193, 4291, 6598.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || first == 100 && (64..128).contains(&second)
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// What a line of a tree says in parentheses at its end.
pub(super) fn in_parentheses(line: &str) -> &str {
    line.rsplit_once('(').map_or("", |(_, rest)| between(rest, "", ")"))
}
