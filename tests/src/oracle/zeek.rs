//! Zeek's connection logs, as they stand beside captures: `<capture>.zeek/<its test>/conn.log`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::conversation::Sent;
use super::corpus::Capture;

/// One line of a connection log.
#[derive(Debug, Clone)]
pub struct Connection {
    /// As [`super::conversation::Conversation::transport`].
    pub transport: &'static str,
    /// Who began it.
    pub originator: SocketAddr,
    /// Who was addressed.
    pub responder: SocketAddr,
    /// Packets and IP bytes of originator and responder, if the log has them.
    pub sent: Option<[Sent; 2]>,
    /// Whether Zeek found it inside a tunnel.
    pub is_tunnelled: bool,
}

/// The connection logs of a capture: `data` holds `expected` beside `captures`.
pub fn connection_logs(data: &Path, capture: &Capture) -> Result<Vec<PathBuf>> {
    let folder = data.join("expected").join(format!("{}.zeek", capture.id));
    let Ok(tests) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut logs = tests.map(|test| Ok(test?.path().join("conn.log"))).collect::<Result<Vec<_>>>()?;
    logs.retain(|log| log.is_file());
    logs.sort();
    Ok(logs)
}

/// Reads a connection log. One without a `#fields` heading is what `zeek-cut` left of it: the five columns of the
/// endpoints, and the service.
pub fn connections(log: &Path) -> Result<Vec<Connection>> {
    let text = fs::read_to_string(log).with_context(|| format!("read {}", log.display()))?;
    let mut columns = vec!["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service"];
    let mut connections = Vec::new();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("#fields") {
            columns = names.split_whitespace().collect();
        } else if !line.starts_with('#') && !line.is_empty() {
            let values = columns.iter().copied().zip(line.split('\t')).collect();
            connections.push(connection(&values).with_context(|| format!("{}: {line}", log.display()))?);
        }
    }
    Ok(connections)
}

fn connection(values: &BTreeMap<&str, &str>) -> Result<Connection> {
    let value = |name: &str| values.get(name).copied().with_context(|| format!("no column {name}"));
    let number = |name: &str| Ok::<u64, anyhow::Error>(value(name)?.parse()?);
    let end = |ip: &str, port: &str| {
        Ok::<_, anyhow::Error>(SocketAddr::new(value(ip)?.parse()?, value(port)?.parse()?))
    };
    let sent = |packets: &str, bytes: &str| {
        Ok::<_, anyhow::Error>(Sent { packets: number(packets)?, bytes: number(bytes)? })
    };
    let is_counted = values.contains_key("orig_pkts");
    let counted =
        || Ok::<_, anyhow::Error>([sent("orig_pkts", "orig_ip_bytes")?, sent("resp_pkts", "resp_ip_bytes")?]);
    Ok(Connection {
        transport: match value("proto")? {
            "tcp" => "tcp",
            "udp" => "udp",
            "icmp" => "icmp",
            "unknown_transport" => "ip",
            other => anyhow::bail!("no transport is called {other}"),
        },
        originator: end("id.orig_h", "id.orig_p")?,
        responder: end("id.resp_h", "id.resp_p")?,
        sent: is_counted.then(counted).transpose()?,
        is_tunnelled: values.get("tunnel_parents").is_some_and(|parents| *parents != "-"),
    })
}
