//! What Zeek calls the protocol of a connection: in the connection log, by the log that the connection has a line in, and
//! in the log of known services.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::Protocol;

use super::super::corpus::Capture;
use super::super::stated::Flow;
use super::connections::transport;
use super::{Row, logs};

/// A connection, or all to one end, and the protocols that Zeek found in it.
#[derive(Debug, Clone)]
pub struct Service {
    whom: Whom,
    /// In Zeek's words, without those that the sensor has no name for; never empty.
    pub names: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Whom {
    /// Between two ends, the lesser one first.
    Connection([SocketAddr; 2]),
    /// To whoever is served there.
    Server(&'static str, SocketAddr),
}

/// What Zeek recognised in a capture. `data` holds `expected` beside `captures`.
pub fn services(data: &Path, capture: &Capture) -> Result<Vec<Service>> {
    let mut found = BTreeMap::<Whom, BTreeSet<String>>::new();
    for log in logs(data, capture)? {
        for row in log.rows()? {
            let Some((whom, names)) = service(&log.kind, &row) else { continue };
            let known = names.split(',').map(str::to_ascii_lowercase).filter(|name| labels(name).is_some());
            let known: BTreeSet<String> = known.collect();
            if !known.is_empty() {
                found.entry(whom).or_default().extend(known);
            }
        }
    }
    Ok(found.into_iter().map(|(whom, names)| Service { whom, names }).collect())
}

/// Of whom a line speaks, and the protocols that it names.
fn service<'a>(kind: &'a str, row: &'a Row) -> Option<(Whom, &'a str)> {
    if kind == "knownservices" {
        let server = SocketAddr::new(row.value("host")?.parse().ok()?, row.value("port_num")?.parse().ok()?);
        return Some((Whom::Server(transport(row)?, server), row.value("service")?));
    }
    let (one, other) = (row.originator()?, row.responder()?);
    let names = if kind == "conn" { row.value("service")? } else { kind };
    Some((Whom::Connection([one.min(other), one.max(other)]), names))
}

impl Service {
    /// Whether a flow is the connection, or one of them.
    pub fn is_in(&self, flow: &Flow) -> bool {
        match &self.whom {
            Whom::Connection(ends) => flow.conversation.ends == *ends,
            Whom::Server(transport, server) => {
                flow.conversation.transport == *transport && flow.responder == *server
            }
        }
    }

    /// Whether the sensor's name for it is one of Zeek's.
    pub fn is_called(&self, protocol: Protocol) -> bool {
        self.names.iter().filter_map(|name| labels(name)).any(|labels| labels.contains(&protocol))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.whom {
            Whom::Connection([one, other]) => write!(f, "{one} <-> {other}"),
            Whom::Server(transport, server) => write!(f, "{transport} -> {server}"),
        }
    }
}

/// What the sensor may call it; none where Zeek speaks of what the sensor does not know, such as a tunnel.
fn labels(name: &str) -> Option<&'static [Protocol]> {
    // Logs of packages and of parts of a protocol begin with its name.
    let longest = LABELS.iter().filter(|(theirs, _)| {
        name.strip_prefix(theirs).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    });
    longest.max_by_key(|(theirs, _)| theirs.len()).map(|(_, ours)| *ours)
}

const LABELS: &[(&str, &[Protocol])] = &[
    ("bacnet", &[Protocol::Bacnet]),
    ("cip", &[Protocol::EthernetIp]),
    ("dhcp", &[Protocol::Dhcp]),
    ("dnp3", &[Protocol::Dnp3]),
    // One name for all that has the layout of DNS, and for NetBIOS' names.
    ("dns", &[Protocol::Dns, Protocol::Mdns, Protocol::Llmnr, Protocol::NetbiosNs]),
    ("enip", &[Protocol::EthernetIp]),
    ("ftp", &[Protocol::Ftp]),
    ("hart_ip", &[Protocol::HartIp]),
    ("http", &[Protocol::Http, Protocol::Websocket, Protocol::Http2]),
    ("kerberos", &[Protocol::Kerberos]),
    ("ldap", &[Protocol::Ldap]),
    ("modbus", &[Protocol::Modbus]),
    ("mqtt", &[Protocol::Mqtt]),
    ("ntp", &[Protocol::Ntp]),
    ("opcua-binary", &[Protocol::OpcUa]),
    ("opcua_binary", &[Protocol::OpcUa]),
    ("profinet_io_cm", &[Protocol::ProfinetCm]),
    ("radius", &[Protocol::Radius]),
    ("rdp", &[Protocol::Rdp]),
    ("rfb", &[Protocol::Vnc]),
    ("s7comm", &[Protocol::S7comm]),
    ("smb", &[Protocol::Smb]),
    ("ssh", &[Protocol::Ssh]),
    ("ssl", &[Protocol::Tls]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_parts_of_a_protocol_are_of_the_protocol() {
        assert_eq!(labels("dnp3_tcp"), Some(&[Protocol::Dnp3][..]));
        assert_eq!(labels("hart_ip_general"), Some(&[Protocol::HartIp][..]));
        assert_eq!(labels("mqtt_connect"), Some(&[Protocol::Mqtt][..]));
        assert_eq!(labels("vxlan"), None);
        assert_eq!(labels("dnsx"), None);
    }
}
