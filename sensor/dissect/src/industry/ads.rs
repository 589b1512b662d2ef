//! Beckhoff ADS over AMS/TCP, and the discovery of TwinCAT systems over UDP (Beckhoff Information System, "ADS/AMS
//! specification" TE1000; the discovery's layout is that which open drivers read).
//!
//! Stated are who asks and who answers, who writes, the answer to ReadDeviceInfo (name and version of the server), the
//! AMS NetId of a system that answers for itself and what its target description says (model, serial number, versions),
//! and of discovery host name, TwinCAT version and operating system. A
//! request to add a route carries a user's name and password in clear: that it does is stated, and neither of them.
//!
//! The traps. One TCP connection carries messages of several AMS ports and of systems behind the one that it ends at:
//! only a NetId that ends in 1.1 is of a system itself, others are of its buses. Discovery is answered to any port.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::once::Once;
use super::text::fixed;
use crate::octets::{le16, le32, part, piece};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod discovery;
mod target;

/// AMS/TCP on any port.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Ads, probe, start: || Box::new(Ads::default()) };

/// Discovery on any UDP port.
pub(crate) const DISCOVERY: Candidate =
    Candidate { protocol: Protocol::Ads, probe: discovery::probe, start: || Box::new(discovery::Discovery) };

/// Reserved (2) and length (4); target, source, command, flags, length, error, invocation.
const TCP_HEADER: usize = 6;
const HEADER: usize = 32;

/// The longest message that is read; the rest of longer ones is skipped.
const LONGEST: usize = 64 * 1024;
const LONGEST_POSSIBLE: usize = 16 * 1024 * 1024;

/// Commands.
const READ_DEVICE_INFO: u16 = 1;
const READ: u16 = 2;
const WRITE: u16 = 3;
const WRITE_CONTROL: u16 = 5;

/// State flags: a response, and an ADS command; both sides set the latter.
const RESPONSE: u16 = 0x0001;
const ADS_COMMAND: u16 = 0x0004;

const CLIENT: u32 = 0;
const SERVER: u32 = 1;
const WRITER: u32 = 2;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message<'a> {
    source: [u8; 6],
    command: u16,
    is_response: bool,
    data: &'a [u8],
}

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame<'a> {
    Whole(Message<'a>, usize),
    /// A message of this length that is not read.
    Long(usize),
    Partial,
    Other,
}

fn read(bytes: &[u8]) -> Frame<'_> {
    if bytes.iter().take(2).any(|octet| *octet != 0) {
        return Frame::Other;
    }
    let Some(length) = le32(bytes, 2).map(|length| length as usize) else { return Frame::Partial };
    if !(HEADER..=LONGEST_POSSIBLE).contains(&length) {
        return Frame::Other;
    }
    let Some(header) = part(bytes, TCP_HEADER, HEADER) else { return Frame::Partial };
    let (Some(source), Some(command), Some(flags), Some(data)) =
        (piece(header, 8), le16(header, 16), le16(header, 18), le32(header, 20))
    else {
        return Frame::Other;
    };
    let is_possible =
        (1..=9).contains(&command) && flags & !0x00C1 == ADS_COMMAND && data as usize == length - HEADER;
    if !is_possible {
        return Frame::Other;
    }
    if length > LONGEST {
        return Frame::Long(TCP_HEADER + length);
    }
    match part(bytes, TCP_HEADER + HEADER, length - HEADER) {
        Some(data) => {
            let message = Message { source, command, is_response: flags & RESPONSE != 0, data };
            Frame::Whole(message, TCP_HEADER + length)
        }
        None => Frame::Partial,
    }
}

/// Two lengths that agree, a command and flags: certain as soon as the header is there.
fn probe(input: &Input<'_>) -> Probe {
    match read(input.bytes) {
        Frame::Other => Probe::NotForUs,
        _ if input.bytes.len() < TCP_HEADER + HEADER => Probe::Unsure,
        _ => Probe::Certain,
    }
}

/// One connection.
#[derive(Debug, Default)]
struct Ads {
    lost: [bool; 2],
    stated: Once,
    /// The NetId of the system that answered first.
    system: Option<String>,
}

impl Dissector for Ads {
    fn protocol(&self) -> Protocol {
        Protocol::Ads
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Long(length) => Progress::Consumed(length),
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not an AMS/TCP header"),
            Frame::Whole(message, length) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                self.message(&message, facts);
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        true
    }
}

impl Ads {
    fn message(&mut self, message: &Message<'_>, facts: &mut Facts<'_>) {
        let mut role = |number, role| {
            let is_first = self.stated.first(number);
            if is_first {
                facts.of_sender(Attribute::Role, role);
            }
            is_first
        };
        if !message.is_response {
            role(CLIENT, "ads-client");
            if matches!(message.command, WRITE | WRITE_CONTROL) {
                role(WRITER, "ads-writer");
            }
            return;
        }
        if role(SERVER, "ads-server") {
            // Of the first that answers: a system has one NetId, and one line of a flow is enough.
            if let [.., 1, 1] = message.source {
                let net_id = net_id(message.source);
                facts.of_sender(Attribute::AmsNetId, &net_id);
                self.system = Some(net_id);
            }
        }
        match (message.command, &self.system) {
            (READ_DEVICE_INFO, _) => device_info(message.data, facts),
            (READ, Some(system)) => target::state(message.data, system, facts),
            _ => {}
        }
    }
}

/// Result (4), major, minor, build (2), name (16, of which some leave out what is behind its end).
fn device_info(data: &[u8], facts: &mut Facts<'_>) {
    let (Some(0), Some([major, minor]), Some(build)) = (le32(data, 0), piece(data, 4), le16(data, 6)) else {
        return;
    };
    let name = data.get(8..data.len().min(24)).map(fixed).unwrap_or_default();
    if !name.is_empty() {
        facts.of_sender(Attribute::SoftwareName, &name);
        facts.of_sender(Attribute::SoftwareVersion, &format!("{major}.{minor}.{build}"));
    }
}

/// `5.13.117.96.1.1`.
fn net_id(octets: [u8; 6]) -> String {
    octets.map(|octet| octet.to_string()).join(".")
}

#[cfg(test)]
mod tests;
