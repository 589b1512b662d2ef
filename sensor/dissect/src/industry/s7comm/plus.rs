//! S7comm-plus, the protocol of the S7-1200 and S7-1500: which side asks, and the controller's answer to the opening of a
//! session, in which it gives its order number and version.
//!
//! Siemens publishes nothing of it; the attribute is read as open drivers and the plug-in for Wireshark agree on it. Newer
//! controllers wrap all of it in TLS, of which nothing can be read.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::S7COMM_PLUS;
use crate::industry::tpkt::{self, Frame, Tpdu};
use crate::{Direction, Dissector, Facts, Input, Progress};

/// What stands before the text of attribute 319 within the session's version: its number (in groups of seven bits), no
/// flags, and the type of a text.
const DESCRIPTION: [u8; 4] = [0x82, 0x3F, 0x00, 0x15];

/// Messages of the server that are looked at: the session is opened by the first or the second.
const MOST_ANSWERS: u8 = 4;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Plus {
    has_roles: bool,
    answers: u8,
}

impl Dissector for Plus {
    fn protocol(&self) -> Protocol {
        Protocol::S7commPlus
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let (data, length) = match tpkt::read(input.bytes) {
            Frame::Partial => return Progress::NeedMore,
            Frame::Other => return Progress::Broken("not a TPKT"),
            Frame::Whole(Tpdu::Data { data, .. }, length) => (data, length),
            Frame::Whole(_, length) => return Progress::Consumed(length),
        };
        let is_server = input.direction == Direction::FromResponder;
        if data.first() == Some(&S7COMM_PLUS) && !std::mem::replace(&mut self.has_roles, true) {
            let (own, others) =
                if is_server { ("s7-server", "s7-client") } else { ("s7-client", "s7-server") };
            facts.of_sender(Attribute::Role, own);
            facts.of_receiver(Attribute::Role, others);
        }
        if is_server {
            self.answers += 1;
            let said = description(data);
            for (attribute, value) in said.iter().flatten() {
                facts.of_sender(*attribute, value);
            }
            if said.is_some() || self.answers >= MOST_ANSWERS {
                return Progress::Done;
            }
        }
        Progress::Consumed(length)
    }
}

/// `1;6ES7 215-1AG40-0XB0 ;V4.2`: a number, what the controller is ordered by, its firmware. A simulation has an S where
/// others have a V.
fn description(data: &[u8]) -> Option<Vec<(Attribute, &str)>> {
    let place = data.windows(DESCRIPTION.len()).position(|octets| octets == DESCRIPTION)?;
    let (&length, text) = data.get(place + DESCRIPTION.len()..)?.split_first()?;
    // Longer ones would have a second octet of length.
    let text = text.get(..length.into()).filter(|_| length < 0x80)?;
    let mut parts = str::from_utf8(text).ok()?.split(';');
    let (Some("1"), Some(order), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let mut said = vec![(Attribute::OrderNumber, order.trim())];
    said.extend(version.trim().strip_prefix('V').map(|version| (Attribute::FirmwareVersion, version)));
    Some(said)
}
