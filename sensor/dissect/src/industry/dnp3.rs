//! DNP3 (IEEE 1815-2012) on TCP and UDP: masters, outstations, and what these say about themselves.
//!
//! Stated are the outstation's link address, who operates and writes, whether a file's password is shown in clear, and
//! of the device attributes (group 0) maker, model, serial number, versions, place and names. Points are not looked at.
//!
//! The traps. After the header each 16 octets are followed by a check sum, which is verified and taken out before anything
//! else is read. A message goes over several transport segments. Several outstations may be reached at one address: the
//! first of a flow is taken for the device at the address, others are third devices, told apart by their link address.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::link::Frame;
use self::transport::Fragments;
use super::once::Once;
use super::whom::Whom;
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress};

mod attributes;
mod link;
mod transport;

/// On any TCP port.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Dnp3, probe: link::probe, start: || Box::new(Dnp3::default()) };

/// On any UDP port.
pub(crate) const OVER_UDP: Candidate =
    Candidate { protocol: Protocol::Dnp3, probe: link::probe, start: || Box::new(Datagrams::default()) };

/// Application functions (clause 4.4).
const WRITE: u8 = 0x02;
const SELECT: u8 = 0x03;
const DIRECT_OPERATE_NO_ACK: u8 = 0x06;
const COLD_RESTART: u8 = 0x0D;
const WARM_RESTART: u8 = 0x0E;
const AUTHENTICATE_FILE: u8 = 0x1D;
const RESPONSE: u8 = 0x81;
const UNSOLICITED: u8 = 0x82;

/// Groups of objects that every master writes: time, and the indication of a restart that it clears.
const HOUSEKEEPING: [u8; 2] = [50, 80];

/// What is stated once: roles, and addresses above them.
const MASTER: u32 = 1 << 16;
const OPERATOR: u32 = 2 << 16;
const OUTSTATION: u32 = 3 << 16;

/// One connection.
#[derive(Debug, Default)]
struct Dnp3 {
    state: State,
}

/// Datagrams between two addresses.
#[derive(Debug, Default)]
struct Datagrams(State);

#[derive(Debug, Default)]
struct State {
    stated: Once,
    /// The outstation that was seen first.
    outstation: Option<u16>,
    fragments: [Fragments; 2],
}

impl Dissector for Dnp3 {
    fn protocol(&self) -> Protocol {
        Protocol::Dnp3
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        self.state.bytes(input, facts)
    }

    /// Frames begin with two fixed octets and are checked: the next one is found.
    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.state.fragments.get_mut(direction.index()).into_iter().for_each(Fragments::forget);
        true
    }
}

impl Dissector for Datagrams {
    fn protocol(&self) -> Protocol {
        Protocol::Dnp3
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let mut rest = input.bytes;
        while let Progress::Consumed(used @ 1..) = self.0.bytes(&Input { bytes: rest, ..*input }, facts) {
            rest = rest.get(used..).unwrap_or_default();
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl State {
    /// Reads one frame, or steps to where the next may begin.
    fn bytes(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match link::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other => {
                let behind = input.bytes.iter().skip(1).position(|octet| *octet == link::START);
                Progress::Consumed(behind.map_or(input.bytes.len(), |at| at + 1))
            }
            Frame::Whole(header, data, length) => {
                self.frame(header, &data, input.direction, facts);
                Progress::Consumed(length)
            }
        }
    }

    fn frame(&mut self, header: link::Header, data: &[u8], direction: Direction, facts: &mut Facts<'_>) {
        // Broadcasts and the addresses that the link keeps for itself name nobody.
        if header.is_from_master {
            self.role(MASTER, "dnp3-master", facts);
        } else if header.source <= link::HIGHEST_ADDRESS {
            self.role(OUTSTATION, "dnp3-outstation", facts);
            let is_first = *self.outstation.get_or_insert(header.source) == header.source;
            if self.stated.first(header.source.into()) {
                let whom = outstation(header.source, is_first);
                whom.state(Attribute::Dnp3Address, &header.source.to_string(), facts);
                if !is_first {
                    whom.state(Attribute::Role, "dnp3-outstation", facts);
                }
            }
        }
        let Some(fragments) = self.fragments.get_mut(direction.index()) else { return };
        if let Some(message) = fragments.take(header.source, data) {
            self.application(header, &message, facts);
        }
    }

    fn application(&mut self, header: link::Header, message: &[u8], facts: &mut Facts<'_>) {
        let [_control, function, rest @ ..] = message else { return };
        match (*function, header.is_from_master) {
            (WRITE, true) if rest.first().is_some_and(|group| HOUSEKEEPING.contains(group)) => {}
            (WRITE | SELECT..=DIRECT_OPERATE_NO_ACK | COLD_RESTART | WARM_RESTART, true) => {
                self.role(OPERATOR, "dnp3-operator", facts);
            }
            (AUTHENTICATE_FILE, true) => facts.of_receiver(Attribute::CleartextCredential, "dnp3-file"),
            // Behind the function stand two octets of indications.
            (RESPONSE | UNSOLICITED, false) if header.source <= link::HIGHEST_ADDRESS => {
                let is_first = self.outstation == Some(header.source);
                let whom = outstation(header.source, is_first);
                for (attribute, value) in attributes::read(rest.get(2..).unwrap_or_default()) {
                    whom.state(attribute, &value, facts);
                }
            }
            _ => {}
        }
    }

    fn role(&mut self, number: u32, role: &str, facts: &mut Facts<'_>) {
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
    }
}

/// Whom a link address names.
fn outstation(address: u16, is_first: bool) -> Whom {
    if is_first { Whom::Sender } else { Whom::Behind(format!("dnp3={address}")) }
}

#[cfg(test)]
mod tests;
