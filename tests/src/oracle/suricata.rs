//! Suricata, asked when a test runs: its events about a capture.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;
use wardwatch_engine::cache::Cache;
use wardwatch_proto::v1::Protocol;

use super::conversation::{Conversation, Labelled};
use crate::scratch::Scratch;
use crate::skip;

pub mod fields;

/// What it is to look for, and to tell.
const SETTINGS: &str = include_str!("suricata/engine.yaml");

/// The program.
#[derive(Debug)]
pub struct Suricata {
    program: PathBuf,
    /// Where its libraries are, if not with the system's.
    libraries: Option<OsString>,
}

/// The one that was fetched; `None`, and `test` is skipped, when there is none. One that is installed is not taken: its
/// version decides what it knows.
pub fn unless_suricata(test: &str) -> Option<Suricata> {
    let folder = Cache::default().suricata_folder();
    let program = folder.join("usr/bin/suricata");
    if !program.is_file() {
        skip::skip(test, "needs Suricata: `cargo xtask fetch suricata`");
        return None;
    }
    // Debian has them in a folder of the machine's architecture.
    let folders = fs::read_dir(folder.join("usr/lib")).into_iter().flatten().flatten();
    let libraries = folders.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("-gnu"));
    Some(Suricata { program, libraries: libraries.map(PathBuf::into_os_string) })
}

impl Suricata {
    /// What it tells about a capture file, in its own JSON.
    pub fn events(&self, capture: &Path) -> Result<Vec<Value>> {
        let scratch = Scratch::new("suricata")?;
        let settings = scratch.path().join("engine.yaml");
        fs::write(&settings, SETTINGS)?;
        let mut command = Command::new(&self.program);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.arg("-c").arg(&settings).arg("-r").arg(capture).arg("-l").arg(scratch.path());
        // No rules, one thread, and packets whose checksums the sender's card had still to fill in.
        command.args(["-S", "/dev/null", "--runmode", "single", "-k", "none"]);
        let output = command.stdin(Stdio::null()).output().context("run suricata")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "suricata says: {}", complaint.trim());
        let events = fs::read_to_string(scratch.path().join("eve.json")).context("read suricata's events")?;
        events.lines().map(|event| serde_json::from_str(event).context("read an event")).collect()
    }
}

/// The flows over TCP and UDP that it recognised.
pub fn flows(events: &[Value]) -> Result<Vec<Labelled>> {
    let mut flows = Vec::new();
    for event in events.iter().filter(|event| is_flow(event)) {
        let transport = if event["proto"] == "TCP" { "tcp" } else { "udp" };
        if let Some(name) = event["app_proto"].as_str().filter(|name| *name != "failed") {
            let [source, destination] = ends(event)?;
            let (conversation, _) = Conversation::between(transport, source, destination);
            flows.push(Labelled { conversation, name: name.to_owned() });
        }
    }
    Ok(flows)
}

/// Whether an event tells of a whole flow over TCP or UDP.
fn is_flow(event: &Value) -> bool {
    event["event_type"] == "flow" && ["TCP", "UDP"].iter().any(|transport| event["proto"] == *transport)
}

/// Who sent, and to whom; of a flow, who began it, and whom it addressed.
fn ends(event: &Value) -> Result<[SocketAddr; 2]> {
    let end = |ip: &str, port: &str| {
        let ip = event[ip].as_str().context("an address")?.parse()?;
        let port = event[port].as_u64().context("a port")?;
        Ok::<_, anyhow::Error>(SocketAddr::new(ip, u16::try_from(port)?))
    };
    Ok([end("src_ip", "src_port")?, end("dest_ip", "dest_port")?])
}

/// What the sensor may call it; none where Suricata speaks of what the sensor does not know.
pub fn labels(name: &str) -> Option<&'static [Protocol]> {
    Some(match name {
        "dhcp" => &[Protocol::Dhcp],
        "dnp3" => &[Protocol::Dnp3],
        // One name for all that has the layout of DNS.
        "dns" => &[Protocol::Dns, Protocol::Mdns, Protocol::Llmnr, Protocol::NetbiosNs],
        "enip" => &[Protocol::EthernetIp],
        "ftp" => &[Protocol::Ftp],
        // What is spoken after the upgrade is another protocol.
        "http" | "http2" => &[Protocol::Http, Protocol::Websocket, Protocol::Http2],
        "krb5" => &[Protocol::Kerberos],
        "modbus" => &[Protocol::Modbus],
        "mqtt" => &[Protocol::Mqtt],
        "ntp" => &[Protocol::Ntp],
        "quic" => &[Protocol::Quic],
        "rdp" => &[Protocol::Rdp],
        "rfb" => &[Protocol::Vnc],
        "sip" => &[Protocol::Sip],
        "smb" => &[Protocol::Smb],
        "snmp" => &[Protocol::Snmp],
        "ssh" => &[Protocol::Ssh],
        "telnet" => &[Protocol::Telnet],
        "tftp" => &[Protocol::Tftp],
        "tls" => &[Protocol::Tls],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_that_was_recognised_is_found_by_its_ends() -> Result<()> {
        let event = |app_proto: &str| {
            serde_json::json!({
                "event_type": "flow", "proto": "TCP", "app_proto": app_proto,
                "src_ip": "192.168.0.27", "src_port": 54634, "dest_ip": "192.168.0.103", "dest_port": 22,
            })
        };
        let [flow] = flows(&[event("ssh"), event("failed")])?.try_into().expect("one flow");
        assert_eq!(flow.conversation.to_string(), "tcp 192.168.0.27:54634 <-> 192.168.0.103:22");
        assert_eq!(labels(&flow.name), Some(&[Protocol::Ssh][..]));
        Ok(())
    }
}
