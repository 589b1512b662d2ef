//! MQTT 3.1, 3.1.1 and 5.0 on TCP (OASIS) on any port: sensors, gateways, and the brokers between them.
//!
//! Stated are who is client and broker, the version, that a name and a password were sent in clear, whether they are those of a
//! manual, that the log-in was refused, and the client's name where a hardware address stands in it. Other names of clients may be
//! people's or made up for an hour, and are not stated; nor are topics, wills, properties and what is published. All there is
//! stands in CONNECT and its answer; behind them the flow is let go of. One that is joined behind them is recognised by the
//! names of topics, and tells who subscribes.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be16, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials, scope};

mod joined;

/// MQTT on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Mqtt, probe, start: || Box::new(Mqtt::default()) };

/// Types of packets (5.0, 2.1.2), in the upper half of the first octet.
const CONNECT: u8 = 1;
const CONNACK: u8 = 2;
const AUTH: u8 = 15;

/// Flags of CONNECT (5.0, 3.1.2.3).
const RESERVED: u8 = 1;
const WILL: u8 = 4;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

/// Octets of CONNECT that are read; beyond them only a will can make it long.
const LONGEST: usize = 128 * 1024;

/// Beginnings of names that programs make up at each start.
const MADE_UP: [&str; 7] = ["mqttjs", "mqttx", "mqtt-explorer", "paho", "mosq", "auto", "mqttui"];

#[derive(Default)]
struct Mqtt {
    client: Option<Direction>,
}

/// A packet's type, and where its content begins and how long that is (5.0, 2.1.4).
struct Frame {
    kind: u8,
    header: usize,
    length: usize,
}

/// What a CONNECT says.
struct Connect<'a> {
    version: &'static str,
    client_id: &'a [u8],
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
}

/// A number of up to four octets of seven bits each, and how many it took; `Err` where it is longer.
fn variable(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        number |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((number, at + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(()) }
}

impl Frame {
    fn read(bytes: &[u8]) -> Result<Option<Self>, ()> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let Some((length, octets)) = variable(rest)? else { return Ok(None) };
        Ok(Some(Self { kind: first >> 4, header: 1 + octets, length }))
    }
}

/// The name of the protocol and its version at the start of CONNECT's content.
fn version(content: &[u8]) -> Option<(&'static str, usize)> {
    let names: [(&[u8], &'static str); 3] =
        [(b"\0\x04MQTT\x04", "3.1.1"), (b"\0\x04MQTT\x05", "5.0"), (b"\0\x06MQIsdp\x03", "3.1")];
    names
        .into_iter()
        .find_map(|(known, version)| content.starts_with(known).then_some((version, known.len())))
}

fn probe(input: &Input<'_>) -> Probe {
    if input.bytes.first().is_some_and(|first| *first != CONNECT << 4) {
        return joined::probe(input.bytes);
    }
    let Ok(frame) = Frame::read(input.bytes) else { return Probe::NotForUs };
    let Some(frame) = frame else { return Probe::Unsure };
    let content = input.bytes.get(frame.header..).unwrap_or_default();
    if frame.length < 12 {
        return Probe::NotForUs;
    }
    match version(content) {
        // A flag that must not be set, or a password without a name before 5.0, is none of ours.
        Some((_, at)) => match content.get(at) {
            Some(flags) if flags & RESERVED == 0 => Probe::Certain,
            Some(_) => Probe::NotForUs,
            None => Probe::Unsure,
        },
        None if content.len() < 9 && may_be_named(content) => Probe::Unsure,
        None => Probe::NotForUs,
    }
}

fn may_be_named(content: &[u8]) -> bool {
    [&b"\0\x04MQTT"[..], b"\0\x06MQIsdp"].iter().any(|known| {
        let shown = content.get(..content.len().min(known.len())).unwrap_or_default();
        known.starts_with(shown)
    })
}

/// Octets behind their length, and where they end.
fn binary(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length = usize::from(be16(bytes, at)?);
    Some((part(bytes, at + 2, length)?, at + 2 + length))
}

/// Where properties end (5.0, 2.2.2).
fn behind_properties(bytes: &[u8], at: usize) -> Option<usize> {
    let (length, octets) = variable(bytes.get(at..)?).ok()??;
    (at + octets).checked_add(length).filter(|end| *end <= bytes.len())
}

impl<'a> Connect<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let (version, at) = version(content)?;
        let has_properties = version == "5.0";
        let flags = *content.get(at)?;
        // Behind the flags and the seconds between signs of life.
        let mut at = at + 3;
        if has_properties {
            at = behind_properties(content, at)?;
        }
        let (client_id, mut at) = binary(content, at)?;
        if flags & WILL != 0 {
            if has_properties {
                at = behind_properties(content, at)?;
            }
            (_, at) = binary(content, at)?;
            (_, at) = binary(content, at)?;
        }
        let mut shown = |flag| {
            if flags & flag == 0 {
                return Some(None);
            }
            let (value, end) = binary(content, at)?;
            at = end;
            Some(Some(value))
        };
        let (user, password) = (shown(USER_NAME)?, shown(PASSWORD)?);
        Some(Self { version, client_id, user, password })
    }

    fn state(&self, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::MqttVersion, self.version);
        if let Some(id) = str::from_utf8(self.client_id).ok().filter(|id| names_a_device(id)) {
            facts.of_sender(Attribute::MqttClientId, id);
        }
        if let Some(password) = self.password {
            credentials::state("mqtt", self.user.unwrap_or_default(), password, facts);
        }
    }
}

