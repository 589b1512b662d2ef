//! Requests to the Identity object and their answers (CIP volume 1, 2-4), directly or through the Connection Manager's
//! Unconnected_Send (3-5.5.4), which routes them on; and the diagnostic status of controllers that speak PCCC inside CIP
//! (Rockwell's DF1 Protocol and Command Set Reference Manual, publication 1770-6.5.16, chapter 7).

use std::fmt::Write as _;

use wardwatch_proto::v1::Attribute;

use super::identity::{self, Said};
use crate::industry::text::fixed;
use crate::industry::whom::Whom;
use crate::octets::{le16, part};

/// Services (appendix A; Unconnected_Send is the Connection Manager's own).
const GET_ATTRIBUTES_ALL: u8 = 0x01;
const GET_ATTRIBUTE_LIST: u8 = 0x03;
const GET_ATTRIBUTE_SINGLE: u8 = 0x0E;
const EXECUTE_PCCC: u8 = 0x4B;
const UNCONNECTED_SEND: u8 = 0x52;

/// Set in the service of an answer.
const ANSWER: u8 = 0x80;

/// Classes.
const IDENTITY: u16 = 0x01;
pub(super) const CONNECTION_MANAGER: u16 = 0x06;
const PCCC: u16 = 0x67;

/// Octets of the longest route that is kept.
const LONGEST_ROUTE: usize = 32;

/// A request for what an Identity object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) whom: Whom,
    service: u8,
    /// Of Get_Attribute_Single.
    attribute: u16,
}

pub(super) fn is_answer(message: &[u8]) -> bool {
    message.first().is_some_and(|service| service & ANSWER != 0)
}

/// Reads a request; nothing where it asks for something else.
pub(super) fn question(message: &[u8]) -> Option<Question> {
    let (path, data) = path(message)?;
    match (*message.first()?, path.class) {
        (UNCONNECTED_SEND, CONNECTION_MANAGER) => {
            // Priority and tick, ticks, length, the message, padding, the route's length in words, reserved, the route.
            let length = usize::from(le16(data, 2)?);
            let embedded = part(data, 4, length)?;
            let at = 4 + length + length % 2;
            let route = part(data, at + 2, usize::from(*data.get(at)?) * 2)?;
            let question = question_on(embedded, route)?;
            Some(question)
        }
        _ => question_on(message, &[]),
    }
}

/// The same of a request that went on this way already.
pub(super) fn question_on(message: &[u8], route: &[u8]) -> Option<Question> {
    let (path, data) = path(message)?;
    let service = *message.first()?;
    let is_status = (service, path.class) == (EXECUTE_PCCC, PCCC) && asks_for_status(data);
    // Instance 1 is the device; 0 is the class, higher ones are parts of it.
    if path.instance != 1 || route.len() > LONGEST_ROUTE || path.class != IDENTITY && !is_status {
        return None;
    }
    let is_read = is_status
        || matches!(service, GET_ATTRIBUTES_ALL | GET_ATTRIBUTE_LIST)
        || service == GET_ATTRIBUTE_SINGLE && path.attribute != 0;
    let whom = if route.is_empty() {
        Whom::Sender
    } else {
        let mut key = "cip=".to_owned();
        for octet in route {
            // Writing to a string does not fail.
            let _ = write!(key, "{octet:02x}");
        }
        Whom::Behind(key)
    };
    is_read.then_some(Question { whom, service, attribute: path.attribute })
}

impl Question {
    /// What the answer says.
    pub(super) fn answer(&self, message: &[u8]) -> Said {
        self.read(message).unwrap_or_default()
    }

    fn read(&self, message: &[u8]) -> Option<Said> {
        // Service, reserved, general status, words of additional status.
        let [service, _, status, words] = *message.first_chunk::<4>()?;
        // Status 6 is a part of the data, of which more is to be asked for.
        if service != self.service | ANSWER || !matches!(status, 0 | 6) {
            return None;
        }
        let data = message.get(4 + 2 * usize::from(words)..)?;
        match self.service {
            GET_ATTRIBUTES_ALL => Some(identity::all(data)),
            EXECUTE_PCCC => Some(diagnostic_status(data).into_iter().collect()),
            GET_ATTRIBUTE_SINGLE => Some(identity::attribute(self.attribute, data).into_iter().collect()),
            _ => Some(list(data)),
        }
    }
}

/// The requester's id, whose first octet is its length, stands before the command.
fn pccc(data: &[u8]) -> Option<&[u8]> {
    data.get(usize::from(*data.first()?)..)
}

/// Command 06, function 03, with status and transaction (2) between them.
fn asks_for_status(data: &[u8]) -> bool {
    matches!(pccc(data), Some([0x06, _, _, _, 0x03]))
}

/// Command 46, status, transaction (2); mode, extended type (3), series and revision, the bulletin's number (11).
fn diagnostic_status(data: &[u8]) -> Option<(Attribute, String)> {
    match pccc(data)? {
        [0x46, 0, _, _, _, 0xEE, _, _, _, rest @ ..] => Some((Attribute::Model, fixed(rest.get(..11)?))),
        _ => None,
    }
}

/// Get_Attribute_List: how many, then each with number, status, and, where that is 0, its value.
fn list(data: &[u8]) -> Said {
    let mut said = Said::new();
    let count = le16(data, 0).unwrap_or_default();
    let mut rest = data.get(2..).unwrap_or_default();
    for _ in 0..count {
        let (Some(number), Some(status), Some(value)) = (le16(rest, 0), le16(rest, 2), rest.get(4..)) else {
            break;
        };
        if status != 0 {
            rest = value;
            continue;
        }
        said.extend(identity::attribute(number, value));
        let Some(next) = identity::width(number, value).and_then(|width| value.get(width..)) else { break };
        rest = next;
    }
    said
}

/// The logical address of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) class: u16,
    instance: u16,
    attribute: u16,
}

/// Reads the padded path (volume 1, C-1) of a request, in words, and gives what follows it.
pub(super) fn path(message: &[u8]) -> Option<(Path, &[u8])> {
    let length = usize::from(*message.get(1)?) * 2;
    let (mut segments, data) = message.get(2..)?.split_at_checked(length)?;
    let mut path = Path::default();
    while let Some(kind) = segments.first() {
        // Logical segments of eight bits, and of sixteen behind an octet of padding.
        let (value, size) = match kind & 0x03 {
            0 => (u16::from(*segments.get(1)?), 2),
            1 => (le16(segments, 2)?, 4),
            _ => return None,
        };
        match kind & 0xFC {
            0x20 => path.class = value,
            0x24 => path.instance = value,
            0x30 => path.attribute = value,
            _ => return None,
        }
        segments = segments.get(size..)?;
    }
    Some((path, data))
}
