//! `docs/protocols.md`: what is read of each protocol, and what of it is confirmed, by independent tools or by the configuration
//! of the software in the lab. It is made from a comparison with both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use wardwatch_dissect::standard;
use wardwatch_proto::name::{Named as _, protocols};
use wardwatch_proto::v1::{Attribute, Protocol};

use super::configured;
use super::corpus::Capture;
use super::elsewhere::{Elsewhere, Joined, Trial, has_no_port};
use super::statement::{Field, Statement};

/// Captures that are named of one protocol.
const NAMED: usize = 3;

/// Set to `write`, the page is written anew; otherwise it must be what it would be.
const VARIABLE: &str = "WARDWATCH_PROTOCOLS_PAGE";

/// Documents that stand in one message of HTTP, which is what is joined.
const DOCUMENTS: [Protocol; 3] = [Protocol::Fhir, Protocol::Soap, Protocol::Upnp];

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

/// What the sensor states of each protocol, and which of it is confirmed.
#[derive(Debug, Default)]
pub struct Page {
    protocols: BTreeMap<Protocol, Found>,
}

#[derive(Debug, Default)]
struct Found {
    stated: BTreeSet<Attribute>,
    /// What a tool reads as well, in captures that others made.
    read: BTreeSet<Attribute>,
    /// What software in the lab was configured to say.
    configured: BTreeSet<Attribute>,
    /// With how many statements that are confirmed; behind those of others, those of the lab.
    captures: BTreeMap<(Origin, String), usize>,
    /// What is left elsewhere.
    trial: Trial,
}

/// Who made a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Others,
    Lab,
}

impl Page {
    /// Adds what was stated about a capture, and what an oracle reads in it.
    pub fn add(&mut self, capture: &Capture, theirs: &BTreeSet<Statement>, ours: &Elsewhere) -> Result<()> {
        let configured = configured::confirmed(capture, ours.statements())?;
        let origin = if capture.lab.is_some() { Origin::Lab } else { Origin::Others };
        let mut confirmed = BTreeMap::<Protocol, Vec<&Statement>>::new();
        for said in ours.statements() {
            let Field { protocol, attribute } = said.field;
            let found = self.protocols.entry(protocol).or_default();
            found.stated.insert(attribute);
            match origin {
                Origin::Others if theirs.contains(said) => found.read.insert(attribute),
                Origin::Lab if configured.contains(said) => found.configured.insert(attribute),
                _ => continue,
            };
            *found.captures.entry((origin, capture.id.clone())).or_default() += 1;
            confirmed.entry(protocol).or_default().push(said);
        }
        for protocol in ours.protocols() {
            let confirmed = confirmed.get(&protocol).map_or(&[][..], Vec::as_slice);
            let found = self.protocols.entry(protocol).or_default();
            found.trial.add(ours.trial(protocol, confirmed));
        }
        Ok(())
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
        let is_decoded = |protocol: &Protocol| {
            self.protocols.get(protocol).is_some_and(|found| found.is_decoded(*protocol))
        };
        let decoded = all.iter().filter(|(protocol, _)| is_decoded(protocol));
        let _ = writeln!(text, "{} protocols, {} of them decoded.", all.len(), decoded.count());
        for (family, title) in FAMILIES {
            let _ = writeln!(
                text,
                "\n## {title}\n| protocol | defined by | facts | decoded | read by tools | configured | on | on another port | joined in the middle |\n\
                 |---|---|---|---|---|---|---|---|---|"
            );
            for (protocol, standard) in all.iter().filter(|(_, standard)| standard.family == family) {
                let found = self.protocols.get(protocol).unwrap_or(&nothing);
                let decoded = if is_decoded(protocol) { "yes" } else { "recognised only" };
                let [port, joined] = found.elsewhere(*protocol);
                let _ = writeln!(
                    text,
                    "| **{}** `{}` | {} | {} | {decoded} | {} | {} | {} | {port} | {joined} |",
                    standard.title,
                    protocol.name(),
                    standard.documents,
                    names(&found.stated),
                    names(&found.read),
                    names(&found.configured),
                    found.named()
                );
            }
        }
        text
    }
}

impl Found {
    /// A confirmed fact that depends on no port, of a protocol that is found in the middle of a conversation where it lets
    /// itself be.
    fn is_decoded(&self, protocol: Protocol) -> bool {
        let is_anywhere = has_no_port(protocol) || self.trial.is_stated_on_other_ports();
        let is_joined = has_no_port(protocol)
            || DOCUMENTS.contains(&protocol)
            || matches!(self.trial.joined(), Joined::Stated | Joined::Recognised | Joined::NothingLeft);
        let is_confirmed = !self.read.is_empty() || !self.configured.is_empty();
        is_confirmed && is_anywhere && is_joined
    }

    /// The columns on other ports and on joining in the middle; empty for what nobody has recorded.
    fn elsewhere(&self, protocol: Protocol) -> [String; 2] {
        match protocol {
            _ if !self.trial.is_tried() => Default::default(),
            protocol if has_no_port(protocol) => ["none".into(), "none".into()],
            protocol if DOCUMENTS.contains(&protocol) => [self.trial.on_another_port(), "document".into()],
            _ => [self.trial.on_another_port(), self.trial.joined().words().into()],
        }
    }

    /// The captures in which most is confirmed.
    fn named(&self) -> String {
        let mut captures: Vec<_> = self.captures.iter().collect();
        captures.sort_by_key(|((origin, name), count)| (*origin, std::cmp::Reverse(**count), name));
        let named = captures.iter().take(NAMED).map(|((_, name), _)| format!("`{name}`")).collect::<Vec<_>>();
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
are given. Facts are those that were stated about some capture; a dissector may know more.

A fact is **confirmed** in one of two ways. *Read by tools*: tshark or openssl reads it in the same words, in a capture that
this project has not made. *Configured*: real software said it in the lab, whose captures are `own/` and `larkfield/`, and was
configured to: it stands in the hospital's description (`tests/captures/hospital.toml`, `tests/lab/larkfield/hospital.toml`)
about the device with that address, as its setting or as the software's own name. Roles count only where a tool reads them,
and the address by which a device is known counts nowhere.

**On another port**: the same captures again, each port changed into one on which nothing is known to listen. *yes*: every
confirmed fact is stated there too; *yes, 3 of 4*: so many of them; *recognised*: the protocol is found and no such fact comes;
*no*: it is not found; *none*: it is carried without ports.

**Joined in the middle**: on those other ports, and without the beginning of every conversation; on TCP without the handshake and
all up to the first data of either side, these as well, on UDP without the first datagram. *yes*: a confirmed fact comes;
*recognised*: the protocol is found, what tells facts has passed; *one exchange*: no capture has a second one, and the handshake
may be missing; *document*: it stands in one message of HTTP; *opening*: it is found only by its first exchange, of which the
handshake may be missing; *no*: it is not found; *none*: each frame stands alone.

**Decoded** is a protocol with a confirmed fact that comes on another port, and that is found in the middle where there is one.
All others are *recognised only*: their dissectors were tried on bytes that were built from the standard, or on recordings in
which nothing is confirmed. Of protocols without an entry in the last columns there is no recording.

";