/// Whether this is a word for a product and a hardware address that a maker gave (`shelly-plug-E8DB84A1B2C3`), or that
/// address alone with its colons.
fn names_a_device(id: &str) -> bool {
    let folded = id.to_ascii_lowercase();
    if MADE_UP.iter().any(|known| folded.starts_with(known)) {
        return false;
    }
    let is_between = |c: char| matches!(c, '-' | '_' | '/' | '.' | ':');
    let mut words = id.split(is_between).collect::<Vec<_>>();
    // An address with colons or hyphens is six words of two digits.
    if let Some(last) = words.len().checked_sub(6)
        && let Some(octets) = words.get(last..)
        && octets.iter().all(|octet| octet.len() == 2)
        && is_address(&octets.concat())
    {
        words.truncate(last);
        return words.iter().all(|word| is_product(word));
    }
    let Some(address) = words.pop() else { return false };
    !words.is_empty() && is_address(address) && words.iter().all(|word| is_product(word))
}

/// A word of a product's name: short, and not digits alone, as a date of birth would be.
fn is_product(word: &str) -> bool {
    word.len() <= 16 && word.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn is_address(digits: &str) -> bool {
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let octets = u64::from_str_radix(digits, 16).unwrap_or_default().to_be_bytes();
    is_hex && !is_decimal && octets.get(2..).and_then(scope::hardware_address).is_some()
}

impl Dissector for Mqtt {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let frame = match Frame::read(input.bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Progress::NeedMore,
            Err(()) => return Progress::Broken("length of more than four octets"),
        };
        let whole = frame.header + frame.length;
        let content = part(input.bytes, frame.header, frame.length);
        match (frame.kind, content) {
            (CONNECT, _) if frame.length > LONGEST => {
                return Progress::Broken("CONNECT longer than 128 KiB");
            }
            (CONNECT | CONNACK, None) => return Progress::NeedMore,
            (CONNECT, Some(content)) => {
                if self.client.is_some() {
                    return Progress::Broken("a second CONNECT");
                }
                self.client = Some(input.direction);
                facts.of_sender(Attribute::Role, "mqtt-client");
                let Some(connect) = Connect::read(content) else {
                    return Progress::Broken("CONNECT without all of its parts");
                };
                connect.state(facts);
            }
            (CONNACK, Some(content)) => {
                // The answer may be shown before the question, where that came in pieces.
                if self.client == Some(input.direction) {
                    return Progress::Broken("an answer from the client");
                }
                facts.of_sender(Attribute::Role, "mqtt-broker");
                // Bad name or password, and not allowed (3.1.1, 3.2.2.3; 5.0, 3.2.2.2).
                if let Some(4 | 5 | 0x86 | 0x87) = content.get(1) {
                    facts.of_receiver(Attribute::FailedLogin, "mqtt");
                }
                return Progress::Done;
            }
            // What a client sends before it is answered, and the steps of a longer log-in.
            (AUTH, _) => {}
            _ if self.client == Some(input.direction) => {}
            _ if self.client.is_none() => {
                if let Some(role) = joined::role(frame.kind) {
                    facts.of_sender(Attribute::Role, role);
                }
                return Progress::Done;
            }
            _ => return Progress::Broken("something else than an answer"),
        }
        Progress::Consumed(whole)
    }
}

#[cfg(test)]
mod tests;
