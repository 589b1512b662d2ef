//! S7comm, the protocol of SIMATIC S7-300 and S7-400 and of what speaks like them, over RFC 1006; of S7comm-plus, that of the
//! S7-1200 and S7-1500, the beginning is read ([`plus`]). Siemens publishes neither: the layout is that which open implementations and
//! Wireshark agree on; the system status lists are described in Siemens' manual "System and standard functions".
//!
//! Stated are who asks and who answers, who writes, who loads programs or starts and stops the controller, and of the
//! system status lists 0011 (order numbers, versions) and 001C (names, serial number, type).
//!
//! The traps. RFC 1006 carries many protocols (RDP, H.323, MMS): only the first octet behind the transport's header tells.
//! A list may come in several answers, the later without the list's header. The record of an index may be empty.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::userdata::Lists;
use super::once::Once;
use super::tpkt::{self, Frame, Tpdu};
use crate::octets::be16;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod plus;
mod status_list;
mod userdata;

/// S7comm on any TCP port.
pub(crate) const CANDIDATE: Candidate = Candidate {
    protocol: Protocol::S7comm,
    probe: |input| probe(input, |data| message(data).is_some()),
    start: || Box::new(S7::default()),
};

/// S7comm-plus on any TCP port.
pub(crate) const PLUS: Candidate = Candidate {
    protocol: Protocol::S7commPlus,
    probe: |input| probe(input, is_plus),
    start: || Box::new(plus::Plus::default()),
};

/// The first octet of a message.
const S7COMM: u8 = 0x32;
const S7COMM_PLUS: u8 = 0x72;

/// Remote operating service control: what kind of message.
const JOB: u8 = 1;
const ACK: u8 = 2;
const ACK_DATA: u8 = 3;
const USERDATA: u8 = 7;

const CLIENT: u32 = 0;
const SERVER: u32 = 1;
const WRITER: u32 = 2;
const PROGRAMMER: u32 = 3;

/// Certain on the first message behind the transport's header; until then the packets must be those of the transport.
fn probe(input: &Input<'_>, is_ours: fn(&[u8]) -> bool) -> Probe {
    let mut rest = input.bytes;
    loop {
        match tpkt::read(rest) {
            Frame::Partial => return Probe::Unsure,
            Frame::Whole(Tpdu::Connection, length) => rest = rest.get(length..).unwrap_or_default(),
            Frame::Whole(Tpdu::Data { data: [], .. }, length) => {
                rest = rest.get(length..).unwrap_or_default();
            }
            Frame::Whole(Tpdu::Data { data, .. }, _) if is_ours(data) => return Probe::Certain,
            Frame::Whole(..) | Frame::Other => return Probe::NotForUs,
        }
    }
}

/// A message of S7comm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message<'a> {
    kind: u8,
    parameters: &'a [u8],
    data: &'a [u8],
}

/// Header: 32, kind, reserved (2), reference (2), length of the parameters, length of the data, and in answers an error.
fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let [S7COMM, kind @ (JOB | ACK | ACK_DATA | USERDATA), ..] = *bytes else { return None };
    let header = if matches!(kind, ACK | ACK_DATA) { 12 } else { 10 };
    let (parameters, data) = (usize::from(be16(bytes, 6)?), usize::from(be16(bytes, 8)?));
    let (parameters, rest) = bytes.get(header..)?.split_at_checked(parameters)?;
    (rest.len() == data).then_some(Message { kind, parameters, data: rest })
}

/// 72, version, length of the data; the first message of a connection fits into one packet and ends with a trailer.
fn is_plus(bytes: &[u8]) -> bool {
    let [S7COMM_PLUS, version @ 1..=3, ..] = *bytes else { return false };
    let length = be16(bytes, 2).map(usize::from);
    let trailer = length.and_then(|length| bytes.get(4 + length..));
    trailer == Some(&[S7COMM_PLUS, version, 0, 0][..])
}

/// One connection.
#[derive(Debug, Default)]
struct S7 {
    lost: [bool; 2],
    stated: Once,
    lists: Lists,
}

impl Dissector for S7 {
    fn protocol(&self) -> Protocol {
        Protocol::S7comm
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match tpkt::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not a TPKT"),
            Frame::Whole(tpdu, length) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                if let Tpdu::Data { data, .. } = tpdu
                    && let Some(message) = message(data)
                {
                    self.message(message, facts);
                }
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        true
    }
}

impl S7 {
    fn message(&mut self, message: Message<'_>, facts: &mut Facts<'_>) {
        match message.kind {
            JOB => {
                self.role(CLIENT, "s7-client", facts);
                match message.parameters.first() {
                    Some(0x05) => self.role(WRITER, "s7-writer", facts),
                    // Downloads and uploads of blocks, control of the program, stop.
                    Some(0x1A..=0x1F | 0x28 | 0x29) => self.role(PROGRAMMER, "plc-programmer", facts),
                    _ => {}
                }
            }
            ACK | ACK_DATA => self.role(SERVER, "s7-server", facts),
            _ => self.userdata(message, facts),
        }
    }

    fn userdata(&mut self, message: Message<'_>, facts: &mut Facts<'_>) {
        let Some(parameters) = userdata::Parameters::read(message.parameters) else { return };
        if !parameters.is_answer {
            self.role(CLIENT, "s7-client", facts);
            if parameters.is_password() && !message.data.is_empty() {
                // Eight octets, disguised by an exclusive or that is no secret.
                facts.of_receiver(Attribute::CleartextCredential, "s7-password");
            }
            return;
        }
        self.role(SERVER, "s7-server", facts);
        if let Some(list) = self.lists.take(parameters, message.data) {
            for (attribute, value) in status_list::read(&list) {
                facts.of_sender(attribute, &value);
            }
        }
    }

    fn role(&mut self, number: u32, role: &str, facts: &mut Facts<'_>) {
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
    }
}

#[cfg(test)]
mod tests;
