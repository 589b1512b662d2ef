//! Syslog: the old form (RFC 3164) and the new one (RFC 5424), in datagrams (RFC 5426) and over TCP (RFC 6587), on any port.
//!
//! Host and application are stated when they have the shape of a host's name; never the message, nor its structured data.
//! Of network equipment stand the system and the unit's number that the form of the message tells ([`makers`]). The
//! host is the origin's. It is the sender's too unless the sender passes on what others say, which shows when a second host
//! comes the same way: then the sender is a relay, and nothing more is said of it.
//!
//! Traps: hosts may be missing in the old form, and a word of the message stands there instead ("last message repeated"), so
//! a host counts only with an application behind it; and who logs by hand (`logger`) does so under the name of the user, so
//! applications of the facility "user" are not stated.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::header::{Form, Header, header};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod header;
mod makers;

/// Syslog in datagrams.
pub(crate) const OVER_UDP: Candidate =
    Candidate { protocol: Protocol::Syslog, probe: probe_datagram, start: || Box::new(OverUdp::default()) };

/// Syslog on TCP.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Syslog, probe: probe_stream, start: || Box::new(OverTcp::default()) };

/// Both forms are used without a time by devices, which leaves little to recognise: then the port must agree, or all of a
/// datagram be text.
const PORT: u16 = 514;

/// Octets of text that are no accident, the priority counted.
const SHORTEST_TEXT: usize = 16;

/// Octets that the header of a message takes at most, and that are looked at.
const LONGEST_HEADER: usize = 512;

/// The longest message over TCP; beyond, it is something else.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Messages of one TCP connection that are read: who relays has shown it by then.
const MOST_MESSAGES: u32 = 256;

fn probe_datagram(input: &Input<'_>) -> Probe {
    match header(input.bytes) {
        Some(Header { form: Form::Other, .. }) if input.receiver.port != PORT && !is_text(input.bytes) => {
            Probe::NotForUs
        }
        Some(_) => Probe::Certain,
        None => Probe::NotForUs,
    }
}

/// Whether there is nothing but text, and behind it at most what ends a line or a string.
fn is_text(bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).unwrap_or_default().trim_end_matches(['\r', '\n', '\0']);
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    text.len() >= SHORTEST_TEXT && !text.contains(is_control)
}

fn probe_stream(input: &Input<'_>) -> Probe {
    let message = match frame(input.bytes) {
        Some(Frame { begins, .. }) => input.bytes.get(begins..).unwrap_or_default(),
        None => return Probe::NotForUs,
    };
    match header(message) {
        Some(Header { form: Form::Other, .. }) | None if message.len() < 40 => Probe::Unsure,
        Some(Header { form: Form::Old | Form::New, .. }) => Probe::Certain,
        _ => Probe::NotForUs,
    }
}

/// Who was said to be the origin so far.
#[derive(Debug, Default)]
struct Origins {
    first: Option<String>,
    is_relay: bool,
}

impl Origins {
    fn state(&mut self, header: &Header<'_>, message: &[u8], input: &Input<'_>, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::Role, "syslog-sender");
        if let Some(system) = makers::system(message).filter(|_| !self.is_relay) {
            facts.of_sender(Attribute::OperatingSystem, system.name);
            if let Some(model) = system.model {
                facts.of_sender(Attribute::Model, model);
            }
            if let Some(serial) = system.serial {
                facts.of_sender(Attribute::SerialNumber, serial);
            }
        }
        let Some(host) = header.host.filter(|_| !self.is_relay) else { return };
        let is_first = match &self.first {
            Some(first) => first.eq_ignore_ascii_case(host),
            None => true,
        };
        let is_others = host.parse().is_ok_and(|address| Some(address) != input.sender.ip);
        if !is_first || is_others {
            self.is_relay = true;
            return facts.of_sender(Attribute::Role, "syslog-relay");
        }
        self.first.get_or_insert_with(|| host.to_owned());
        if host.parse::<std::net::IpAddr>().is_err() {
            facts.of_sender(Attribute::HostName, host);
        }
        if let Some(application) = header.application.filter(|_| !header.is_of_user) {
            facts.of_sender(Attribute::SoftwareName, application);
        }
    }
}

#[derive(Debug, Default)]
struct OverUdp {
    origins: [Origins; 2],
}

impl Dissector for OverUdp {
    fn protocol(&self) -> Protocol {
        Protocol::Syslog
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(header) = header(input.bytes)
            && let Some(origins) = self.origins.get_mut(input.direction.index())
        {
            origins.state(&header, input.bytes, input, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[derive(Debug, Default)]
struct OverTcp {
    origins: Origins,
    messages: u32,
    /// Behind a hole a message begins at some line.
    is_lost: bool,
}

impl Dissector for OverTcp {
    fn protocol(&self) -> Protocol {
        Protocol::Syslog
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        // Nothing comes back (RFC 6587, 3).
        if input.direction == Direction::FromResponder {
            return Progress::Consumed(input.bytes.len());
        }
        if self.is_lost {
            let line = input.bytes.iter().position(|byte| *byte == b'\n');
            self.is_lost = line.is_none();
            return Progress::Consumed(line.map_or(input.bytes.len(), |line| line + 1));
        }
        let Some(Frame { begins, length }) = frame(input.bytes) else {
            return Progress::Broken("no syslog message behind another");
        };
        let Some(length) = length.filter(|length| *length <= LONGEST_MESSAGE) else {
            let is_too_long = length.is_some() || input.bytes.len() > LONGEST_MESSAGE;
            return if is_too_long {
                Progress::Broken("syslog message too long")
            } else {
                Progress::NeedMore
            };
        };
        let Some(message) = input.bytes.get(begins..begins + length) else { return Progress::NeedMore };
        if let Some(header) = header(message) {
            // A connection needs somebody at its other end.
            facts.of_receiver(Attribute::Role, "syslog-server");
            self.origins.state(&header, message, input, facts);
        }
        self.messages += 1;
        if self.messages >= MOST_MESSAGES { Progress::Done } else { Progress::Consumed(begins + length) }
    }

    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        self.is_lost = true;
        true
    }
}

/// Where the next message begins, and its length with what ends it, when that is known.
struct Frame {
    begins: usize,
    length: Option<usize>,
}

/// Messages have their length before them, or an end of line behind them (RFC 6587, 3.4).
fn frame(bytes: &[u8]) -> Option<Frame> {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | 0)).count();
    let rest = bytes.get(blank..)?;
    let digits = rest.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    match rest.get(digits) {
        Some(b'<') if digits == 0 => {
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | 0));
            Some(Frame { begins: blank, length: end.map(|end| end + 1) })
        }
        Some(b' ') if (1..=6).contains(&digits) => {
            let length = str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
            Some(Frame { begins: blank + digits + 1, length: Some(length) })
        }
        None if digits < 7 => Some(Frame { begins: bytes.len(), length: None }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
