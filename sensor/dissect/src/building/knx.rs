//! KNXnet/IP (ISO 22510; KNX Standard 3/8/1 to 3/8/5, 3/8/9 for KNX IP Secure) over UDP and TCP.
//!
//! Servers (interfaces, routers and devices on IP) describe themselves to tools that search: maker, serial number, individual
//! address on the bus, MAC address, and the name that the installer gave them. A search alone says that a tool is
//! there and proves nothing about any device. Telegrams of the bus are not read: who turned on which light is no identity.

use wardwatch_proto::address::mac_text;
use wardwatch_proto::v1::{Attribute, Protocol};

use self::frame::{Frame, Read};
use crate::octets::{be16, piece};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, scope};

mod frame;

/// KNXnet/IP on any UDP port.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::KnxnetIp,
    probe: probe_datagram,
    start: || Box::new(Knx { is_stream: false, ..Knx::default() }),
};

/// KNXnet/IP on any TCP port.
pub(crate) const OVER_TCP: Candidate = Candidate {
    protocol: Protocol::KnxnetIp,
    probe: probe_stream,
    start: || Box::new(Knx { is_stream: true, ..Knx::default() }),
};

/// Description blocks of one answer that are read.
const MOST_BLOCKS: usize = 16;

fn probe_datagram(input: &Input<'_>) -> Probe {
    match frame::read(input.bytes) {
        Read::Frame(_, length) if length == input.bytes.len() => Probe::Certain,
        _ => Probe::NotForUs,
    }
}

fn probe_stream(input: &Input<'_>) -> Probe {
    match frame::read(input.bytes) {
        Read::Frame(..) => Probe::Certain,
        Read::NeedMore => Probe::Unsure,
        Read::Other => Probe::NotForUs,
    }
}

/// One flow.
#[derive(Debug, Default)]
struct Knx {
    is_stream: bool,
    /// For each side, what was stated of it already: a tunnel carries telegrams all day.
    told: [Told; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    role: bool,
    secure: bool,
}

impl Dissector for Knx {
    fn protocol(&self) -> Protocol {
        Protocol::KnxnetIp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match frame::read(input.bytes) {
            Read::Frame(frame, length) => {
                self.frame(&frame, input.direction, facts);
                Progress::Consumed(length)
            }
            Read::NeedMore if self.is_stream => Progress::NeedMore,
            _ if self.is_stream => {
                // Behind a hole: on to what may be the next header.
                let rest = input.bytes.get(1..).unwrap_or_default();
                let next = rest.iter().position(|byte| *byte == frame::HEADER_LENGTH);
                Progress::Consumed(1 + next.unwrap_or(rest.len()))
            }
            _ => Progress::Consumed(input.bytes.len()),
        }
    }

    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        true
    }
}

impl Knx {
    fn frame(&mut self, frame: &Frame<'_>, direction: Direction, facts: &mut Facts<'_>) {
        let Some(told) = self.told.get_mut(direction.index()) else { return };
        if frame.is_secure() && !told.secure {
            told.secure = true;
            facts.of_sender(Attribute::KnxSecure, "true");
        }
        if let Some(role) = frame.role().filter(|_| !told.role) {
            told.role = true;
            facts.of_sender(Attribute::Role, role);
        }
        match frame.service {
            frame::SEARCH_RESPONSE | frame::SEARCH_RESPONSE_EXTENDED => {
                // The control endpoint stands before.
                description(frame.body.get(8..).unwrap_or_default(), facts);
            }
            frame::DESCRIPTION_RESPONSE => description(frame.body, facts),
            // Connection header (four octets), feature 4, the manufacturer's code, success (3/8/4, 4.4.8).
            frame::FEATURE_RESPONSE => {
                if let Some([4, 0, high, low]) = piece(frame.body, 4) {
                    manufacturer(u16::from_be_bytes([high, low]), facts);
                }
            }
            _ => {}
        }
    }
}

/// Description information blocks (3/8/2, 7.5.4): length, type, content.
fn description(mut bytes: &[u8], facts: &mut Facts<'_>) {
    let mut medium = None;
    for _ in 0..MOST_BLOCKS {
        let Some([length, kind]) = piece(bytes, 0) else { return };
        let Some((block, rest)) = bytes.split_at_checked(usize::from(length)) else { return };
        let Some(content) = block.get(2..) else { return };
        match kind {
            0x01 => medium = device(content, facts),
            0x02 => families(content, medium, facts),
            0x06 if !content.is_empty() => facts.of_sender(Attribute::KnxSecure, "true"),
            0xFE => {
                if let Some(code) = be16(content, 0) {
                    manufacturer(code, facts);
                }
            }
            _ => {}
        }
        bytes = rest;
    }
}

/// Device information: medium, status, individual address, project, serial number, multicast address, MAC address, name.
fn device(content: &[u8], facts: &mut Facts<'_>) -> Option<&'static str> {
    let (&[medium, _status, a0, a1, _, _], rest) = content.split_first_chunk::<6>()?;
    let (serial, rest) = rest.split_first_chunk::<6>()?;
    let (_multicast, rest) = rest.split_first_chunk::<4>()?;
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    let name = rest.first_chunk::<30>()?;
    let medium = match medium {
        0x02 => Some("tp1"),
        0x04 => Some("pl110"),
        0x10 => Some("rf"),
        0x20 => Some("ip"),
        _ => None,
    };
    if let Some(medium) = medium {
        facts.of_sender(Attribute::KnxMedium, medium);
    }
    let address = u16::from_be_bytes([a0, a1]);
    // 15.15.255 is that of a device which was not set up.
    if !matches!(address, 0 | 0xFFFF) {
        let [area, line, device] = [address >> 12, address >> 8 & 0xF, address & 0xFF];
        facts.of_sender(Attribute::KnxIndividualAddress, &format!("{area}.{line}.{device}"));
    }
    if !matches!(serial, [0, 0, 0, 0, 0, 0] | [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) {
        // As tools print it and as it stands on the device: the maker's code, and the number.
        let [m0, m1, n0, n1, n2, n3] = serial;
        let serial = format!("{m0:02X}{m1:02X}:{n0:02X}{n1:02X}{n2:02X}{n3:02X}");
        facts.of_sender(Attribute::SerialNumber, &serial);
    }
    if scope::is_one_device(*mac) {
        facts.of_sender(Attribute::MacAddress, &mac_text(mac));
    }
    // ISO 8859-1, padded with NUL.
    let name: String = name.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    facts.of_sender(Attribute::Description, &name);
    medium
}

/// Families of services with their versions. Who routes and stands on another medium than IP is a router.
fn families(content: &[u8], medium: Option<&str>, facts: &mut Facts<'_>) {
    const ROUTING: u8 = 0x05;
    let routes = content.as_chunks::<2>().0.iter().any(|[family, _version]| *family == ROUTING);
    if routes && medium.is_some_and(|medium| medium != "ip") {
        facts.of_sender(Attribute::Role, "knx-router");
    }
}

fn manufacturer(code: u16, facts: &mut Facts<'_>) {
    if !matches!(code, 0 | 0xFFFF) {
        facts.of_sender(Attribute::KnxManufacturerId, &code.to_string());
    }
}

#[cfg(test)]
mod tests;
