//! Zeek's connection logs: who talked to whom, and how much.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};

use super::super::conversation::Sent;
use super::super::corpus::Capture;
use super::{Log, Row, logs};

/// One line of a connection log.
#[derive(Debug, Clone)]
pub struct Connection {
    /// As [`super::super::conversation::Conversation::transport`].
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
pub fn connection_logs(data: &Path, capture: &Capture) -> Result<Vec<Log>> {
    let mut logs = logs(data, capture)?;
    logs.retain(|log| log.kind == "conn");
    Ok(logs)
}

/// Reads a connection log.
pub fn connections(log: &Log) -> Result<Vec<Connection>> {
    let rows = log.rows()?;
    rows.iter()
        .map(|row| connection(row).with_context(|| format!("{}: {row:?}", log.path.display())))
        .collect()
}

fn connection(row: &Row) -> Result<Connection> {
    let number = |name: &str| {
        let value = row.value(name).with_context(|| format!("no column {name}"))?;
        Ok::<u64, anyhow::Error>(value.parse()?)
    };
    let sent = |packets: &str, bytes: &str| {
        Ok::<_, anyhow::Error>(Sent { packets: number(packets)?, bytes: number(bytes)? })
    };
    let counted =
        || Ok::<_, anyhow::Error>([sent("orig_pkts", "orig_ip_bytes")?, sent("resp_pkts", "resp_ip_bytes")?]);
    Ok(Connection {
        transport: transport(row).context("no transport")?,
        originator: row.originator().context("no originator")?,
        responder: row.responder().context("no responder")?,
        sent: row.has("orig_pkts").then(counted).transpose()?,
        is_tunnelled: row.value("tunnel_parents").is_some(),
    })
}

/// What the connection is over, in the words of [`Connection::transport`].
pub(super) fn transport(row: &Row) -> Option<&'static str> {
    Some(match row.value("proto").or_else(|| row.value("port_proto"))? {
        "tcp" => "tcp",
        "udp" => "udp",
        "icmp" => "icmp",
        "unknown_transport" => "ip",
        _ => return None,
    })
}
