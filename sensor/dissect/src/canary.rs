//! Streams that carry a recognisable token, a canary, wherever nothing may come out: what tests at every level feed
//! to a sensor, and then look for the tokens in whatever leaves it.
//!
//! There are two kinds. In the first, every field, element, component, header and body of a protocol that is not on
//! the list of identity fields holds a canary that would fit a grammar, and the listed ones hold control values, which
//! must come through: a sensor that states nothing passes no test. In the second, each listed field in turn holds a
//! canary inside a value that breaks the grammar of its attribute, in the shapes that carry people's names.
//!
//! The lists of identity fields are written here once more, by the standards, and not taken from the dissectors:
//! a field that a dissector reads without being listed here lets a canary out.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;

use wardwatch_proto::v1::Attribute;

use crate::{Carrier, Direction};

mod access;
mod astm;
mod bacnet;
mod bcc;
mod databases;
mod dhcp;
pub(crate) mod dicom;
mod documents;
mod fox;
mod hl7;
mod http;
mod industry;
mod management;
mod mds;
mod media;
mod medibus;
mod neighbour;
mod paging;
mod poct1;
mod remote;
mod sccp;
mod smb;
mod unity;
mod ws_discovery;

/// What carries a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One connection; where the bytes are cut makes no difference.
    Tcp,
    /// Each turn is one datagram.
    Udp,
    /// Each turn is one frame with this header.
    Link(Carrier),
}

/// Bytes of one side, sent when those of the turns before have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who sends them.
    pub direction: Direction,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One flow.
#[derive(Clone, Debug)]
pub struct CanaryStream {
    /// What it is: `hl7 PID and others`.
    pub name: String,
    /// How it is carried.
    pub transport: Transport,
    /// The responder's port; the dissectors do not depend on it.
    pub port: u16,
    /// Both sides' bytes in order.
    pub turns: Vec<Turn>,
    /// The tokens in it, in every form in which they would show, whatever the case of letters.
    pub canaries: Vec<String>,
    /// What must be stated of it, whomever it describes.
    pub expected: Vec<(Attribute, String)>,
}

impl CanaryStream {
    /// The address that the initiator has to have, where it says it in what it sends.
    pub fn initiator(&self) -> Option<Ipv4Addr> {
        let numbers = [("unity", 1), ("radius", 2), ("ws-discovery", 3)];
        let number = numbers.into_iter().find(|(name, _)| self.name.starts_with(name));
        number.map(|(_, number)| Ipv4Addr::new(10, 73, 0, number))
    }

    /// All bytes of one side.
    pub fn bytes(&self, direction: Direction) -> Vec<u8> {
        self.turns
            .iter()
            .filter(|turn| turn.direction == direction)
            .flat_map(|turn| turn.bytes.clone())
            .collect()
    }

    /// A canary that stands in these bytes, in any case of letters.
    pub fn canary_in(&self, bytes: &[u8]) -> Option<String> {
        let mut by_length: BTreeMap<usize, HashSet<Vec<u8>>> = BTreeMap::new();
        for canary in &self.canaries {
            by_length.entry(canary.len()).or_default().insert(canary.to_ascii_lowercase().into_bytes());
        }
        let folded = bytes.to_ascii_lowercase();
        by_length
            .iter()
            .filter(|(length, _)| **length > 0)
            .find_map(|(length, canaries)| folded.windows(*length).find(|window| canaries.contains(*window)))
            .map(|found| String::from_utf8_lossy(found).into_owned())
    }
}

/// Every stream there is.
pub fn streams() -> impl Iterator<Item = CanaryStream> {
    [
        access::streams(),
        astm::streams(),
        bacnet::streams(),
        bcc::streams(),
        databases::streams(),
        dhcp::streams(),
        dicom::streams(),
        documents::streams(),
        fox::streams(),
        hl7::streams(),
        http::streams(),
        industry::streams(),
        management::streams(),
        mds::streams(),
        media::streams(),
        medibus::streams(),
        neighbour::streams(),
        paging::streams(),
        poct1::streams(),
        remote::streams(),
        sccp::streams(),
        smb::streams(),
        unity::streams(),
        ws_discovery::streams(),
    ]
    .into_iter()
    .flatten()
}

/// Makes canaries, each a different one, and remembers them.
#[derive(Debug, Default)]
struct Mint {
    canaries: Vec<String>,
}

/// Shapes that break every grammar of text, around a canary: a person's name, one with its ideographic form, a
/// delimited record, a mail address.
const BREAKERS: [&str; 4] = ["{}^DOE", "DOE={}", "{}|19700101", "{}@example.org"];

impl Mint {
    /// A canary of letters and digits, which fits the grammars of names, numbers and versions.
    fn token(&mut self) -> String {
        let token = format!("CANARY{:06}X", self.canaries.len());
        self.canaries.push(token.clone());
        token
    }

    /// A canary in the shape of an object identifier.
    fn uid(&mut self) -> String {
        let arc = format!("77{:06}33", self.canaries.len());
        self.canaries.push(arc.clone());
        format!("2.25.{arc}")
    }

    /// A canary in the shape of a date, `YYYYMMDD`, in years in which nothing was made that is in use.
    fn date(&mut self) -> String {
        let (year, month, day) = (1801 + self.canaries.len() / 28 % 60, 10, 1 + self.canaries.len() % 28);
        self.canaries.push(format!("{year}-{month}-{day:02}"));
        let date = format!("{year}{month}{day:02}");
        self.canaries.push(date.clone());
        date
    }

    /// A canary within a value that breaks grammars.
    fn broken(&mut self, shape: &str) -> String {
        shape.replace("{}", &self.token())
    }
}

fn from_initiator(bytes: Vec<u8>) -> Turn {
    Turn { direction: Direction::FromInitiator, bytes }
}

fn from_responder(bytes: Vec<u8>) -> Turn {
    Turn { direction: Direction::FromResponder, bytes }
}

/// Text in UTF-16, the least significant octet first, as Windows has it.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests;
