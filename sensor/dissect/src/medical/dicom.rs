//! DICOM over TCP: the upper layer (PS3.8), messages (PS3.7) and what objects say about equipment (PS3.3, PS3.5).
//!
//! An association gives the titles, the toolkits and the roles of both ends; the header of an object gives the maker,
//! model, serial number and software of the device that made it, which need not be the sender (see `attribution`).
//! Nothing of a patient is copied: datasets are walked element by element, and only listed elements are read. Pixels
//! are skipped without being looked at.

use wardwatch_proto::v1::Protocol;

use self::association::Association;
use self::message::{Messages, Session};
use self::pdu::{Footing, HEADER_BYTES, Header, Kind, LONGEST_ASSOCIATE, VALUE_HEADER_BYTES, ValueHeader};
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress};

mod association;
mod attribution;
mod command;
mod dataset;
mod equipment;
mod message;
mod pdu;
mod service;
mod text;
mod transfer;

/// DICOM on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Dicom, probe: pdu::probe, start: || Box::new(Dicom::default()) };

/// One TCP connection: one association as a rule.
#[derive(Debug, Default)]
struct Dicom {
    sides: [Side; 2],
    session: Session,
}

/// Where the reading of one direction stands.
#[derive(Debug, Default)]
struct Side {
    /// It is known where PDUs begin: not so at the beginning, which may be the middle of a connection, nor behind a
    /// hole.
    has_footing: bool,
    /// Octets that are left of the P-DATA-TF that is being read.
    data_left: u32,
    /// The presentation data value that is being read, and the octets that are left of it.
    value: Option<(ValueHeader, u32)>,
    messages: Messages,
    /// Octets that came and could not be read without more.
    unread: u64,
}

impl Dissector for Dicom {
    fn protocol(&self) -> Protocol {
        Protocol::Dicom
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let mut at = 0_usize;
        loop {
            let rest = input.bytes.get(at..).unwrap_or_default();
            match self.step(input.direction, rest, facts) {
                Ok(None) => break,
                Ok(Some(used)) => at = at.saturating_add(used),
                Err(reason) => return Progress::Broken(reason),
            }
        }
        let [initiator, responder] = &mut self.sides;
        let side = if input.direction.index() == 0 { initiator } else { responder };
        side.unread = input.bytes.len().saturating_sub(at) as u64;
        if at == 0 { Progress::NeedMore } else { Progress::Consumed(at) }
    }

    /// Goes on: behind the hole if that lies within one value, and otherwise at the next command. The message that was
    /// torn is given up.
    fn gap(&mut self, direction: Direction, missing: u64) -> bool {
        let side = self.side(direction);
        let lost = std::mem::take(&mut side.unread).saturating_add(missing);
        side.messages.lose(side.value.map(|(value, _)| value));
        if let Some((_, left)) = &mut side.value
            && let Some(behind) = u64::from(*left).checked_sub(lost)
        {
            *left = u32::try_from(behind).unwrap_or_default();
        } else {
            *side = Side::default();
        }
        true
    }
}

impl Dicom {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    /// Reads one thing: a PDU, the header of a value, or octets of a value. Says how many octets that took, more
    /// than there are where the rest is to be skipped; nothing where more are needed.
    fn step(
        &mut self,
        direction: Direction,
        rest: &[u8],
        facts: &mut Facts<'_>,
    ) -> Result<Option<usize>, &'static str> {
        let side = self.side(direction);
        if !side.has_footing {
            return Ok(side.find_footing(rest));
        }
        match side.value {
            Some((value, left)) => Ok(self.read_value(direction, value, left, rest, facts)),
            None if side.data_left > 0 => side.begin_value(rest),
            None => self.read_pdu(direction, rest, facts),
        }
    }

    fn read_value(
        &mut self,
        direction: Direction,
        value: ValueHeader,
        left: u32,
        rest: &[u8],
        facts: &mut Facts<'_>,
    ) -> Option<usize> {
        let Self { sides, session } = self;
        let [initiator, responder] = sides;
        let side = if direction.index() == 0 { initiator } else { responder };
        let left = left as usize;
        let used = if side.messages.want(value) {
            let chunk = rest.get(..left.min(rest.len()))?;
            if chunk.is_empty() && left > 0 {
                return None;
            }
            side.messages.feed(value, chunk, direction, session, facts);
            chunk.len()
        } else {
            left
        };
        let left = u32::try_from(left.saturating_sub(used)).unwrap_or_default();
        if left == 0 {
            side.value = None;
            side.messages.finish(value, direction, session, facts);
        } else {
            side.value = Some((value, left));
        }
        Some(used)
    }

    fn read_pdu(
        &mut self,
        direction: Direction,
        rest: &[u8],
        facts: &mut Facts<'_>,
    ) -> Result<Option<usize>, &'static str> {
        let Some(Header { kind, length }) = pdu::header(rest) else { return Ok(None) };
        let whole = HEADER_BYTES.saturating_add(length as usize);
        match kind.ok_or("unknown PDU type")? {
            Kind::Data => {
                self.side(direction).data_left = length;
                Ok(Some(HEADER_BYTES))
            }
            Kind::AssociateRequest | Kind::AssociateAccept if length > LONGEST_ASSOCIATE => {
                Err("association PDU longer than any")
            }
            kind @ (Kind::AssociateRequest | Kind::AssociateAccept) => {
                let Some(pdu) = rest.get(..whole) else { return Ok(None) };
                if kind == Kind::AssociateRequest {
                    let association = Association::request(pdu, direction, facts);
                    self.session = Session { association, ..Session::default() };
                    self.sides.iter_mut().for_each(|side| side.messages.lose(None));
                } else {
                    self.session.association.accept(pdu, facts);
                }
                Ok(Some(whole))
            }
            // Nothing but reasons.
            Kind::AssociateReject | Kind::ReleaseRequest | Kind::ReleaseReply | Kind::Abort => {
                Ok(Some(whole))
            }
        }
    }
}

impl Side {
    fn find_footing(&mut self, rest: &[u8]) -> Option<usize> {
        match pdu::footing(rest) {
            Footing::Behind(octets) => {
                self.has_footing = true;
                Some(octets)
            }
            Footing::Unknown(octets) => (octets > 0).then_some(octets),
        }
    }

    fn begin_value(&mut self, rest: &[u8]) -> Result<Option<usize>, &'static str> {
        if self.data_left < VALUE_HEADER_BYTES {
            return Err("value header outside its PDU");
        }
        let Some(value) = pdu::value_header(rest) else { return Ok(None) };
        let length =
            value.length_within(self.data_left).ok_or("presentation data value longer than its PDU")?;
        self.data_left -= VALUE_HEADER_BYTES + length;
        self.value = Some((value, length));
        Ok(Some(VALUE_HEADER_BYTES as usize))
    }
}

#[cfg(test)]
mod tests;
