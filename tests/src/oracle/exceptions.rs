//! Where an oracle and the sensor are known to differ, and why: the files in `tests/exceptions/`.
//!
//! ```toml
//! [[exception]]
//! oracle = "tshark"
//! capture = "infra/zeek__vxlan-encapsulated-http.pcap"
//! rule = "in a tunnel"                                   # all differences that the test calls so, or
//! items = ["tcp 10.0.0.1:80 <-> 10.0.0.2:4321"]          # these, each of which must occur
//! reason = "..."
//! ```
//!
//! An exception that no longer occurs fails the test, so that the file stays true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// One known difference, or several for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    oracle: String,
    capture: String,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    items: Vec<String>,
    reason: String,
}

/// The known differences from one oracle, and which of them were met.
#[derive(Debug)]
pub struct Exceptions {
    exceptions: Vec<Exception>,
    /// Exception and item (none for a rule), by their places.
    met: BTreeSet<(usize, Option<usize>)>,
}

impl Exceptions {
    /// Reads the exceptions from `oracle` in `exceptions/<file>` of this package.
    pub fn read(file: &str, oracle: &str) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text, oracle).with_context(|| format!("read {}", path.display()))
    }

    /// Reads the exceptions from `oracle` in the text of such a file.
    pub fn parse(text: &str, oracle: &str) -> Result<Self> {
        let File { exception: mut exceptions } = toml::from_str(text)?;
        for exception in &exceptions {
            let said = exception.reason.split_whitespace().count() > 3;
            anyhow::ensure!(said, "an exception needs a reason in words: {exception:?}");
            let both_or_neither = exception.rule.is_some() != exception.items.is_empty();
            anyhow::ensure!(!both_or_neither, "either a rule or items: {exception:?}");
        }
        exceptions.retain(|exception| exception.oracle == oracle);
        Ok(Self { exceptions, met: BTreeSet::new() })
    }

    /// Whether this difference is known: by its own name, or by a rule that the test says it falls under.
    pub fn excuse(&mut self, capture: &str, item: &str, rule: Option<&str>) -> bool {
        for (at, exception) in self.exceptions.iter().enumerate() {
            if exception.capture != capture {
                continue;
            }
            if let Some(place) = exception.items.iter().position(|listed| listed == item) {
                self.met.insert((at, Some(place)));
                return true;
            }
            if rule.is_some() && exception.rule.as_deref() == rule {
                self.met.insert((at, None));
                return true;
            }
        }
        false
    }

    /// What the file says and what did not occur.
    pub fn not_met(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (at, exception) in self.exceptions.iter().enumerate() {
            if let Some(rule) = &exception.rule
                && !self.met.contains(&(at, None))
            {
                missing.push(format!("{}: nothing is \"{rule}\"", exception.capture));
            }
            for (place, item) in exception.items.iter().enumerate() {
                if !self.met.contains(&(at, Some(place))) {
                    missing.push(format!("{}: {item}", exception.capture));
                }
            }
        }
        missing
    }
}
