//! DLMS/COSEM (IEC 62056): meters and what reads them, in HDLC frames (62056-46) or in the wrapper for IP (62056-47), on
//! TCP and UDP.
//!
//! Stated are the roles, whether a client shows a password in clear (62056-53, low level security), and a meter's name, serial
//! number and firmware where a client reads them one by one and in clear. What meters count is not looked at.
//!
//! The traps. HDLC's frame begins and ends with the same octet, and several follow one another or come in pieces: its
//! check sum decides. The wrapper's four numbers are weak: an association, whose object identifier is fixed, is required
//! on other ports than the protocol's. An answer does not repeat what was asked: it has the question's number of four bits.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::frame::{Frame, Side};
use super::once::Once;
use super::text::fixed;
use crate::octets::part;
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress, credentials};

mod frame;

/// On any TCP port.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Dlms, probe: frame::probe, start: || Box::new(Dlms::default()) };

/// On any UDP port.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::Dlms,
    probe: frame::probe_datagram,
    start: || Box::new(Datagrams::default()),
};

/// Tags of an association request (62056-53, 8.2), of the mechanism of authentication, and of the password.
const ASSOCIATION_REQUEST: u8 = 0x60;
const MECHANISM: u8 = 0x8B;
const AUTHENTICATION: u8 = 0xAC;

/// Requests and responses of reading (62056-53, 8.3), of one attribute; the number in the lower half of the third octet; that
/// there is a value and no error.
const GET_REQUEST: u8 = 0xC0;
const GET_RESPONSE: u8 = 0xC4;
const NORMAL: u8 = 1;
const INVOKE_ID: u8 = 0x0F;
const SUCCESS: u8 = 0;

/// The class of objects that hold one value (62056-62, 4.3.1), and the types of values that are text.
const DATA: u8 = 1;
const OCTETS: u8 = 9;
const TEXT: u8 = 10;

/// The mechanism of low level security: joint-iso-ccitt, country 756, DLMS UA, mechanism 1.
const LOW_LEVEL_SECURITY: [u8; 7] = [0x60, 0x85, 0x74, 5, 8, 2, 1];

/// One TCP connection.
#[derive(Debug, Default)]
struct Dlms {
    lost: [bool; 2],
    exchange: Exchange,
}

/// Datagrams between two addresses.
#[derive(Debug, Default)]
struct Datagrams(Exchange);

/// What the two ends have said.
#[derive(Debug, Default)]
struct Exchange {
    stated: Once,
    /// What was asked for and not answered yet, by the number that question and answer share.
    asked: [Option<(u32, Attribute)>; 16],
}

impl Dissector for Dlms {
    fn protocol(&self) -> Protocol {
        Protocol::Dlms
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match frame::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            // A damaged frame, or the rest of one: the next begins with a flag.
            Frame::Other if is_lost || input.bytes.first() == Some(&frame::FLAG) => {
                let next = input.bytes.iter().skip(1).position(|octet| *octet == frame::FLAG);
                Progress::Consumed(next.map_or(input.bytes.len(), |at| at + 1))
            }
            Frame::Other => Progress::Broken("neither HDLC nor the wrapper"),
            Frame::Whole { side, apdu, length } => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                self.exchange.apdu(side, apdu, facts);
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        // The next answer may be to a question that is missing.
        self.exchange.asked = Default::default();
        true
    }
}

impl Dissector for Datagrams {
    fn protocol(&self) -> Protocol {
        Protocol::Dlms
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Frame::Whole { side, apdu, .. } = frame::read(input.bytes) {
            self.0.apdu(side, apdu, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl Exchange {
    fn apdu(&mut self, side: Option<Side>, apdu: &[u8], facts: &mut Facts<'_>) {
        let (number, role) = match side {
            Some(Side::Client) => (0, "dlms-client"),
            Some(Side::Server) => (1, "dlms-server"),
            None => return,
        };
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
        if let Some(password) = password(apdu) {
            credentials::state("dlms-lls", &[], password, facts);
        }
        match *apdu {
            [GET_REQUEST, NORMAL, number, 0, DATA, ref object @ ..] => {
                if let Some(asked) = self.asked.get_mut(usize::from(number & INVOKE_ID)) {
                    *asked = identity(object);
                }
            }
            [GET_RESPONSE, NORMAL, number, SUCCESS, OCTETS | TEXT, length @ 0..=0x7F, ref value @ ..] => {
                let asked = self.asked.get_mut(usize::from(number & INVOKE_ID)).and_then(Option::take);
                if let (Some((thing, attribute)), Some(value)) = (asked, part(value, 0, length.into()))
                    && self.stated.first(thing)
                {
                    facts.of_sender(attribute, &fixed(value));
                }
            }
            _ => {}
        }
    }
}

/// What the value (attribute 2) of an object tells of the meter (OBIS, 62056-61; the A to F of its name): the logical device's
/// name, the first number of the device, the firmware that runs. With the number under which it is remembered as stated.
fn identity(object: &[u8]) -> Option<(u32, Attribute)> {
    match object {
        [0, 0, 42, 0, 0, 255, 2, ..] => Some((2, Attribute::DeviceTag)),
        [0, 0, 96, 1, 0, 255, 2, ..] => Some((3, Attribute::SerialNumber)),
        [_, 0, 0, 2, 0, 255, 2, ..] => Some((4, Attribute::FirmwareVersion)),
        _ => None,
    }
}

/// The password of an association request at low level security.
fn password(apdu: &[u8]) -> Option<&[u8]> {
    let mut rest = match apdu {
        [ASSOCIATION_REQUEST, length @ 0..=0x7F, rest @ ..]
        | [ASSOCIATION_REQUEST, 0x81, length, rest @ ..] => rest.get(..usize::from(*length))?,
        _ => return None,
    };
    let (mut is_low_level, mut shown) = (false, None);
    while let [tag, length @ 0..=0x7F, behind @ ..] = rest {
        let (value, next) = behind.split_at_checked((*length).into())?;
        match (*tag, value) {
            (MECHANISM, value) => is_low_level = value == LOW_LEVEL_SECURITY,
            // A choice of characters.
            (AUTHENTICATION, [0x80, _, password @ ..]) if !password.is_empty() => shown = Some(password),
            _ => {}
        }
        rest = next;
    }
    shown.filter(|_| is_low_level)
}

#[cfg(test)]
mod tests;
