//! JA4 fingerprints that stand beside captures, from three implementations: `<capture>.ja4-python.json`,
//! `.ja4-rust.snap.yaml` and `.ja4-wireshark.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::corpus::Capture;

/// What the implementations say of a capture.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// Client's address and fingerprint.
    pub of_clients: BTreeSet<(String, String)>,
    /// Fingerprints of which no address is told.
    pub of_anyone: BTreeSet<String>,
}

/// Reads what stands beside a capture; nothing where nothing does. Of a connection the first ClientHello counts.
pub fn fingerprints(data: &Path, capture: &Capture) -> Result<Fingerprints> {
    let mut found = Fingerprints::default();
    let beside = |kind: &str| {
        let path = data.join("expected").join(format!("{}.{kind}", capture.id));
        let text = path.is_file().then(|| fs::read_to_string(&path));
        text.transpose().with_context(|| format!("read {}", path.display()))
    };
    if let Some(text) = beside("ja4-python.json")? {
        for stream in array(&serde_json::from_str(&text).context("read JA4 of Python")?) {
            // JA4 where the connection had one ClientHello, JA4.1, JA4.2 where it was repeated.
            for name in ["JA4", "JA4.1"] {
                if let (Some(source), Some(ja4)) = (stream["src"].as_str(), stream[name].as_str()) {
                    found.of_clients.insert((source.to_owned(), ja4.to_owned()));
                }
            }
        }
    }
    if let Some(text) = beside("ja4-rust.snap.yaml")? {
        let mut source = "";
        for line in text.lines().map(|line| line.trim_start_matches([' ', '-'])) {
            if let Some(address) = line.strip_prefix("src: ") {
                source = address.trim();
            } else if let Some(ja4) = line.strip_prefix("ja4: ") {
                found.of_clients.insert((source.to_owned(), ja4.trim().to_owned()));
            }
        }
    }
    if let Some(text) = beside("ja4-wireshark.json")? {
        for frame in array(&serde_json::from_str(&text).context("read JA4 of Wireshark")?) {
            let values = array(&frame["_source"]["layers"]["ja4.ja4"]);
            found.of_anyone.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    Ok(found)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
