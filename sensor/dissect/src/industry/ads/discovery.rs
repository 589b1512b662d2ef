//! Discovery of TwinCAT systems and adding of routes to them, over UDP: a cookie, the service, and tagged values.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::net_id;
use crate::industry::text::fixed;
use crate::octets::{le16, le32, part, piece};
use crate::{Dissector, Facts, Input, Probe, Progress};

/// The first eight octets of all of these datagrams.
const COOKIE: [u8; 8] = [0x03, 0x66, 0x14, 0x71, 0, 0, 0, 0];

/// Services; the highest bit is set in answers.
const IDENTIFY: u32 = 1;
const ADD_ROUTE: u32 = 6;
const RESPONSE: u32 = 0x8000_0000;

/// Tags.
const PASSWORD: u16 = 2;
const VERSION: u16 = 3;
const OPERATING_SYSTEM: u16 = 4;
const HOST_NAME: u16 = 5;
const USER_NAME: u16 = 13;

/// Most tagged values that are looked at.
const MOST_TAGS: u32 = 32;

pub(super) fn probe(input: &Input<'_>) -> Probe {
    if input.bytes.starts_with(&COOKIE) && input.bytes.len() >= 24 { Probe::Certain } else { Probe::NotForUs }
}

/// Datagrams between two addresses.
#[derive(Debug)]
pub(super) struct Discovery;

impl Dissector for Discovery {
    fn protocol(&self) -> Protocol {
        Protocol::Ads
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if input.bytes.starts_with(&COOKIE) {
            read(input.bytes, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Cookie (8), service (4), NetId (6), port (2), number of tags (4), tags.
fn read(bytes: &[u8], facts: &mut Facts<'_>) -> Option<()> {
    let (service, own) = (le32(bytes, 8)?, piece(bytes, 12)?);
    let tags = tags(bytes.get(20..)?);
    if service & RESPONSE == 0 {
        facts.of_sender(Attribute::Role, "ads-client");
        let has = |wanted| tags.iter().any(|(tag, value)| *tag == wanted && !fixed(value).is_empty());
        if service == ADD_ROUTE && (has(USER_NAME) || has(PASSWORD)) {
            facts.of_receiver(Attribute::CleartextCredential, "ads-route");
        }
        return Some(());
    }
    facts.of_sender(Attribute::Role, "ads-server");
    facts.of_sender(Attribute::AmsNetId, &net_id(own));
    if service == IDENTIFY | RESPONSE {
        for (tag, value) in tags {
            state(tag, value, facts);
        }
    }
    Some(())
}

fn state(tag: u16, value: &[u8], facts: &mut Facts<'_>) -> Option<()> {
    match tag {
        HOST_NAME => facts.of_sender(Attribute::HostName, &fixed(value)),
        VERSION => {
            let ([major, minor], build) = (piece(value, 0)?, le16(value, 2)?);
            facts.of_sender(Attribute::SoftwareName, "TwinCAT");
            facts.of_sender(Attribute::SoftwareVersion, &format!("{major}.{minor}.{build}"));
        }
        // The structure OSVERSIONINFO: its size, major, minor, build, platform (2: Windows NT, 3: Windows CE).
        OPERATING_SYSTEM => {
            let (major, minor, build) = (le32(value, 4)?, le32(value, 8)?, le32(value, 12)?);
            let name = match le32(value, 16)? {
                2 => "Windows",
                3 => "Windows CE",
                _ => return None,
            };
            facts.of_sender(Attribute::OperatingSystem, name);
            facts.of_sender(Attribute::OperatingSystemVersion, &format!("{major}.{minor}.{build}"));
        }
        _ => {}
    }
    Some(())
}

/// How many, then each with its number, length and value. Ends where they do not fit.
fn tags(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let count = le32(bytes, 0).unwrap_or_default().min(MOST_TAGS);
    let mut rest = bytes.get(4..).unwrap_or_default();
    let mut tags = Vec::new();
    for _ in 0..count {
        let (Some(tag), Some(length)) = (le16(rest, 0), le16(rest, 2)) else { break };
        let Some(value) = part(rest, 4, length.into()) else { break };
        tags.push((tag, value));
        rest = rest.get(4 + usize::from(length)..).unwrap_or_default();
    }
    tags
}
