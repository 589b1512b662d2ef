//! What Wireshark has no dissector for, read from the octets that it hands over, and those octets themselves.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::Protocol;

use super::super::tshark::fields::octets;
use super::super::tshark::{Row, fields};
use super::{Device, Kind};

const NAMES: &[&str] = &["ip.src", "ipv6.src", "eth.src", "tcp.payload", "udp.payload"];

/// What a hello of Niagara Fox begins with, and a connect indication of IntelliVue.
pub(super) const MARKS: [&[u8]; 2] = [b"fox a ", CONNECT_INDICATION];
const CONNECT_INDICATION: &[u8] = &[0, 0, 1, 0, 0, 1];

/// Lines of a hello in Niagara Fox: the program, its version, the system's, the licensed host's number, the brand.
const OF_FOX: &[(&str, Kind)] = &[
    ("app.name=s:", Kind::Model),
    ("app.version=s:", Kind::Version),
    ("os.version=s:", Kind::Version),
    ("hostId=s:", Kind::SerialNumber),
    ("brandId=s:", Kind::Manufacturer),
];

/// Everything that each address has sent over TCP and UDP, in the order of the capture.
#[derive(Debug, Default)]
pub struct Sent(BTreeMap<String, Vec<u8>>);

impl Sent {
    /// Reads a capture.
    pub fn read(capture: &Path) -> Result<Self> {
        let mut sent = BTreeMap::<String, Vec<u8>>::new();
        for row in fields(capture, &["-Y", "tcp.len > 0 || udp.length > 8"], NAMES)?.rows() {
            for payload in payloads(row) {
                sent.entry(source(row).to_owned()).or_default().extend_from_slice(&payload);
            }
        }
        Ok(Self(sent))
    }

    /// Whether an address has sent this text: in UTF-8 (or ASCII), Latin-1, or UTF-16 in either order of octets.
    pub fn has(&self, address: &str, text: &str) -> bool {
        let Some(sent) = self.0.get(address) else { return false };
        let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let forms = [Some(text.as_bytes().to_vec()), latin, Some(little), Some(big)];
        forms.into_iter().flatten().any(|form| find(sent, &form).is_some())
    }
}

pub(super) fn read(capture: &Path) -> Result<Vec<Device>> {
    let filter = "tcp.payload contains \"fox a \" || udp.port == 24005";
    let mut devices = Vec::new();
    for row in fields(capture, &["-Y", filter], NAMES)?.rows() {
        for payload in payloads(row) {
            devices.push(fox(source(row), &payload));
            devices.push(intellivue(source(row), &payload));
        }
    }
    Ok(devices)
}

fn source(row: Row<'_>) -> &str {
    ["ip.src", "ipv6.src", "eth.src"].iter().find_map(|name| row.all(name).last()).unwrap_or_default()
}

fn payloads(row: Row<'_>) -> impl Iterator<Item = Vec<u8>> {
    row.all("tcp.payload").chain(row.all("udp.payload")).filter_map(octets)
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len().max(1)).position(|window| window == wanted)
}

fn fox(source: &str, payload: &[u8]) -> Device {
    let mut device = Device::new(Protocol::NiagaraFox, source);
    let text = String::from_utf8_lossy(payload);
    let hello = text.split_once(" fox hello\n").map_or("", |(_, hello)| hello);
    for line in hello.lines() {
        for (key, kind) in OF_FOX {
            device.say(*kind, line.strip_prefix(key).unwrap_or_default());
        }
    }
    device
}

/// Attributes of a connect indication (Data Export Interface, "Attribute Data Types"): the model, which is maker and
/// number, each behind its length; the production specification, whose entries are a kind, a component and a text.
fn intellivue(source: &str, payload: &[u8]) -> Device {
    let mut device = Device::new(Protocol::Intellivue, source);
    if !payload.starts_with(CONNECT_INDICATION) {
        return device;
    }
    let word = |at: usize| {
        let octets = payload.get(at..at + 2).and_then(|octets| octets.try_into().ok());
        octets.map_or(0, |octets| usize::from(u16::from_be_bytes(octets)))
    };
    let text = |at: usize| {
        let octets = payload.get(at + 2..at + 2 + word(at)).unwrap_or_default();
        let printed: Vec<u8> =
            octets.iter().copied().take_while(|octet| matches!(octet, b' '..=b'~')).collect();
        String::from_utf8(printed).unwrap_or_default()
    };
    if let Some(model) = find(payload, &[0x09, 0x28]) {
        device.say(Kind::Manufacturer, &text(model + 4));
        device.say(Kind::Model, &text(model + 6 + word(model + 4)));
    }
    if let Some(specification) = find(payload, &[0x09, 0x2D]) {
        let mut at = specification + 8;
        for _ in 0..word(specification + 4) {
            let kind = match word(at) {
                1 => Some(Kind::SerialNumber),
                2 => Some(Kind::Model),
                3..=5 => Some(Kind::Version),
                _ => None,
            };
            let value = text(at + 4);
            if let Some(kind) = kind.filter(|_| value.bytes().any(|byte| byte.is_ascii_alphanumeric())) {
                device.say(kind, &value);
            }
            at += 6 + word(at + 4);
        }
    }
    device
}
