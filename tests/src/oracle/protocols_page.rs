//! `docs/protocols.md`: what is read of each protocol, and what independent tools confirm, made from a comparison with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use wardwatch_dissect::standard;
use wardwatch_proto::name::{Named as _, protocols};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::corpus::Capture;
use super::statement::{Field, Statement};

/// Captures that are named of one protocol.
const NAMED: usize = 3;

/// Set to `write`, the page is written anew; otherwise it must be what it would be.
const VARIABLE: &str = "WARDWATCH_PROTOCOLS_PAGE";

/// The order of the families.
const FAMILIES: [(&str, &str); 7] = [
    ("medical", "Medical"),
    ("building", "Building"),
    ("industry", "Industry"),
    ("network", "The network itself"),
    ("access", "Log-ins, directories, files"),
    ("media", "Voice, video, print, messages"),
    ("web", "The web"),
];

/// What the sensor states of each protocol, and which of it somebody else reads as well.
#[derive(Debug, Default)]
pub struct Page {
    protocols: BTreeMap<Protocol, Found>,
}

#[derive(Debug, Default)]
struct Found {
    stated: BTreeSet<Attribute>,
    confirmed: BTreeSet<Attribute>,
    /// With how many statements that agree.
    captures: BTreeMap<String, usize>,
}

impl Page {
    /// Adds what was stated about a capture, and what an oracle reads in it.
    pub fn add(&mut self, capture: &Capture, theirs: &BTreeSet<Statement>, ours: &BTreeSet<Statement>) {
        // What the project recorded itself confirms nothing.
        let is_others = capture.area != "own";
        for said in ours {
            let Field { protocol, attribute } = said.field;
            let found = self.protocols.entry(protocol).or_default();
            found.stated.insert(attribute);
            if is_others && theirs.contains(said) {
                found.confirmed.insert(attribute);
                *found.captures.entry(capture.id.clone()).or_default() += 1;
            }
        }
    }

    /// Holds it against `docs/protocols.md`, or writes that anew where the variable says so.
    pub fn check(&self) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocols.md");
        let text = self.text();
        if env::var(VARIABLE).is_ok_and(|value| value == "write") {
            return fs::write(&path, text).with_context(|| format!("write {}", path.display()));
        }
        let known = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let differs = text.lines().zip(known.lines()).find(|(new, old)| new != old);
        ensure!(
            text == known,
            "docs/protocols.md is out of date, first at {differs:?}: set {VARIABLE}=write and run this test"
        );
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = INTRODUCTION.to_owned();
        let all: Vec<_> = protocols().filter_map(|protocol| Some((protocol, standard(protocol)?))).collect();
        let nothing = Found::default();
        let decoded = all.iter().filter(|(protocol, _)| {
            self.protocols.get(protocol).is_some_and(|found| !found.confirmed.is_empty())
        });
        let _ = writeln!(text, "{} protocols, {} of them decoded.", all.len(), decoded.count());
        for (family, title) in FAMILIES {
            let _ = writeln!(
                text,
                "\n## {title}\n| protocol | defined by | facts | confirmed by others | on |\n|---|---|---|---|---|"
            );
            for (protocol, standard) in all.iter().filter(|(_, standard)| standard.family == family) {
                let found = self.protocols.get(protocol).unwrap_or(&nothing);
                let confirmed = if found.confirmed.is_empty() {
                    "recognised only".to_owned()
                } else {
                    names(&found.confirmed)
                };
                let _ = writeln!(
                    text,
                    "| **{}** `{}` | {} | {} | {confirmed} | {} |",
                    standard.title,
                    protocol.name(),
                    standard.documents,
                    names(&found.stated),
                    found.named()
                );
            }
        }
        text
    }
}

impl Found {
    /// The captures in which most is confirmed.
    fn named(&self) -> String {
        let mut captures: Vec<_> = self.captures.iter().collect();
        captures.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let named = captures.iter().take(NAMED).map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>();
        match captures.len().checked_sub(NAMED) {
            Some(more @ 1..) => format!("{}, {more} more", named.join(", ")),
            _ => named.join(", "),
        }
    }
}

fn names(attributes: &BTreeSet<Attribute>) -> String {
    let names: BTreeSet<_> = attributes.iter().map(|attribute| attribute.name()).collect();
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

const INTRODUCTION: &str = "\
# Protocols

What the sensor recognises by content, on any port, and what it states. This page is made by the test
`sensor_agrees_on_fields`, which fails when it is out of date, from what the sensor states about all captures that the tests
are given and what tshark and openssl read in them.

**Confirmed** is a fact that one of them reads in the same words, in a capture that this project has not made. A protocol
without such a fact is *recognised only*: its dissector was tried on bytes that were built from the standard, or on recordings
that nobody else reads. Facts are those that were stated about some capture; a dissector may know more.

";
