//! Zeek's logs, as they stand beside captures: `<capture>.zeek/<its test>/<log>.log`.
//!
//! Some are what the test left of them: without a heading, or of several captures one behind the other.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::corpus::Capture;

mod connections;
pub mod fields;
mod services;

pub use connections::{Connection, connection_logs, connections};
pub use services::{Service, services};

/// A log of one kind.
#[derive(Debug, Clone)]
pub struct Log {
    /// What Zeek calls it: `conn`, `http`. Tests add words before a dot (`krb.ldap.log`) or behind a dash (`ssl-all.log`).
    pub kind: String,
    path: PathBuf,
}

/// The logs of a capture, by the names of their files: `data` holds `expected` beside `captures`.
pub fn logs(data: &Path, capture: &Capture) -> Result<Vec<Log>> {
    let folder = data.join("expected").join(format!("{}.zeek", capture.id));
    let Ok(tests) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut logs = Vec::new();
    for test in tests {
        for file in fs::read_dir(test?.path())? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some(name) = name.strip_suffix(".log") {
                let kind = name.rsplit('.').next().unwrap_or_default();
                let kind = kind.split('-').next().unwrap_or_default().to_owned();
                logs.push(Log { kind, path });
            }
        }
    }
    logs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(logs)
}

/// One line of a log: values by the names of their columns.
#[derive(Debug, Clone)]
pub struct Row(BTreeMap<String, String>);

impl Log {
    /// The lines of a log.
    pub fn rows(&self) -> Result<Vec<Row>> {
        let text = fs::read_to_string(&self.path).with_context(|| format!("read {}", self.path.display()))?;
        Ok(rows(&self.kind, &text))
    }
}

fn rows(kind: &str, text: &str) -> Vec<Row> {
    let mut columns: Vec<&str> = heading(kind).split(' ').collect();
    let mut rows = Vec::new();
    for line in text.lines() {
        // A test that cuts comments off may have kept the names.
        if let Some(names) =
            line.strip_prefix("#fields\t").or_else(|| line.starts_with("ts\t").then_some(line))
        {
            columns = names.split('\t').collect();
        } else if !line.starts_with('#') && !line.is_empty() {
            let values = columns.iter().zip(line.split('\t'));
            let values = values.map(|(name, value)| ((*name).to_owned(), value.to_owned()));
            rows.push(Row(values.collect()));
        }
    }
    rows
}

/// The first columns of a log without a heading, as its package documents them.
fn heading(kind: &str) -> &'static str {
    match kind {
        // What `zeek-cut` left of it.
        "conn" => "id.orig_h id.orig_p id.resp_h id.resp_p proto service",
        "profinet_io_cm" => {
            "id.orig_h id.orig_p id.resp_h id.resp_p source_h source_p destination_h destination_p proto version \
             packet_type reserved_1 broadcast idempotent maybe no_fack fragment last_fragment cancel reserved_2 \
             byte_order character_encoding floating_point serial object_uuid interface_uuid"
        }
        "hart_ip_universal_commands" => {
            "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto expansion_code expanded_device_type preambles \
             universal_revision device_revision software_revision hardware_revision signalling flag_1 flag_2 flag_3 \
             flag_4 flag_5 flag_6 flag_7 flag_8 device_id"
        }
        "hart_ip_general" => "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto",
        "cip_identity" => {
            "ts uid id.orig_h id.orig_p id.resp_h id.resp_p is_orig source_h source_p destination_h destination_p \
             encapsulation_version socket_address socket_port vendor_id vendor_name device_type_id device_type_name \
             product_code revision device_status serial_number product_name device_state"
        }
        "opcua_binary_get_endpoints_description" | "opcua_binary_create_session_endpoints" => {
            "ts uid id.orig_h id.orig_p id.resp_h id.resp_p is_orig source_h source_p destination_h destination_p \
             endpoint_url application_uri product_uri"
        }
        "opcua_binary_create_session" => {
            "ts uid id.orig_h id.orig_p id.resp_h id.resp_p is_orig source_h source_p destination_h destination_p \
             application_uri product_uri"
        }
        _ => "ts uid id.orig_h id.orig_p id.resp_h id.resp_p",
    }
}

impl Row {
    /// What stands in a column; none where it has no value, and where there is no such column.
    pub fn value(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str).filter(|value| !["-", "(empty)", "<empty>"].contains(value))
    }

    /// Whether the log has a column.
    pub fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// Who began the connection.
    pub fn originator(&self) -> Option<SocketAddr> {
        self.end("id.orig_h", "id.orig_p")
    }

    /// Who was addressed.
    pub fn responder(&self) -> Option<SocketAddr> {
        self.end("id.resp_h", "id.resp_p")
    }

    /// Who sent what the line tells, where a package says so.
    pub fn sender(&self) -> Option<SocketAddr> {
        self.end("source_h", "source_p")
    }

    fn end(&self, address: &str, port: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.value(address)?.parse().ok()?, self.value(port)?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_its_heading_or_by_the_columns_that_its_package_documents() {
        let with = "#separator \\x09\n#fields\tts\tid.resp_h\tid.resp_p\thost\tuser_agent\n1\t10.0.0.1\t80\tpacs\t-\n";
        let [row] = rows("http", with).try_into().expect("one line");
        assert_eq!(row.responder(), "10.0.0.1:80".parse().ok());
        assert_eq!((row.value("host"), row.value("user_agent")), (Some("pacs"), None));
        assert!(row.has("user_agent"));
        let cut = "### Do not edit.\n169.254.216.43\t137\t169.254.255.255\t137\tudp\tdns\n";
        let [row] = rows("conn", cut).try_into().expect("one line");
        assert_eq!(row.originator(), "169.254.216.43:137".parse().ok());
        assert_eq!(row.value("service"), Some("dns"));
    }
}
