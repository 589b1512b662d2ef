//! What telephones, cameras and the clients of brokers tell as Wireshark reads it: products in SIP and RTSP, MQTT's version,
//! credentials that are shown, and in SIP their refusal.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::Row;

const NAMES: [&str; 20] = [
    "frame.protocols",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "text",
    "sip.Method",
    "sip.Status-Code",
    "sip.User-Agent",
    "sip.Server",
    "sip.Via",
    "sip.Record-Route",
    "sip.Call-ID",
    "sip.CSeq",
    "sip.CSeq.method",
    "sip.Authorization",
    "sip.Proxy-Authorization",
    "rtsp.status",
    "mqtt.ver",
    "mqtt.conflag.passwd",
];

/// Adds what is said.
pub(super) fn read(capture: &Path, said: &mut Statements) -> Result<()> {
    let options = [
        ["-o", "tcp.reassemble_out_of_order:TRUE"],
        // A broker of the captures, on a port that Wireshark does not know.
        ["-d", "tcp.port==17501,mqtt"],
        ["-Y", "sip || rtsp || mqtt.msgtype == 1"],
    ];
    let mut shown = BTreeSet::new();
    for row in super::fields(capture, options.as_flattened(), &NAMES)?.rows() {
        let protocols = row.first("frame.protocols").unwrap_or_default();
        let has = |layer: &str| protocols.split(':').any(|known| known == layer);
        let source = row.all("ip.src").last().or_else(|| row.all("ipv6.src").last()).unwrap_or_default();
        let destination = row.all("ip.dst").last().or_else(|| row.all("ipv6.dst").last()).unwrap_or_default();
        if has("sip") {
            sip(row, source, destination, &mut shown, said);
        } else if has("rtsp") {
            rtsp(row, source, said);
        } else {
            mqtt(row, source, destination, said);
        }
    }
    Ok(())
}

/// Products count where a message has passed nobody; a refusal where the request with its numbers showed something.
fn sip<'a>(
    row: Row<'a>,
    source: &str,
    destination: &str,
    shown: &mut BTreeSet<(&'a str, &'a str)>,
    said: &mut Statements,
) {
    let status = row.first("sip.Status-Code");
    let is_passed_on =
        row.all("sip.Via").count() > 1 || status.is_some() && row.first("sip.Record-Route").is_some();
    if !is_passed_on {
        said.say(
            Protocol::Sip,
            Attribute::HttpUserAgent,
            source,
            row.first("sip.User-Agent").unwrap_or_default(),
        );
        if status.is_some() {
            said.say(
                Protocol::Sip,
                Attribute::HttpServer,
                source,
                row.first("sip.Server").unwrap_or_default(),
            );
        }
    }
    let transaction = row.first("sip.Call-ID").zip(row.first("sip.CSeq"));
    let credentials = row.first("sip.Authorization").or_else(|| row.first("sip.Proxy-Authorization"));
    if status.is_none() && credentials.is_some_and(|shown| shown.starts_with("Digest ")) {
        said.say(Protocol::Sip, Attribute::CleartextCredential, destination, "sip-digest");
        shown.extend(transaction);
    }
    let is_refused = match status {
        Some("401" | "407") => true,
        Some("403") => row.first("sip.CSeq.method") == Some("REGISTER"),
        _ => false,
    };
    if is_refused && transaction.is_some_and(|transaction| shown.contains(&transaction)) {
        said.say(Protocol::Sip, Attribute::FailedLogin, destination, "sip");
    }
}

/// Fields that Wireshark has no names of its own for stand as text in the tree.
fn rtsp(row: Row<'_>, source: &str, said: &mut Statements) {
    for line in row.all("text") {
        // Ends of lines are escaped.
        let line = line.trim_end_matches("\\n").trim_end_matches("\\r");
        if let Some(product) = line.strip_prefix("User-Agent: ") {
            said.say(Protocol::Rtsp, Attribute::HttpUserAgent, source, product);
        } else if let Some(product) = line.strip_prefix("Server: ") {
            said.say(Protocol::Rtsp, Attribute::HttpServer, source, product);
        }
    }
}

fn mqtt(row: Row<'_>, source: &str, destination: &str, said: &mut Statements) {
    let version = match row.first("mqtt.ver") {
        Some("3") => "3.1",
        Some("4") => "3.1.1",
        Some("5") => "5.0",
        _ => return,
    };
    said.say(Protocol::Mqtt, Attribute::MqttVersion, source, version);
    if matches!(row.first("mqtt.conflag.passwd"), Some("1" | "True")) {
        said.say(Protocol::Mqtt, Attribute::CleartextCredential, destination, "mqtt");
    }
}
